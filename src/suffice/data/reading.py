"""Files as rows: JSON Lines, JSON arrays and Parquet, each also under gzip or xz.

One bad row never stops a file, and a file that breaks off gives the rows before the break.
"""

from __future__ import annotations

import difflib
import glob
import gzip
import io
import json
import lzma
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from suffice.common.errors import UserError
from suffice.data.rules import BAD_CONTENT, BROKEN_FILE, FILE_TOO_LARGE, NOT_JSON, RowError

LIMIT = 512 * 2**20  # bytes of a JSON array, or of one line, that are read at once
_TYPES = (".jsonl", ".ndjson", ".json", ".parquet")
_BATCH = 1024
_SHOWN = 2_000  # characters kept of an array that breaks off
_BLANK = re.compile(r"[ \t\r\n]*")
_BROKEN = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException)


class RawRow(NamedTuple):
    """One row as a file has it.

    Attributes:
        line: Its line, from 1; in JSON arrays and Parquet its number.
        value: What it holds; its text where it is no JSON.
        error: Why it cannot be read, if it cannot.
    """

    line: int
    value: Any
    error: RowError | None = None


def shown_path(path: Path) -> str:
    """Returns a path as text, with a mark in place of bytes that are no UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def expand(patterns: Sequence[str | Path]) -> list[Path]:
    """Returns the files that paths and globs name, each once: in the order given, a glob's by name.

    Raises:
        UserError: A file is missing, a glob matches none, or a file's type is not known.
    """
    found: dict[Path, Path] = {}
    for pattern in map(str, patterns):
        paths = [Path(pattern)] if os.path.lexists(pattern) else _matches(pattern)
        for path in paths:
            _check_type(path)
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _matches(pattern: str) -> list[Path]:
    if not glob.has_magic(pattern):
        raise _missing(Path(pattern))
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
    paths = [Path(name) for name in names if Path(name).is_file()]
    if not paths:
        raise UserError(
            f"no file matches '{pattern}'", "check the folder and the pattern, and quote it in the shell"
        )
    return paths


def _missing(path: Path) -> UserError:
    """Builds the error for a file that is not there, with the nearest name that is."""
    folder = path.parent
    if not os.path.isdir(folder):  # noqa: PTH112  # says no, rather than fails, where a name is too long
        return UserError(
            f"no file {shown_path(path)}: there is no folder {shown_path(folder)}", "check the path"
        )
    names = sorted(entry.name for entry in folder.iterdir()) if os.access(folder, os.R_OK) else []
    close = difflib.get_close_matches(path.name, names, n=1)
    remedy = f"did you mean '{shown_path(folder / close[0])}'?" if close else "check the path"
    return UserError(f"no file {shown_path(path)}", remedy)


def _check_type(path: Path) -> None:
    if path.is_dir():
        raise UserError(
            f"{shown_path(path)} is a folder", f"give its files, such as '{shown_path(path)}/*.jsonl'"
        )
    if not path.is_file():
        raise UserError(f"{shown_path(path)} is no regular file or leads nowhere", "give a file")
    if _type(path) not in _TYPES:
        raise UserError(
            f"{shown_path(path)} is of no known type",
            "give .jsonl, .json or .parquet, each also with .gz or .xz at the end",
        )


def _inner(path: Path) -> Path:
    """Returns a file's name without the suffix of its compression."""
    return path.with_suffix("") if path.suffix.lower() in (".gz", ".xz") else path


def _type(path: Path) -> str:
    return _inner(path).suffix.lower()


def source_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Returns what the rows of each file are called by default.

    The file's name without its suffixes; files of one name are told apart by their folder's name.
    """
    stems = {path: shown_path(Path(_inner(path).stem)) for path in paths}
    count = Counter(stems.values())
    return {
        path: stem if count[stem] == 1 else f"{shown_path(Path(path.resolve().parent.name))}/{stem}"
        for path, stem in stems.items()
    }


def read_rows(path: Path, on_bytes: Callable[[int], None] | None = None) -> Iterator[RawRow]:
    """Yields the rows of a file that `expand` returned.

    Blank lines are no rows. A JSON array is read at once, up to 512 MiB of text; JSON Lines and Parquet are
    streamed. Where the file breaks off, the last row says so.

    Args:
        path: The file.
        on_bytes: Called with the number of bytes each time some were read from the disk.

    Raises:
        UserError: The file may not be read.
    """
    readers: dict[str, Callable[[BinaryIO], Iterator[RawRow]]] = {".json": _json, ".parquet": _parquet}
    line = 0
    try:
        with _open(path, on_bytes or _ignore) as stream:
            for row in readers.get(_type(path), _lines)(stream):
                line = row.line
                yield row
    except PermissionError as error:
        raise UserError(f"{shown_path(path)} may not be read", "change its permissions") from error
    except RowError as error:
        yield RawRow(line + 1, None, error)
    except _BROKEN as error:
        yield RawRow(
            line + 1, None, RowError(BROKEN_FILE, f"nothing can be read from here on ({_first(error)})")
        )


def _first(error: Exception) -> str:
    """Returns the first line of an error's text."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _ignore(_: int) -> None:
    pass


class _CountedFile(io.FileIO):
    """A file opened for reading that tells how many bytes were read."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_bytes = on_bytes

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self._on_bytes(count)
        return count


@contextmanager
def _open(path: Path, on_bytes: Callable[[int], None]) -> Iterator[BinaryIO]:
    with io.BufferedReader(_CountedFile(path, on_bytes), buffer_size=2**20) as file:
        match path.suffix.lower():
            case ".gz":
                with gzip.open(file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            case ".xz":
                with lzma.open(file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            case _:
                yield file


def _text(data: bytes) -> str:
    """Decodes UTF-8 with or without a mark at its start; a bad byte spoils only the row that holds it."""
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _whole(stream: BinaryIO) -> bytes:
    """Returns all bytes of a file.

    Raises:
        RowError: There are more than are read at once.
    """
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise RowError(FILE_TOO_LARGE, f"the file holds more than {LIMIT:,} bytes")
    return data


def _lines(stream: BinaryIO) -> Iterator[RawRow]:
    for number, line in enumerate(iter(lambda: stream.readline(LIMIT + 1), b""), start=1):
        if len(line) > LIMIT:
            yield RawRow(number, None, RowError(FILE_TOO_LARGE, f"the line is longer than {LIMIT:,} bytes"))
            return
        text = _text(line).strip()
        if text:
            yield _parsed(number, text)


def _parsed(number: int, text: str) -> RawRow:
    try:
        return RawRow(number, json.loads(text))
    except json.JSONDecodeError as error:
        message = f"the line is no JSON: {error.msg} (column {error.colno})"
    except (ValueError, RecursionError) as error:
        message = f"the line is no JSON that can be read: {_first(error)}"
    return RawRow(number, text, RowError(NOT_JSON, message))


def _json(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the items of an array; the single object of a file that holds one; else, its lines."""
    data = _whole(stream)
    text = _text(data)
    start = _skip_blank(text, 0)
    if text.startswith("[", start):
        yield from _array(text, start + 1)
        return
    whole = _parsed(1, text.strip()) if start < len(text) else None
    if whole and not whole.error:
        yield whole
    else:
        yield from _lines(io.BytesIO(data))


def _array(text: str, place: int) -> Iterator[RawRow]:
    """Yields the items of the array whose first item may stand at ``place``."""
    decoder = json.JSONDecoder()
    place = _skip_blank(text, place)
    number, ended = 0, text.startswith("]", place)
    while not ended:
        number += 1
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            broken = RowError(BROKEN_FILE, f"the array cannot be read from here on ({_first(error)})")
            yield RawRow(number, text[place : place + _SHOWN], broken)
            return
        yield RawRow(number, value)
        place = _skip_blank(text, end)
        ended = text.startswith("]", place)
        if not ended and not text.startswith(",", place):
            yield RawRow(
                number + 1, text[place : place + _SHOWN], RowError(BROKEN_FILE, "the array has no end")
            )
            return
        place = _skip_blank(text, place + 1)


def _skip_blank(text: str, place: int) -> int:
    return _BLANK.match(text, place).end()  # type: ignore[union-attr]  # matches always, if need be nothing


def _parquet(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of a Parquet file, which is read whole only where it is compressed once more."""
    number = 0
    source = stream if isinstance(stream, io.BufferedReader) else io.BytesIO(_whole(stream))
    for batch in pq.ParquetFile(source).iter_batches(batch_size=_BATCH):
        for place in range(batch.num_rows):
            number += 1
            yield _parquet_row(number, batch.slice(place, 1))


def _parquet_row(number: int, row: pa.RecordBatch) -> RawRow:
    try:
        return RawRow(number, _without_null(row.to_pylist()[0]))
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return RawRow(
            number,
            None,
            RowError(BAD_CONTENT, f"the row holds a value that cannot be read ({_first(error)})"),
        )


def _without_null(value: Any) -> Any:
    """Drops empty fields: Arrow gives every struct of a column the fields of all of them."""
    if isinstance(value, dict):
        return {name: _without_null(item) for name, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
