"""Arrow IPC, as a file (Feather) or a stream (what `datasets` keeps on disk), one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from suffice.data.containers.parquet import batch_rows
from suffice.data.containers.row import BrokenError, RawRow, first_line

_MAGIC = b"ARROW1"


def read_arrow(stream: BinaryIO) -> Iterator[RawRow]:
    """Yields the rows of an Arrow file that can be searched; fields that are null are left out.

    Raises:
        BrokenError: A batch's offsets lead outside it.
    """
    magic = stream.read(len(_MAGIC))
    stream.seek(0)
    number = 0
    for batch in _file_batches(stream) if magic == _MAGIC else pa.ipc.open_stream(stream):
        try:
            batch.validate(full=True)  # reading a bad offset would end the process
        except pa.ArrowException as error:
            raise BrokenError(stream.tell(), first_line(error)) from error
        yield from batch_rows(batch, number)
        number += batch.num_rows


def _file_batches(stream: BinaryIO) -> Iterator[pa.RecordBatch]:
    file = pa.ipc.open_file(stream)
    for place in range(file.num_record_batches):
        yield file.get_batch(place)
