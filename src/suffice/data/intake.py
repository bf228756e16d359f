"""From files to batches of a pool, with an account of each file; twins are told apart here, across all files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import pyarrow as pa
import pyarrow.compute as pc

from suffice.data.batches import examples_of, with_column
from suffice.data.cautions import Caution
from suffice.data.compression import Part
from suffice.data.convert import HEAD, Converter, Origin, Taken
from suffice.data.example import Example
from suffice.data.ranges import Spread, divisible, is_large, read_range, split
from suffice.data.reading import read_part
from suffice.data.rejected import Rejected
from suffice.data.rules import EXACT_TWIN, RowError
from suffice.data.terms import Terms


@dataclass(frozen=True, slots=True)
class FileReading:
    """What came of one file.

    Attributes:
        path: The file.
        format: The format of most of its first rows; `None` where no format knows any of them.
        rows: How many rows were read; ``accepted`` + ``rejected``.
        accepted: How many came into the pool.
        rejected: How many did not.
        why: Why it was taken for that format.
        broken: Where it breaks off, in bytes; `None` where it is whole.
    """

    path: str
    format: str | None
    rows: int
    accepted: int
    rejected: int
    why: str = field(default="", compare=False)
    broken: int | None = field(default=None, compare=False)


class Intake:
    """Reads files and keeps account of the rows it rejects.

    Args:
        terms: What is asked of rows.
        on_rejected: Called with each row that is rejected.
        on_caution: Called with file, line and what may be wrong with a row that is not.
        spread: What spreads large files over worker processes; without it all is read in this process.
    """

    def __init__(
        self,
        terms: Terms,
        on_rejected: Callable[[Rejected], None],
        on_caution: Callable[[str, int, Caution], None] | None = None,
        spread: Spread | None = None,
    ) -> None:
        self._terms, self._on_rejected, self._on_caution, self._spread = (
            terms,
            on_rejected,
            on_caution,
            spread,
        )
        self._converter = Converter(terms)
        self._seen: dict[str, int] = {}
        self.files: list[FileReading] = []

    def read(self, part: Part, source: str, on_bytes: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
        """Yields the usable rows of a file and notes what came of it.

        Args:
            part: The file.
            source: What its rows are called where they do not say.
            on_bytes: Called with the number of bytes each time some were read.
        """
        cut = divisible(part)
        rows = read_part(part, None if cut else on_bytes)
        head = list(islice(rows, HEAD))
        usual, why = self._converter.majority(head)
        origin = Origin(part.shown, source, usual)
        if cut:
            some = self._from_ranges(part, origin, on_bytes)
        else:
            some = self._converter.take(chain(head, rows), origin)
        accepted, rejected, broken = 0, 0, None
        for taken in some:
            told = self._told_apart(taken)
            for row in told.rejected:
                self._on_rejected(row)
            if self._on_caution:
                for line, caution in told.cautions:
                    self._on_caution(origin.file, line, caution)
            accepted, rejected = accepted + len(told.batch), rejected + len(told.rejected)
            broken = told.broken
            if len(told.batch):
                yield told.batch
        self.files.append(
            FileReading(origin.file, usual, accepted + rejected, accepted, rejected, why, broken)
        )

    def _from_ranges(self, part: Part, origin: Origin, on_bytes: Callable[[int], None]) -> Iterator[Taken]:
        """Yields what came of a file that is read in ranges, its lines counted from the file's first."""
        spread: Spread = self._spread if self._spread and is_large(part) else map
        before = 0
        for found in spread(read_range, split(part, origin, self._terms)):
            for taken in found.taken:
                yield _moved(taken, before) if before else taken
            before += found.lines
            on_bytes(found.size)

    def _told_apart(self, taken: Taken) -> Taken:
        """Gives twins ids of their own, or moves them to the rejected rows."""
        ids = taken.batch["id"].to_pylist()
        if len(set(ids)) == len(ids) and self._seen.keys().isdisjoint(ids):
            self._seen.update(dict.fromkeys(ids, 1))
            return taken
        twins: dict[int, int] = {}
        for place, row_id in enumerate(ids):
            count = self._seen[row_id] = self._seen.get(row_id, 0) + 1
            if count > 1:
                twins[place] = count
        if self._terms.reject_twins:
            return _without(taken, list(twins))
        for place, count in twins.items():
            ids[place] = f"{ids[place]}-{count}"
        return taken._replace(batch=with_column(taken.batch, "id", ids))


def _without(taken: Taken, twins: list[int]) -> Taken:
    """Moves twins, by their places in the batch, to the rejected rows."""
    refused = [_twin(example) for example in examples_of(taken.batch.take(pa.array(twins)))]
    lines = {row.line for row in refused}
    places = set(twins)
    return taken._replace(
        batch=taken.batch.filter(pa.array(place not in places for place in range(len(taken.batch)))),
        rejected=sorted([*taken.rejected, *refused], key=lambda row: row.line),
        cautions=[(line, caution) for line, caution in taken.cautions if line not in lines],
    )


def _twin(example: Example) -> Rejected:
    error = RowError(EXACT_TWIN, f"the row says what the row with the id {example.id} says")
    row = {"messages": example.messages} | ({"tools": example.tools} if example.tools else {})
    return Rejected.from_error(example.file, example.line, error, row)


def _moved(taken: Taken, lines: int) -> Taken:
    """Returns what came of rows that begin some lines further down."""
    return taken._replace(
        batch=with_column(taken.batch, "line", pc.add(taken.batch["line"], lines)),
        rejected=[replace(row, line=row.line + lines) for row in taken.rejected],
        cautions=[(line + lines, caution) for line, caution in taken.cautions],
    )
