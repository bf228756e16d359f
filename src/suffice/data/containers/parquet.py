"""Parquet, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from suffice.data.containers.row import RawRow, first_line
from suffice.data.rules import BAD_CONTENT, RowError

_BATCH = 1024  # rows
_BYTES = 2**24  # of a batch that becomes Python objects at once


def read_parquet(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of a Parquet file that can be searched; fields that are null are left out."""
    file = pq.ParquetFile(stream, buffer_size=2**20, pre_buffer=False)
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        yield from batch_rows(batch, number)
        number += batch.num_rows


def batch_rows(batch: pa.RecordBatch, before: int) -> Iterator[RawRow]:
    """Yields the rows of an Arrow batch.

    Args:
        batch: The batch.
        before: Rows of the file that come before it.
    """
    step = max(1, min(_BATCH, batch.num_rows * _BYTES // max(batch.nbytes, 1)))
    for start in range(0, batch.num_rows, step):
        part = batch.slice(start, step)
        try:
            values = part.to_pylist()
        except (ValueError, OverflowError, pa.ArrowException):  # some row is bad: one by one
            yield from (_row(before + start + i, part.slice(i, 1)) for i in range(part.num_rows))
            continue
        for place, value in enumerate(values, start=before + start + 1):
            yield RawRow(place, without_null(value))


def _row(before: int, row: pa.RecordBatch) -> RawRow:
    try:
        return RawRow(before + 1, without_null(row.to_pylist()[0]))
    except (ValueError, OverflowError, pa.ArrowException) as error:
        message = f"the row holds a value that cannot be read ({first_line(error)})"
        return RawRow(before + 1, None, RowError(BAD_CONTENT, message))


def without_null(value: Any) -> Any:
    """Drops empty fields: Arrow gives every struct of a column the fields of all of them."""
    if isinstance(value, dict):
        return {name: without_null(item) for name, item in value.items() if item is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value
