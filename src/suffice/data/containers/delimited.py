"""CSV and its kin: a first line of names, cells between commas, semicolons or tabs, quoted as spreadsheets do."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from suffice.data.containers import row as limits
from suffice.data.containers.jsonl import skip_line, too_long
from suffice.data.containers.row import BrokenError, RawRow, decoded, first_line
from suffice.data.rules import BAD_TABLE_ROW, FILE_TOO_LARGE, RowError

_SEPARATORS = ",\t;"


class _Lines:
    """The lines of a file as text, with the bytes read so far; one that is too long is passed over, and noted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.offset = stream, 0
        self.passed_over = False

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(limits.LIMIT + 1):
            if self.offset == 0 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise BrokenError(0, "the file is UTF-16, not UTF-8")
            text = decoded(line) if self.offset == 0 else line.decode("utf-8", "surrogateescape")
            self.offset += len(line)
            if len(line) > limits.LIMIT:
                self.offset += skip_line(self._stream, line)
                self.passed_over, text = True, "\n"
            yield text


def read_delimited(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of a table, each cell as text; the separator is the one that the first line has most of.

    A row's line is that on which it begins.

    Raises:
        BrokenError: The stream breaks off, or a quotation mark is never closed.
    """
    csv.field_size_limit(max(limits.LIMIT, csv.field_size_limit()))  # of the whole process: only ever raised
    lines = _Lines(stream)
    texts = iter(lines)
    start = 0
    try:
        first = next(texts, "")
        separator = max(_SEPARATORS, key=first.count)
        reader = csv.reader(_chained(first, texts), delimiter=separator, strict=True)
        names = next(reader, [])
        while True:
            line, start, lines.passed_over = reader.line_num + 1, lines.offset, False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise BrokenError(start, f"the quotation mark of line {line} is never closed") from error
                yield RawRow(line, None, _csv_error(error))
                continue
            if lines.passed_over:
                yield RawRow(line, None, too_long())
            elif cells:
                yield _row(line, names, cells)
    except BrokenError:
        raise
    except Exception as error:  # zlib, lzma and zipfile have errors of their own
        raise BrokenError(start, first_line(error)) from error


def _chained(first: str, others: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from others


def _csv_error(error: csv.Error) -> RowError:
    if "field limit" in str(error):
        return RowError(FILE_TOO_LARGE, f"a cell is longer than {csv.field_size_limit():,} characters")
    return RowError(BAD_TABLE_ROW, f"the row cannot be taken apart ({first_line(error)})")


def _row(line: int, names: list[str], cells: list[str]) -> RawRow:
    if len(cells) != len(names):
        message = f"the row has {len(cells)} cells and the first line {len(names)}"
        return RawRow(line, cells, RowError(BAD_TABLE_ROW, message))
    return RawRow(line, dict(zip(names, cells, strict=True)))
