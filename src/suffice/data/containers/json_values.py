"""JSON as a stream of values: the items of one array, or values one after the other, at any length.

A window slides over the text: a value that ends before the window does is whole; else more is read. So memory holds
one chunk and one value, whatever the file's size. The parser is the standard library's.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, BinaryIO

from suffice.data.containers import row as limits
from suffice.data.containers.row import SHOWN, BrokenError, RawRow, first_line

_CHUNK = 2**20  # bytes
_NEAR = 16  # characters; longer than -Infinity, and than what the window may cut off an escape or a number
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Window:
    """The part of a text that is read and not yet parsed.

    Args:
        stream: The file, unpacked, as UTF-8 with or without a mark at its start.
    """

    def __init__(self, stream: BinaryIO) -> None:
        assert isinstance(stream, BufferedReader)
        self._stream = stream
        self._failure: Exception | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text, self._place, self._ended = "", 0, False
        self._before = 0  # bytes of the file before the window
        self._grow(_CHUNK)
        if self._text.startswith("\ufeff"):
            self._place = 1

    def offset(self, place: int | None = None) -> int:
        """Returns the byte of the file at which parsing stands, or that of a place in the window."""
        upto = self._text[: self._place if place is None else place]
        return self._before + len(upto.encode("utf-8", "surrogateescape"))

    def shown(self) -> str:
        """Returns the text at which parsing stands, cut short."""
        return self._text[self._place : self._place + SHOWN]

    def mark(self) -> str:
        """Skips blanks and returns the character that comes next; empty at the end."""
        while True:
            self._place = _BLANK.match(self._text, self._place).end()  # type: ignore[union-attr]  # always matches
            if self._place < len(self._text) or self._ended:
                return self._text[self._place : self._place + 1]
            self._grow(_CHUNK)

    def skip(self) -> None:
        """Passes over one character."""
        self._place += 1

    def value(self) -> Any:
        """Returns the value that comes next.

        Raises:
            BrokenError: There is no whole one, or it is larger than `LIMIT`.
        """
        size = _CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._ended or not self._cut(error):
                    at = self.offset(error.pos)
                    message = f"{error.msg} byte {at:,}" if error.msg.endswith(" at") else error.msg
                    raise BrokenError(at, message, self.shown()) from error
            except (ValueError, RecursionError) as error:
                raise BrokenError(self.offset(), first_line(error), self.shown()) from error
            else:
                if self._ended or len(self._text) - end >= _NEAR:  # else it may be half a number
                    self._place = end
                    return value
            if len(self._text) - self._place > limits.LIMIT:
                raise BrokenError(self.offset(), f"a row is longer than {limits.LIMIT:,} bytes", self.shown())
            self._grow(size)
            size *= 2

    def _cut(self, error: json.JSONDecodeError) -> bool:
        """Tells whether an error may be only that the window ends within the value."""
        return error.pos >= len(self._text) - _NEAR or error.msg.startswith("Unterminated string")

    def _grow(self, size: int) -> None:
        """Drops what is parsed and reads on."""
        data = self._read(size)
        if not data and self._failure:
            raise BrokenError(self.offset(len(self._text)), first_line(self._failure), self.shown())
        self._before = self.offset()
        self._ended = not data
        self._text = self._text[self._place :] + self._decoder.decode(data, final=self._ended)
        self._place = 0

    def _read(self, size: int) -> bytes:
        """Returns the next bytes, up to where the stream breaks off."""
        data = bytearray()
        try:
            while len(data) < size and not self._failure and (piece := self._stream.read1(size - len(data))):
                data += piece
        except Exception as error:  # zlib, lzma and zipfile have errors of their own
            self._failure = error
        return bytes(data)


def read_array(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the items of an array; a comma behind the last is let pass.

    Raises:
        BrokenError: The array cannot be read on, has no end, or something stands behind it.
    """
    window, number = Window(stream), 0
    window.mark()
    window.skip()
    while window.mark() != "]":
        number += 1
        yield RawRow(number, window.value())
        match window.mark():
            case ",":
                window.skip()
            case "]":
                pass
            case "":
                raise BrokenError(window.offset(), "the array has no end")
            case _:
                raise BrokenError(window.offset(), "no comma between two items", window.shown())
    window.skip()
    if window.mark():
        raise BrokenError(window.offset(), "text stands behind the end of the array", window.shown())


def read_values(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields values that stand one after the other, each over as many lines as it likes.

    Raises:
        BrokenError: One cannot be read.
    """
    window, number = Window(stream), 0
    while window.mark():
        number += 1
        yield RawRow(number, window.value())
