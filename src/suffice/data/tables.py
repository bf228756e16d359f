"""Suffice's own Parquet files: written whole or not at all, and refused where they are something else."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from suffice.common.errors import UserError
from suffice.common.files import atomic_path


def write_table(path: Path, table: pa.Table, *, row_group: int | None = None) -> None:
    """Writes a table atomically.

    Args:
        path: The file.
        table: The rows.
        row_group: Rows that are compressed together.
    """
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, row_group_size=row_group, compression="zstd")


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes batches of rows atomically, one after the other; each is a row group.

    Args:
        path: The file.
        schema: The columns.
        batches: The rows.
    """
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def mapped_table(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Returns batches as a table that lies in a nameless temporary file, which goes with it.

    Memory holds what was looked at last, as far as there is room, and one batch while the table is made.

    Args:
        schema: The columns.
        batches: The rows.
    """
    with tempfile.TemporaryFile() as file:
        with pa.ipc.new_file(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(data))).read_all()


def read_table(path: Path, schema: pa.Schema, kind: str) -> pa.Table:
    """Reads a table that `write_table` wrote.

    Args:
        path: The file.
        schema: The columns that it must have.
        kind: What the file holds, in one word.

    Raises:
        UserError: The file is missing, damaged or another table.
    """
    remedy = f"remove it and read the {kind} again"
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise UserError(f"no {kind} file {path}", f"read the {kind} first") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{path} is no Parquet file or damaged", remedy) from error
    if not table.schema.equals(schema):
        raise UserError(f"{path} has other columns than a {kind}", remedy)
    return table
