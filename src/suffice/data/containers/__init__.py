"""How rows lie in a file, one way a module; a file's name says which.

Every container is read as a stream: memory holds one batch or one row, whatever the file's size.
"""

from __future__ import annotations

from suffice.data.containers.arrow import read_arrow
from suffice.data.containers.delimited import read_delimited
from suffice.data.containers.json_file import read_json
from suffice.data.containers.parquet import read_parquet
from suffice.data.containers.row import BrokenError, Container, RawRow, first_line

CONTAINERS: dict[str, Container] = {
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".json": read_json,
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".csv": read_delimited,
    ".tsv": read_delimited,
}
SEARCHED = (".parquet", ".arrow", ".feather")
"""Containers that are read from their end or out of order: packed once more, they are unpacked to the disk first."""

__all__ = ["CONTAINERS", "SEARCHED", "BrokenError", "Container", "RawRow", "first_line"]
