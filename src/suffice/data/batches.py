"""Rows of a pool as batches of an Arrow table, whose ``messages`` and ``tools`` are JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa

from suffice.data.example import Example

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.large_string()),
        ("tools", pa.large_string()),
        ("source", pa.string()),
        ("license", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("warnings", pa.list_(pa.string())),
    ]
)
BATCH = 4096
"""Rows that are held, written and compressed together."""


def record_batches(examples: Iterable[Example]) -> Iterator[pa.RecordBatch]:
    """Yields rows as batches of a pool's table."""
    rows = iter(examples)
    while some := list(islice(rows, BATCH)):
        yield to_batch(some)


def to_batch(examples: Sequence[Example]) -> pa.RecordBatch:
    """Returns rows as one batch."""
    columns = [
        [example.id for example in examples],
        [_json(example.messages) for example in examples],
        [_json(example.tools) if example.tools else None for example in examples],
        [example.source for example in examples],
        [example.license for example in examples],
        [example.file for example in examples],
        [example.line for example in examples],
        [example.warnings for example in examples],
    ]
    arrays = [pa.array(cells, kind.type) for cells, kind in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def examples_of(batch: pa.RecordBatch) -> Iterator[Example]:
    """Yields the rows of a batch."""
    return map(to_example, batch.to_pylist())


def with_column(batch: pa.RecordBatch, name: str, cells: Any) -> pa.RecordBatch:
    """Returns a batch with other cells in one of its columns."""
    place = SCHEMA.get_field_index(name)
    return batch.set_column(place, SCHEMA.field(place), pa.array(cells, SCHEMA.field(place).type))


def _json(value: Any) -> bytes | str:
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError):  # integers beyond 64 bits
        return json.dumps(value, ensure_ascii=False, allow_nan=False)


def to_example(row: dict[str, Any]) -> Example:
    """Returns a row of the table, as a dictionary, as an example; what was JSON text is taken apart."""
    messages, tools = msgspec.json.decode(row.pop("messages")), row.pop("tools")
    row["warnings"] = tuple(row["warnings"] or ())
    return Example(
        messages=tuple(messages), tools=tuple(msgspec.json.decode(tools)) if tools else None, **row
    )
