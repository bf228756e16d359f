"""Files of lines, cut into ranges; those of large files are read by processes side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from suffice.data.compression import Part, section_of
from suffice.data.containers import row as limits
from suffice.data.containers.json_file import holds_lines
from suffice.data.containers.jsonl import skip_line
from suffice.data.convert import Converter, Origin, Taken
from suffice.data.paths import packing
from suffice.data.plain import has_plain_rows, take_lines
from suffice.data.reading import read_part
from suffice.data.terms import Terms

LEAST = 128 * 2**20  # bytes of a file from which the start of processes pays
_STEP = 4 * 2**20
_PIECE = 2**20


class Range(NamedTuple):
    """Lines of a file that follow one another.

    Attributes:
        path: The file.
        start: The byte at which the first begins.
        end: The byte after the last.
        origin: Where the rows come from.
        terms: What is asked of them.
    """

    path: Path
    start: int
    end: int
    origin: Origin
    terms: Terms


class RangeRead(NamedTuple):
    """What came of a range.

    Attributes:
        taken: Its rows, their lines counted from the range's first.
        lines: How many lines it has.
        size: Its bytes.
    """

    taken: list[Taken]
    lines: int
    size: int


Spread = Callable[[Callable[[Range], RangeRead], Iterable[Range]], Iterator[RangeRead]]
"""Calls a function on each of some ranges and yields the results in their order, as `map` does."""


def divisible(part: Part) -> bool:
    """Tells whether a file is not packed and holds a row a line."""
    if part.member or packing(part.path) or part.container not in (".jsonl", ".ndjson", ".json"):
        return False
    try:
        with part.path.open("rb", buffering=_PIECE) as file:
            return holds_lines(file)
    except OSError:
        return False  # reading it says what is wrong


def is_large(part: Part) -> bool:
    """Tells whether a file is so large that several processes read it sooner than one."""
    return part.path.stat().st_size >= LEAST


def split(part: Part, origin: Origin, terms: Terms) -> Iterator[Range]:
    """Yields the ranges of a file, some megabytes each."""
    size, start = part.path.stat().st_size, 0
    with part.path.open("rb") as file:
        while start < size:
            file.seek(min(start + _STEP, size) - 1)
            skip_line(file, b"")
            end = file.tell()
            yield Range(part.path, start, end, origin, terms)
            start = end


def read_range(some: Range) -> RangeRead:
    """Reads the rows of a range."""
    size = some.end - some.start
    if has_plain_rows(some.origin, some.terms) and size <= limits.LIMIT:
        with section_of(some.path, some.start, some.end) as file:
            lines = file.read(size).split(b"\n")
        return RangeRead([take_lines(lines, some.origin, some.terms)], len(lines) - 1, size)
    rows = read_part(Part(some.path), section=(some.start, some.end))
    taken = list(Converter(some.terms).take(rows, some.origin))
    return RangeRead(taken, _lines(some), size)


def _lines(some: Range) -> int:
    count, left = 0, some.end - some.start
    with some.path.open("rb") as file:
        file.seek(some.start)
        while left and (piece := file.read(min(left, _PIECE))):
            count += piece.count(b"\n")
            left -= len(piece)
    return count
