"""Test items under the selected arm and its yardstick, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow.compute as pc

from suffice.proof.outcomes import read_outcomes
from suffice.report import ItemPair
from suffice.runs.context import Run


def item_pairs(run: Run, own: str, other: str) -> list[ItemPair]:
    """Returns every test item with the mean scores of two arms and the reply of the first run of each.

    Args:
        run: An evaluated run.
        own: The name of the selected arm.
        other: The name of the arm it is held against.
    """
    table = read_outcomes(run.folder.outcomes)
    ours, theirs = (_by_item(table.filter(pc.equal(table["arm"], name)).to_pylist()) for name in (own, other))
    return [
        ItemPair(
            id=item.id,
            task=item.task,
            messages=item.messages,
            answer=item.answer,
            own_score=_mean(ours[item.id]),
            other_score=_mean(theirs[item.id]),
            own_reply=ours[item.id][0]["reply"] or "",
            other_reply=theirs[item.id][0]["reply"] or "",
        )
        for item in run.target.test
    ]


def _by_item(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["item"], []).append(row)
    return found


def _mean(rows: list[dict[str, Any]]) -> float:
    return float(sum(row["score"] for row in rows) / len(rows))
