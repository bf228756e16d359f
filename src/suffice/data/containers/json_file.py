"""Files called .json or .jsonl, which hold lines, an array or values over several lines: their beginning tells."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from typing import Any, BinaryIO

from suffice.data.containers.json_values import read_array, read_values
from suffice.data.containers.jsonl import parsed, read_lines
from suffice.data.containers.row import BrokenError, Container, RawRow
from suffice.data.turns import looks_like_turns

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8 = b"\xef\xbb\xbf"


def read_json(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of a file of JSON text, whichever way they are laid out.

    Raises:
        BrokenError: The file breaks off, or is no UTF-8 at all.
    """
    assert isinstance(stream, BufferedReader)
    head = stream.peek(1)
    if head.startswith(_UTF16):
        raise BrokenError(0, "the file is UTF-16, not UTF-8")
    return _layout(head.removeprefix(_UTF8).lstrip())(stream)


def holds_lines(stream: BinaryIO) -> bool:
    """Tells whether a file of JSON text, at its beginning, has a value a line."""
    assert isinstance(stream, BufferedReader)
    head = stream.peek(1)
    return not head.startswith(_UTF16) and _layout(head.removeprefix(_UTF8).lstrip()) is read_lines


def _layout(head: bytes) -> Container:
    """Chooses the layout that the first lines have."""
    first, *others = head.split(b"\n", 2)
    if head.startswith(b"["):
        return read_array if _opens_array(first, others) else read_lines
    if head.startswith(b"{") and others and not _is_whole(first) and not _is_whole(others[0]):
        return read_values
    return read_lines


def _opens_array(first: bytes, others: list[bytes]) -> bool:
    """Tells an array of rows from lines of which each is a list of turns."""
    row = parsed(1, first)
    if row.error:  # an array goes on in the next line, unless that is a row by itself
        return first.strip() == b"[" or not (others and _is_whole(others[0]))
    value: Any = row.value
    return not any(line.strip() for line in others) and not looks_like_turns(value)


def _is_whole(line: bytes) -> bool:
    """Tells whether a line is an object by itself, from its very beginning."""
    return line.startswith(b"{") and parsed(1, line).error is None
