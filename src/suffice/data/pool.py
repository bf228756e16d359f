"""The pool: the rows that may be chosen, in an Arrow table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.common.progress import Reporter, Silent
from suffice.data.conversation import Conversation, check_answers, check_turns, check_values
from suffice.data.example import Example, content_id
from suffice.data.formats import Format, load_formats
from suffice.data.reading import RawRow, expand, read_rows, shown_path, source_names
from suffice.data.rejected import Rejected
from suffice.data.rules import EXACT_TWIN, NOT_AN_OBJECT, UNKNOWN_FORMAT, RowError
from suffice.data.tables import read_table, write_table

_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.large_string()),
        ("tools", pa.large_string()),
        ("source", pa.string()),
        ("license", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
    ]
)
_BATCH = 4096
_HEAD = 100  # rows that tell a file's format


class Pool:
    """The rows that may be chosen, in the order of the files.

    Held as an Arrow table whose ``messages`` and ``tools`` are JSON text; a row becomes an `Example` only
    when it is asked for.

    Args:
        table: The rows; made by `from_examples` or `read`.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @classmethod
    def from_examples(cls, examples: Iterable[Example]) -> Pool:
        """Builds a pool from rows, which are taken one batch at a time."""
        batches = []
        rows = iter(examples)
        while batch := list(islice(rows, _BATCH)):
            columns = {name: [_cell(example, name) for example in batch] for name in _SCHEMA.names}
            batches.append(pa.RecordBatch.from_pydict(columns, schema=_SCHEMA))
        return cls(pa.Table.from_batches(batches, schema=_SCHEMA))

    @classmethod
    def read(cls, path: Path) -> Pool:
        """Reads a pool that `write` wrote.

        Raises:
            UserError: The file is missing or is no such pool.
        """
        return cls(read_table(path, _SCHEMA, "pool"))

    def write(self, path: Path) -> None:
        """Writes the pool as Parquet, atomically."""
        write_table(path, self._table, row_group=_BATCH)

    def take(self, indices: Sequence[int]) -> Pool:
        """Returns the rows of some places as a pool, in that order."""
        return Pool(self._table.take(pa.array(indices, pa.int64())))

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, index: int) -> Example:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of a pool of {len(self)}")
        return _example({name: self._table[name][index].as_py() for name in _SCHEMA.names})

    def __iter__(self) -> Iterator[Example]:
        for batch in self._table.to_batches(max_chunksize=_BATCH):
            yield from map(_example, batch.to_pylist())

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all rows, in order."""
        return list(self._table["id"].to_pylist())

    @cached_property
    def sources(self) -> list[str]:
        """The sources of all rows, in order."""
        return list(self._table["source"].to_pylist())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the rows' ids and sources."""
        return digest([self.ids, self.sources])


def _cell(example: Example, name: str) -> Any:
    value = getattr(example, name)
    if name in ("messages", "tools") and value is not None:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return value


def _example(row: dict[str, Any]) -> Example:
    messages, tools = json.loads(row.pop("messages")), row.pop("tools")
    return Example(messages=tuple(messages), tools=tuple(json.loads(tools)) if tools else None, **row)


@dataclass(frozen=True, slots=True)
class FileReading:
    """What came of one file.

    Attributes:
        path: The file.
        format: The format of most of its first rows; `None` where no format knows any of them.
        rows: How many rows were read; ``accepted`` + ``rejected``.
        accepted: How many came into the pool.
        rejected: How many did not.
    """

    path: str
    format: str | None
    rows: int
    accepted: int
    rejected: int


@dataclass(frozen=True)
class PoolReading:
    """What came of reading files into a pool; rows read = rows in the pool + rows rejected."""

    pool: Pool
    rejected: list[Rejected]
    files: list[FileReading]


SILENT = Silent()


def read_pool(
    patterns: Sequence[str | Path], *, reject_twins: bool = False, reporter: Reporter = SILENT
) -> PoolReading:
    """Reads files of training rows in any known format.

    A row that cannot be used is rejected with the rule it breaks and never stops the file. Exact twins stay
    apart by their place: the k-th row with the same content gets ``-k`` at the end of its id.

    Args:
        patterns: Files, or globs such as ``data/*.jsonl``.
        reject_twins: Whether all but the first of rows with the same content are rejected.
        reporter: Where progress is told.

    Raises:
        UserError: A file is missing, a glob matches none, or no row can be used.
    """
    paths = expand(patterns)
    reader = _Reader(load_formats(), source_names(paths), reject_twins=reject_twins)
    with reporter.track("read", sum(path.stat().st_size for path in paths) / 1e6, "MB") as task:

        def examples() -> Iterator[Example]:
            for path in paths:
                yield from reader.read(path, lambda count: task.advance(count / 1e6))

        pool = Pool.from_examples(examples())
        task.result(f"{len(pool):,} rows, {len(reader.rejected):,} rejected")
    if not len(pool):
        raise _unusable(paths, reader.rejected)
    return PoolReading(pool, reader.rejected, reader.files)


def _unusable(paths: Sequence[Path], rejected: Sequence[Rejected]) -> UserError:
    """Builds the error for a pool without a row, which names the commonest rule."""
    where = ", ".join(map(shown_path, paths[:3])) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    if not rejected:
        return UserError(f"the pool is empty: no row in {where}", "give a file with rows")
    ((rule, count),) = Counter(row.rule for row in rejected).most_common(1)
    first = next(row for row in rejected if row.rule == rule)
    return UserError(
        f"no usable row among {len(rejected):,} in {where}; "
        f"most often {rule} ({count:,} rows, first {first.file}, line {first.line}: {first.message})",
        first.remedy,
    )


class _Reader:
    """Turns the rows of files into examples and keeps account of those it rejects."""

    def __init__(self, formats: dict[str, Format], sources: dict[Path, str], *, reject_twins: bool) -> None:
        self._formats, self._sources, self._reject_twins = formats, sources, reject_twins
        self._seen: Counter[str] = Counter()
        self.rejected: list[Rejected] = []
        self.files: list[FileReading] = []

    def read(self, path: Path, on_bytes: Callable[[int], None]) -> Iterator[Example]:
        """Yields the usable rows of a file and notes what came of it."""
        rows = read_rows(path, on_bytes)
        head = list(islice(rows, _HEAD))
        name = self._majority(head)
        file, accepted, rejected = shown_path(path), 0, 0
        for row in chain(head, rows):
            try:
                example = self._example(row, file, self._sources[path], name)
            except RowError as error:
                self.rejected.append(Rejected.from_error(file, row.line, error, row.value))
                rejected += 1
            else:
                accepted += 1
                yield example
        self.files.append(FileReading(file, name, accepted + rejected, accepted, rejected))

    def _majority(self, head: list[RawRow]) -> str | None:
        """Returns the format of most of a file's first rows; the earlier in the fixed order where two tie."""
        found = (self._detect(row.value, None) for row in head if isinstance(row.value, dict))
        counts = Counter(name for name in found if name is not None)
        return max(self._formats, key=counts.__getitem__) if counts else None

    def _detect(self, row: dict[str, Any], usual: str | None) -> str | None:
        """Returns the format of a row: its file's usual one if that fits, else the first in order that does."""
        names = [usual, *self._formats] if usual else self._formats
        return next((name for name in names if self._formats[name].detect(row)), None)

    def _example(self, raw: RawRow, file: str, source: str, usual: str | None) -> Example:
        """Returns a row as an example.

        Raises:
            RowError: The row breaks a rule.
        """
        if raw.error:
            raise raw.error
        row = raw.value
        if not isinstance(row, dict):
            raise RowError(NOT_AN_OBJECT, f"the row is {_kind(row)}, not an object")
        name = self._detect(row, usual)
        if name is None:
            fields = ", ".join(repr(str(field)[:40]) for field in list(row)[:8]) or "none"
            raise RowError(UNKNOWN_FORMAT, f"no known format has the fields {fields}")
        conversation = self._formats[name].convert(row)
        check_turns(conversation.messages)
        check_answers(conversation.messages)
        example = _build(conversation, row, source, file, raw.line)
        self._seen[example.id] += 1
        twin = self._seen[example.id]
        if twin == 1:
            return example
        if self._reject_twins:
            raise RowError(EXACT_TWIN, f"the row says what the row with the id {example.id} says")
        return replace(example, id=f"{example.id}-{twin}")


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _build(conversation: Conversation, row: dict[str, Any], source: str, file: str, line: int) -> Example:
    """Builds an example whose every part has a form in JSON and in UTF-8.

    Raises:
        RowError: Some part has none.
    """
    messages, tools = tuple(conversation.messages), tuple(conversation.tools or ()) or None
    own, license_tag = row.get("source"), row.get("license")
    if isinstance(own, str) and own.strip():
        source = own.strip()
    license_tag = license_tag if isinstance(license_tag, str) and license_tag.strip() else None
    check_values([messages, tools, source, license_tag])
    return Example(content_id(messages, tools), messages, tools, source, license_tag, file, line)
