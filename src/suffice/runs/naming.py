"""A row as a person names it: by its id, the beginning of one, or the file and the line that it came from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.data.reading import read_rows

T = TypeVar("T")
_PLACE = re.compile(r"(.+):(\d+)")
_SHOWN = 3


def find_row(name: str, pool: Pool, rejected: Path) -> int | dict[str, Any]:
    """Returns the place of a row in the pool, or the entry of one that was rejected.

    Args:
        name: An id, the beginning of one id alone, or ``FILE:LINE``; of the file its end is enough.
        pool: The pool.
        rejected: The file of rejected rows.

    Raises:
        UserError: No row is named so, or several are.
    """
    place = _PLACE.fullmatch(name)
    if place and not any(row_id.startswith(name) for row_id in pool.ids):
        return _at(place[1], int(place[2]), pool, rejected)
    if name in pool.ids:
        return pool.ids.index(name)
    found = [index for index, row_id in enumerate(pool.ids) if row_id.startswith(name)] if name else []
    if not found:
        raise UserError(
            f"no row of the pool has an id that begins with '{name}'",
            "give an id of selection.jsonl or pool.parquet, or FILE:LINE",
        )
    return _only(
        [pool.ids[index] for index in found],
        found,
        f"have an id that begins with '{name}'",
        "give more of it",
    )


def rejected_at(rejected: Path, file: str, line: int) -> list[dict[str, Any]]:
    """Returns the entries of rejected rows that came from a line of a file, of whose path the end is enough."""
    rows = read_rows(rejected) if rejected.is_file() else ()
    return [row.value for row in rows if _rejected_at(row.value, file, line)]


def _at(file: str, line: int, pool: Pool, rejected: Path) -> int | dict[str, Any]:
    """Returns the row that came from a line of a file."""
    rows = [index for index in pool.on_line(line) if _is(file, pool[index].file)]
    read = {
        pool[index].file for index in rows
    }  # a row that was dropped when rows were chosen is in the pool too
    gone = [entry for entry in rejected_at(rejected, file, line) if entry["file"] not in read]
    if not rows and not gone:
        files = sorted({*pool.files})
        more = ", …" if len(files) > _SHOWN else ""
        raise UserError(
            f"no row was read from {file}, line {line}", f"its files are {', '.join(files[:_SHOWN])}{more}"
        )
    places = [f"{pool[index].file}:{line} ({pool.ids[index]})" for index in rows]
    places += [f"{entry['file']}:{line} (rejected)" for entry in gone]
    found: list[int | dict[str, Any]] = [*rows, *gone]
    return _only(places, found, f"come from {file}, line {line}", "give more of the file's path, or the id")


def _rejected_at(entry: Any, file: str, line: int) -> bool:
    return isinstance(entry, dict) and entry.get("line") == line and _is(file, str(entry.get("file")))


def _is(given: str, file: str) -> bool:
    return file == given or file.endswith(f"/{given.removeprefix('./')}") or given.endswith(f"/{file}")


def _only(names: list[str], found: list[T], how: str, remedy: str) -> T:
    if len(found) > 1:
        more = ", …" if len(names) > _SHOWN else ""
        raise UserError(f"{len(found):,} rows {how}: {', '.join(names[:_SHOWN])}{more}", remedy)
    return found[0]
