"""The pool: the rows that may be chosen, in an Arrow table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.common.progress import Reporter, Silent
from suffice.data.batches import BATCH, SCHEMA, examples_of, record_batches, to_example
from suffice.data.compression import parts
from suffice.data.example import Example
from suffice.data.intake import FileReading, Intake
from suffice.data.paths import expand, shown_path, source_names
from suffice.data.ranges import Spread
from suffice.data.rejected import Rejected
from suffice.data.tables import mapped_table, read_table, write_table
from suffice.data.terms import Terms

__all__ = ["ANY", "FileReading", "Pool", "PoolReading", "Terms", "read_batches", "read_pool"]


class Pool:
    """The rows that may be chosen, in the order of the files.

    Held as an Arrow table whose ``messages`` and ``tools`` are JSON text; a row becomes an `Example` only
    when it is asked for. A pool that was read from files lies in a temporary file.

    Args:
        table: The rows; made by `from_examples` or `read`.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @classmethod
    def from_examples(cls, examples: Iterable[Example]) -> Pool:
        """Builds a pool from rows, which are taken one batch at a time."""
        return cls(pa.Table.from_batches(record_batches(examples), schema=SCHEMA))

    @classmethod
    def read(cls, path: Path) -> Pool:
        """Reads a pool that `write` wrote.

        Raises:
            UserError: The file is missing or is no such pool.
        """
        return cls(read_table(path, SCHEMA, "pool"))

    def write(self, path: Path) -> None:
        """Writes the pool as Parquet, atomically."""
        write_table(path, self._table, row_group=BATCH)

    def take(self, indices: Sequence[int]) -> Pool:
        """Returns the rows of some places as a pool, in that order."""
        return Pool(self._table.take(pa.array(indices, pa.int64())))

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, index: int) -> Example:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of a pool of {len(self)}")
        return to_example({name: self._table[name][index].as_py() for name in SCHEMA.names})

    def __iter__(self) -> Iterator[Example]:
        for batch in self._table.to_batches(max_chunksize=BATCH):
            yield from examples_of(batch)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all rows, in order."""
        return list(self._table["id"].to_pylist())

    @cached_property
    def sources(self) -> list[str]:
        """The sources of all rows, in order."""
        return list(self._table["source"].to_pylist())

    @cached_property
    def files(self) -> list[str]:
        """The files that rows came from, each once, in order."""
        return list(self._table["file"].unique().to_pylist())

    def on_line(self, line: int) -> list[int]:
        """Returns the places of rows that came from a line of any file."""
        lines = self._table["line"].to_numpy()
        return [int(index) for index in (lines == line).nonzero()[0]]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the rows' ids and sources."""
        return digest([self.ids, self.sources])


@dataclass(frozen=True)
class PoolReading:
    """What came of reading files into a pool; rows read = rows in the pool + rows rejected."""

    pool: Pool
    rejected: list[Rejected]
    files: list[FileReading]


SILENT = Silent()
ANY = Terms()


def read_pool(
    patterns: Sequence[str | Path],
    *,
    terms: Terms = ANY,
    reporter: Reporter = SILENT,
    spread: Spread | None = None,
) -> PoolReading:
    """Reads files of training rows in any known format.

    A row that cannot be used is rejected with the rule it breaks and never stops the file. Exact twins stay
    apart by their place: the k-th row with the same content gets ``-k`` at the end of its id.

    Args:
        patterns: Files, folders, globs such as ``data/*.jsonl``, or ``hf://`` ids.
        terms: What is asked of rows.
        reporter: Where progress is told.
        spread: What spreads large files over worker processes.

    Raises:
        UserError: A file is missing, a glob matches none, or no row can be used.
    """
    rejected: list[Rejected] = []
    intake = Intake(terms, rejected.append, spread=spread)
    paths = expand(patterns)
    with reporter.track("read", total_size(paths), "MB") as task:
        batches = read_batches(intake, paths, lambda count: task.advance(count / 1e6))
        pool = Pool(mapped_table(SCHEMA, batches))
        task.result(f"{len(pool):,} rows, {len(rejected):,} rejected")
    if not len(pool):
        raise _unusable(paths, rejected)
    return PoolReading(pool, rejected, intake.files)


def total_size(paths: Iterable[Path]) -> float:
    """Returns the size of files on the disk, in MB."""
    return sum(path.stat().st_size for path in paths) / 1e6


def read_batches(
    intake: Intake, paths: Sequence[Path], on_bytes: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """Yields the usable rows of files, one file after the other, those within an archive by name.

    Args:
        intake: What turns rows into rows of a pool.
        paths: The files.
        on_bytes: Called with the number of bytes each time some were read from the disk.
    """
    sources = source_names(paths)
    for path in paths:
        for part in parts(path):
            source = f"{sources[path]}/{Path(part.member).stem}" if part.member else sources[path]
            yield from intake.read(part, source, on_bytes)


def _unusable(paths: Sequence[Path], rejected: Sequence[Rejected]) -> UserError:
    """Builds the error for a pool without a row, which names the commonest rule."""
    where = ", ".join(map(shown_path, paths[:3])) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    if not rejected:
        return UserError(f"the pool is empty: no row in {where}", "give a file with rows")
    ((rule, count),) = Counter(row.rule for row in rejected).most_common(1)
    first = next(row for row in rejected if row.rule == rule)
    return UserError(
        f"no usable row among {len(rejected):,} in {where}; "
        f"most often {rule} ({count:,} {'row' if count == 1 else 'rows'}, first {first.file}, line {first.line}: {first.message})",
        first.remedy,
    )
