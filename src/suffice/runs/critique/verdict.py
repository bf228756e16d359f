"""What critiques of one problem did: their gain over the best template, and over each control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from suffice.proof.intervals import Interval
from suffice.runs.critique.recipe import CritiqueDesign
from suffice.runs.rewarded.measured import Measured, points

CONTROLS = {
    "solutions": "fine-tuning on the problem's right solutions",
    "shuffled": "critiques paired with other solutions",
    "critique-other": "critiques of another problem",
}


def verdict(measured: Sequence[Measured], design: CritiqueDesign) -> dict[str, Any]:
    """Returns the verdict of one task as a JSON value; all intervals are of one level and not adjusted for their number."""
    tables = [_table(part, design.alpha) for part in measured]
    main = tables[0]
    return {"level": 1 - design.alpha, "metrics": tables, "sentences": [_gain(main), *_beyond(main)]}


def _table(part: Measured, alpha: float) -> dict[str, Any]:
    return {
        "metric": part.metric,
        "items": len(part.clusters),
        "dropped": part.dropped,
        "arms": [
            {"arm": arm, "runs": scores.runs, **asdict(part.mean(arm, alpha))}
            for arm, scores in part.arms.items()
        ],
        "template": asdict(part.minus("template", "base", alpha)),
        "gain": asdict(part.minus("critique", "template", alpha)),
        "controls": [
            {
                "arm": arm,
                "gain": asdict(part.minus(arm, "template", alpha)),
                "critique_beyond": asdict(part.minus("critique", arm, alpha)),
            }
            for arm in CONTROLS
            if arm in part.arms
        ],
    }


def _gain(table: dict[str, Any]) -> str:
    found = Interval(**table["gain"])
    head = (
        f"By greedy replies critiques of one problem bring {points(table['gain'])} points on unseen problems "
        "beyond the best template"
    )
    if found.above(0):
        return f"{head}: a gain is shown."
    return f"{head}: a loss is shown." if found.below(0) else f"{head}: no gain is shown."


def _beyond(table: dict[str, Any]) -> list[str]:
    sentences = []
    for row in table["controls"]:
        what, told = CONTROLS[row["arm"]], points(row["critique_beyond"])
        found = Interval(**row["critique_beyond"])
        if found.above(0):
            sentences.append(f"They are better than {what}: {told} points.")
        elif found.below(0):
            sentences.append(f"They are worse than {what}: {told} points.")
        else:
            sentences.append(f"They are not shown to be better than {what}: {told} points.")
    return sentences
