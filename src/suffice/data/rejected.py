"""A row that was read but cannot be used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from suffice.data.rules import RowError

ROW_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used, with the rule it broke.

    Attributes:
        file: The file it stands in.
        line: The line in it, from 1 (the row's number in JSON arrays and Parquet).
        rule: Code and name of the rule, such as ``E101 empty-answer`` (`suffice.data.rules`).
        message: What is wrong with this row.
        remedy: How to put it right.
        row: The row as it was read; where its JSON is longer than 2,000 characters, the first 2,000 of it.
    """

    file: str
    line: int
    rule: str
    message: str
    remedy: str
    row: Any

    @classmethod
    def from_error(cls, file: str, line: int, error: RowError, row: Any) -> Rejected:
        """Builds the entry of a row that broke a rule."""
        return cls(file, line, str(error.rule), error.message, error.remedy, _shown(row))

    def as_json(self) -> dict[str, Any]:
        """Returns the entry as a line of ``rejected.jsonl``."""
        return {
            "file": self.file,
            "line": self.line,
            "rule": self.rule,
            "message": self.message,
            "remedy": self.remedy,
            "row": self.row,
        }


def _shown(row: Any) -> Any:
    """Returns a row as plain JSON of bounded size: what JSON has no form for (NaN, dates) as text."""
    if isinstance(row, str):
        return row[:ROW_CHARACTERS]
    try:
        text = json.dumps(row, ensure_ascii=False, default=str)
        return text[:ROW_CHARACTERS] if len(text) > ROW_CHARACTERS else json.loads(text, parse_constant=str)
    except (RecursionError, TypeError, ValueError):
        return "(cannot be shown as JSON)"
