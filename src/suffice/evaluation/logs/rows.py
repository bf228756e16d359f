"""What all readers of logs share: scores that are checked, and rows that are there once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError, unknown_name
from suffice.data.reading import read_rows, shown_path
from suffice.evaluation.logs.protocol import LogRow

_SHOWN = 40  # characters of a bad value that an error shows
_ROWS = re.compile(r"\.(jsonl|ndjson|json|parquet)(\.gz|\.xz)?$", re.IGNORECASE)


def as_number(value: Any) -> float | None:
    """Returns a number or truth value as a finite number, or `None` where it is none."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_text(value: Any) -> str:
    """Returns text as it is, nothing as empty text, and any other value as JSON; always valid Unicode."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode("utf-8")


class Rows:
    """The rows of one log, collected with the checks that hold for every format.

    Args:
        path: The log's file, for the errors.
        repeats: How repeated items are put right in this format, as an imperative sentence.
    """

    def __init__(self, path: Path, repeats: str) -> None:
        self.rows: list[LogRow] = []
        self._path, self._repeats = shown_path(path), repeats
        self._seen: dict[tuple[str | int, ...], str] = {}

    def score(self, value: Any, item: str, place: str) -> float:
        """Returns a score as a number.

        Args:
            value: What the log holds.
            item: The item that it is the score of.
            place: Where in the file it stands, such as ``line 3``.

        Raises:
            UserError: There is no score, or it is no finite number.
        """
        number = as_number(value)
        if number is None:
            absent = value is None or value == ""
            told = "has no score" if absent else f"has the score {short(value)}, which is no finite number"
            raise UserError(
                f"{self._path}, {place}: {_named(item)} {told}",
                "score every item, or leave it out of every log that is compared",
            )
        return number

    def add(self, row: LogRow, place: str) -> None:
        """Adds a row.

        Raises:
            UserError: The item was there before in the same task, metric, filter, arm, draw, run and sample.
        """
        key = (row.task, row.metric, row.filter, row.item, row.arm, row.draw, row.run, row.sample)
        if key in self._seen:
            raise UserError(
                f"{self._path}, {place}: {_named(row.item)} was there before, in {self._seen[key]}"
                + (f" (run {short(row.run)})" if row.run else ""),
                self._repeats,
            )
        self._seen[key] = place
        self.rows.append(row)


def _named(item: str) -> str:
    return f"item {short(item)}" if item else "the run"


def short(value: Any) -> str:
    """Returns a value as Python writes it, at most 40 characters of it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Returns names from a file as one line."""
    return " ".join(", ".join(names).split()) or "none"


def is_table(path: Path) -> bool:
    """Tells whether a file's name says that `objects` reads it."""
    return bool(_ROWS.search(path.name))


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the rows of a JSON Lines, JSON or Parquet file, each with its place in words.

    Raises:
        UserError: A row cannot be read or is no object: a log that is not whole is not compared.
    """
    match = _ROWS.search(path.name)
    unit = "line" if match and match[1].lower() in ("jsonl", "ndjson") else "row"
    for row in read_rows(path):
        place = f"{unit} {row.line}"
        if row.error:
            raise UserError(
                f"{shown_path(path)}, {place}: {row.error.message}", "write or fetch the log anew"
            )
        if not isinstance(row.value, dict):
            raise UserError(
                f"{shown_path(path)}, {place}: {short(row.value)} is no object",
                "write one object for each score",
            )
        yield place, row.value


def only_columns(columns: Mapping[str, str], known: tuple[str, ...], what: str) -> None:
    """Refuses columns that a format does not take.

    Args:
        columns: The columns given.
        known: Those that the format takes.
        what: The format, such as ``an AlpacaEval log``.

    Raises:
        UserError: Another column was given.
    """
    for name in columns:
        if name in known:
            continue
        if known:
            raise unknown_name(f"column of {what}", name, known)
        raise UserError(f"{what} has its columns by itself, and '{name}' was given", "leave out --columns")
