"""Annotations of AlpacaEval: which of two replies a judge prefers, one row an instruction.

``preference`` is 1 where the reference's reply is better, 2 where the model's is, and between them where the judge
gives a weight; the win rate is the mean of ``preference - 1``. As in `alpaca_eval/metrics/helpers.py`, 0 is an old
way to write a draw, and rows without a preference do not count. Two fields are read where they are there:
``is_switched_outputs`` (true where the model's reply, ``output_2``, was shown first) and ``instruction_difficulty`` (the
column of AlpacaEval's length-controlled model).
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.data.reading import read_rows, shown_path
from suffice.evaluation.logs.protocol import Log, LogRow
from suffice.evaluation.logs.rows import as_number, as_text, is_table, objects, only_columns, short

METRIC = "win_rate"
_FIELDS = {"instruction", "output_1", "output_2", "generator_1", "generator_2"}


class AlpacaEval:
    """``annotations.json``: instruction, two outputs, their generators, the preference and the annotator."""

    def detect(self, path: Path) -> bool:
        """Tells whether the file's first row has the fields of an annotation."""
        if not path.is_file() or not is_table(path):
            return False
        first = next(read_rows(path), None)
        return first is not None and isinstance(first.value, dict) and first.value.keys() >= _FIELDS

    def read(self, path: Path, columns: Mapping[str, str]) -> Log:
        """Returns the wins of the evaluated model (``generator_2``), from 0 to 1, for each judge.

        The task names the reference (``generator_1``), since wins over different references cannot be compared;
        the judge stands as the filter and the model as the arm. One pair of replies that was judged in both orders is
        one item with two samples; otherwise an instruction that is there more than once is an item each time, all
        in one cluster.

        Raises:
            UserError: A row lacks a field, a preference is not from 1 to 2, no row has one, or there are several models.
        """
        only_columns(columns, (), "an AlpacaEval log")
        rows: list[LogRow] = []
        unscored: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        pairs: dict[tuple[str, str], list[list[LogRow]]] = {}
        models: dict[str, str] = {}
        for place, value in objects(path):
            _check_fields(path, place, value)
            models.setdefault(as_text(value["generator_2"]), place)
            row, scored = _row(path, place, value)
            row = _numbered(row, pairs.setdefault((row.filter, row.item), []))
            if scored:
                rows.append(row)
            else:
                unscored[row.task, row.metric, row.filter].append(row.item)
        _check_models(path, models)
        if not rows:
            raise UserError(f"{shown_path(path)} has no annotation with a preference", "annotate the rows")
        return Log(
            shown_path(path),
            "alpaca_eval",
            rows,
            notes=_notes(path, unscored, pairs),
            unscored=dict(unscored),
        )


def _check_fields(path: Path, place: str, value: dict[str, Any]) -> None:
    missing = sorted(_FIELDS - value.keys())
    if missing:
        raise UserError(
            f"{shown_path(path)}, {place}: the annotation lacks {', '.join(missing)}",
            "write or fetch the file anew",
        )


def _check_models(path: Path, models: dict[str, str]) -> None:
    if len(models) > 1:
        told = ", ".join(f"{name!r} ({place})" for name, place in list(models.items())[:3])
        raise UserError(
            f"{shown_path(path)} holds annotations of {len(models)} models: {told}",
            "give one file for each model",
        )


def _row(path: Path, place: str, value: dict[str, Any]) -> tuple[LogRow, bool]:
    """Returns an annotation as a row, and whether it has a preference."""
    preference = _preference(path, place, value.get("preference"))
    item = hashlib.sha256(as_text(value["instruction"]).encode()).hexdigest()[:16]
    switched = value.get("is_switched_outputs")
    row = LogRow(
        task=f"against {as_text(value['generator_1'])}",
        metric=METRIC,
        item=item,
        score=0.0 if preference is None else preference - 1,
        filter=as_text(value.get("annotator")),
        arm=as_text(value["generator_2"]),
        cluster=item,
        prompt=as_text(value["instruction"]),
        reply=as_text(value["output_2"]),
        answer=as_text(value["output_1"]),
        order=("model" if switched else "reference") if isinstance(switched, bool) else "",
        difficulty=as_number(value.get("instruction_difficulty")),
    )
    return row, preference is not None


def _numbered(row: LogRow, pairs: list[list[LogRow]]) -> LogRow:
    """Returns a row with its number among the pairs of replies to one instruction before one judge.

    Args:
        row: The row.
        pairs: The rows so far of each pair of replies, to which this one is added.
    """
    for number, pair in enumerate(pairs, 1):
        first = pair[0]
        other_order = bool(row.order and first.order and row.order != first.order)
        if len(pair) == 1 and other_order and (row.reply, row.answer) == (first.reply, first.answer):
            pair.append(row)
            return row._replace(item=_name(row.item, number), sample=1)
    pairs.append([row])
    return row._replace(item=_name(row.item, len(pairs)))


def _name(item: str, number: int) -> str:
    return item if number == 1 else f"{item}-{number}"


def _preference(path: Path, place: str, value: Any) -> float | None:
    """Returns a preference from 1 to 2, or `None` where the judge gave none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    number = None if isinstance(value, bool) else as_number(value)
    if number == 0:
        return 1.5
    if number is None or not 1 <= number <= 2:
        raise UserError(
            f"{shown_path(path)}, {place}: the preference {short(value)} is no number from 1 to 2",
            "annotate the row again, or set the preference to null",
        )
    return number


def _notes(
    path: Path,
    unscored: Mapping[tuple[str, str, str], list[str]],
    pairs: Mapping[tuple[str, str], list[list[LogRow]]],
) -> list[str]:
    notes = []
    left = sum(map(len, unscored.values()))
    total = sum(len(pair) for found in pairs.values() for pair in found)
    if left:
        notes.append(
            f"{shown_path(path)}: {left:,} of {total:,} annotations have no preference and do not count, "
            "as in alpaca_eval."
        )
    again = sum(len(found) > 1 for found in pairs.values())
    if again:
        notes.append(
            f"{shown_path(path)}: {again:,} instructions are there more than once; each counts as an item, "
            "in one cluster."
        )
    return notes
