"""Tables of scores that any tool can write: CSV, TSV, JSON Lines, JSON or Parquet, with named columns.

With a column of items, one row is one score of one item. Without one, a row is the average of a run (as published
tables often are), and the log is marked as such.
"""

from __future__ import annotations

import csv
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError, unknown_name
from suffice.data.reading import shown_path
from suffice.evaluation.logs.protocol import Log, LogRow
from suffice.evaluation.logs.rows import Rows, as_text, is_table, listed, objects, short

COLUMNS = (
    "item",
    "score",
    "run",
    "draw",
    "arm",
    "task",
    "metric",
    "filter",
    "sample",
    "cluster",
    "prompt",
    "reply",
    "answer",
)
_CSV = re.compile(r"\.(csv|tsv)(\.gz|\.xz)?$", re.IGNORECASE)
_BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, csv.Error)


class Table:
    """Rows of any names; ``columns`` says which is what, and a column that bears its own name needs no mention."""

    def detect(self, path: Path) -> bool:
        """Tells whether the file's name says that it holds rows."""
        return path.is_file() and (bool(_CSV.search(path.name)) or is_table(path))

    def read(self, path: Path, columns: Mapping[str, str]) -> Log:
        """Returns the scores of a table.

        Args:
            path: The file.
            columns: The column of each of `COLUMNS` that is called otherwise. ``score`` must be found; without
                ``item`` every row is the average of a run.

        Raises:
            UserError: The file is damaged or empty, a column is not there, a score is missing or no finite
                number, a sample is no number, a row has no item, run, draw or arm, or is there twice.
        """
        for name in columns:
            if name not in COLUMNS:
                raise unknown_name("column", name, COLUMNS)
        values = list(_values(path))
        if not values:
            raise UserError(f"{shown_path(path)} has no rows", "give a table with one score a row")
        names = _names(path, columns, list(dict.fromkeys(name for _, value in values for name in value)))
        rows = Rows(path, _remedy(names))
        for place, value in values:
            rows.add(_row(path, place, value, names, rows), place)
        return Log(shown_path(path), "table", rows.rows, aggregates="item" not in names)


def parse_columns(text: str) -> dict[str, str]:
    """Returns what ``--columns`` says, such as ``item=id,score=correct``.

    Raises:
        UserError: A part is no pair, a name is not one of `COLUMNS`, or it is given twice.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, found, column = (piece.strip() for piece in part.partition("="))
        if not found or not column:
            raise UserError(f"'{part}' in --columns names no column", "write it as item=NAME,score=NAME")
        if name not in COLUMNS:
            raise unknown_name("column", name, COLUMNS)
        if name in columns:
            raise UserError(f"--columns names two columns for '{name}'", "give one")
        columns[name] = column
    return columns


def _names(path: Path, columns: Mapping[str, str], header: list[str]) -> dict[str, str]:
    """Returns the column of each name that the table has."""
    for name, column in columns.items():
        if column not in header:
            raise UserError(
                f"{shown_path(path)} has no column '{column}' (asked for as {name})",
                f"choose from: {listed(header)}",
            )
    names = {name: columns.get(name, name) for name in COLUMNS if columns.get(name, name) in header}
    if "score" not in names:
        raise UserError(
            f"{shown_path(path)} has no column 'score'",
            f"name it with --columns score=NAME, from: {listed(header)}",
        )
    return names


def _remedy(names: Mapping[str, str]) -> str:
    """Says how rows that are there twice are put right."""
    if "item" in names:
        return "number repeated answers in a column and name it with --columns sample=NAME"
    return "name the column that tells items (--columns item=NAME), runs (run=NAME) or conditions (filter=NAME) apart"


def _row(path: Path, place: str, value: Mapping[str, Any], names: Mapping[str, str], rows: Rows) -> LogRow:
    texts: dict[str, Any] = {
        name: as_text(value.get(column)) for name, column in names.items() if name not in ("score", "sample")
    }
    for name in ("item", "run", "draw", "arm"):
        if not texts.get(name, "-").strip():
            raise UserError(
                f"{shown_path(path)}, {place}: the row has no {name}", f"fill in the column '{names[name]}'"
            )
    item = texts.get("item", "")
    texts.setdefault("task", "")
    texts.setdefault("metric", names["score"])
    texts.setdefault("cluster", item)
    texts.setdefault("item", item)
    score = rows.score(_number(value.get(names["score"])), item, place)
    return LogRow(**texts, score=score, sample=_sample(path, place, value, names))


def _number(value: Any) -> Any:
    """Returns text that is a number or a truth value as such, and anything else as it is."""
    if not isinstance(value, str) or "_" in value:
        return value
    text = value.strip().lower()
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _sample(path: Path, place: str, value: Mapping[str, Any], names: Mapping[str, str]) -> int:
    if "sample" not in names:
        return 0
    found = _number(value.get(names["sample"]))
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found // 1:
        raise UserError(
            f"{shown_path(path)}, {place}: the sample {short(value.get(names['sample']))} is no whole number",
            "number repeated answers 0, 1, 2 and so on",
        )
    return int(found)


def _values(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the rows of a table, each with its place in words."""
    match = _CSV.search(path.name)
    if not match:
        yield from objects(path)
        return
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, "": open}
    try:
        with openers[(match[2] or "").lower()](path, "rt", encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter="\t" if match[1].lower() == "tsv" else ",", strict=True)
            yield from _records(path, reader)
    except _BROKEN as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{shown_path(path)} cannot be read as a table: {reason}",
            "save it as comma-separated text in UTF-8",
        ) from error


def _records(path: Path, reader: Any) -> Iterator[tuple[str, dict[str, str]]]:
    header: list[str] = []
    for values in reader:
        if not values:  # a blank line
            continue
        place = f"line {reader.line_num}"
        if not header:
            header = [name.strip() for name in values]
            twice = sorted({name for name in header if header.count(name) > 1})
            if twice:
                raise UserError(f"{shown_path(path)} has two columns {short(twice[0])}", "rename one of them")
            continue
        if len(values) != len(header):
            raise UserError(
                f"{shown_path(path)}, {place}: the row has {len(values)} fields, and the header {len(header)}",
                "put text with commas into quotes",
            )
        yield place, dict(zip(header, values, strict=True))
