"""How far the runs of each arm lie apart, and what a new random draw might do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from suffice.common.errors import UserError
from suffice.proof.outcomes import RunMean
from suffice.proof.prediction import predict_draw
from suffice.proof.spread import spread


def spreads(means: dict[str, list[RunMean]]) -> list[dict[str, Any]]:
    """Returns the spread of every arm with two runs or more, its standard deviations in percent points.

    Args:
        means: The mean score of each run of each arm, in percent.
    """
    return [
        {
            "name": arm,
            **asdict(spread([run.score for run in runs], *zip(*[run[:2] for run in runs], strict=True))),
        }
        for arm, runs in means.items()
        if len(runs) > 1
    ]


def new_draw(random: list[RunMean], selected: list[RunMean]) -> dict[str, float] | None:
    """Returns the probability that one new random draw would beat the selection, and where a draw would lie.

    None where there are too few draws or runs to tell, or where all draws score the same.

    Args:
        random: The mean score of each run of the random arm, in percent.
        selected: The same of the selected arm.
    """
    by_draw: dict[int, list[float]] = {}
    for run in random:
        by_draw.setdefault(run.draw, []).append(run.score)
    draws = [float(np.mean(scores)) for scores in by_draw.values()]
    try:
        found = predict_draw(draws, [run.score for run in selected])
    except UserError:
        return None
    return {"probability": found.probability, "low": found.low, "high": found.high}
