"""JSON Lines: one value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from suffice.data.containers import row as limits
from suffice.data.containers.row import BrokenError, RawRow, decoded, fast_json, first_line
from suffice.data.rules import FILE_TOO_LARGE, NOT_JSON, RowError


def parsed(number: int, line: bytes) -> RawRow:
    """Returns a line as a row."""
    try:
        return RawRow(number, fast_json(line))
    except (ValueError, RecursionError):
        pass  # the slow parser takes more, and says better what is wrong
    text = decoded(line).strip()
    try:
        return RawRow(number, json.loads(text))
    except json.JSONDecodeError as error:
        message = f"the line is no JSON: {error.msg} (column {error.colno})"
    except (ValueError, RecursionError) as error:
        message = f"the line is no JSON that can be read: {first_line(error)}"
    return RawRow(number, text, RowError(NOT_JSON, message))


def read_lines(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of a file; blank lines are none, and a line that is too long is passed over.

    Raises:
        BrokenError: The stream breaks off.
    """
    offset = number = 0
    try:
        while line := stream.readline(limits.LIMIT + 1):
            number += 1
            offset += len(line)
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if len(line) > limits.LIMIT:
                offset += skip_line(stream, line)
                yield RawRow(number, None, too_long())
            elif line.strip():
                yield parsed(number, line)
    except Exception as error:  # zlib, lzma and zipfile have errors of their own
        raise BrokenError(offset, first_line(error)) from error


def too_long() -> RowError:
    """Returns the error of a line that is not read at once."""
    return RowError(FILE_TOO_LARGE, f"the line is longer than {limits.LIMIT:,} bytes")


def skip_line(stream: BinaryIO, start: bytes) -> int:
    """Reads to the end of a line and returns how many bytes that were."""
    skipped = 0
    while not start.endswith(b"\n") and (start := stream.readline(limits.LIMIT)):
        skipped += len(start)
    return skipped
