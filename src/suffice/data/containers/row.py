"""What every container gives: raw rows, and one error where the file breaks off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

from suffice.data.rules import RowError

LIMIT = 64 * 2**20  # bytes of one row
SHOWN = 2_000  # characters kept of a file that breaks off


class RawRow(NamedTuple):
    """One row as a file has it.

    Attributes:
        line: Its line, from 1; in JSON arrays, Parquet and Arrow its number.
        value: What it holds; its text where it is no JSON.
        error: Why it cannot be read, if it cannot.
        offset: Where the file breaks off, in bytes from its start (unpacked); only where the whole file is broken.
    """

    line: int
    value: Any
    error: RowError | None = None
    offset: int | None = None


Container = Callable[[BinaryIO], Iterator[RawRow]]
"""Yields the rows of an open file, unpacked; raises `BrokenError`, or any other error, where it breaks off."""


class BrokenError(Exception):
    """Nothing more can be read from a file.

    Args:
        offset: The byte, from 0, at which it breaks off.
        message: What is wrong there.
        shown: The text that stands there.
    """

    def __init__(self, offset: int, message: str, shown: str | None = None) -> None:
        self.offset, self.message, self.shown = offset, message, shown
        super().__init__(message)


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's text."""
    return (str(error) or type(error).__name__).splitlines()[0]


def decoded(data: bytes) -> str:
    """Decodes UTF-8 with or without a mark at its start; a bad byte spoils only the row that holds it."""
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


fast_json = msgspec.json.decode
"""Parses JSON as `json.loads` does, many times as fast; refuses some that the latter takes (NaN, lone surrogates)."""
