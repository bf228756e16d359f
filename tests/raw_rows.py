"""Raw rows of a file, as tests of containers look at them."""

from __future__ import annotations

from pathlib import Path

from suffice.data.reading import RawRow, read_rows


def rows_of(path: Path, data: bytes) -> list[RawRow]:
    """Writes a file and returns its rows."""
    path.write_bytes(data)
    return list(read_rows(path))


def told(row: RawRow) -> tuple[int, str, str]:
    """Returns what is told of a row that cannot be read: line, rule, message."""
    assert row.error
    return (row.line, str(row.error.rule), row.error.message)
