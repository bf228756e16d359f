"""Draws of rows and the trainings on them: what counts as a run, how far runs lie apart, what a new draw might do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.proof.outcomes import RunMean
from suffice.proof.prediction import predict_draw
from suffice.proof.spread import spread


def by_draw(scores: NDArray[np.float64], draws: Sequence[str]) -> NDArray[np.float64]:
    """Returns the mean over the trainings on each draw, since trainings on one draw are not independent draws.

    Args:
        scores: ``[trainings, items]``.
        draws: The draw of each training.

    Returns:
        ``[draws, items]``, draws in the order of their first training.
    """
    places = {draw: place for place, draw in enumerate(dict.fromkeys(draws))}
    codes = np.array([places[draw] for draw in draws])
    return np.stack([scores[codes == place].mean(axis=0) for place in range(len(places))])


def spreads(means: Mapping[str, list[RunMean]]) -> list[dict[str, Any]]:
    """Returns the spread of every arm with two runs or more, its standard deviations in the unit of the scores.

    Args:
        means: The mean score of each run of each arm.
    """
    return [
        {
            "name": arm,
            **asdict(spread([run.score for run in runs], *zip(*[run[:2] for run in runs], strict=True))),
        }
        for arm, runs in means.items()
        if len(runs) > 1
    ]


def new_draw(random: Sequence[RunMean], selected: Sequence[RunMean]) -> dict[str, float] | None:
    """Returns the probability that one new random draw would beat the selection, and where a draw would lie.

    None where there are too few draws or runs to tell, or where all draws score the same.

    Args:
        random: The mean score of each run of the random arm.
        selected: The same of the selected arm, in the same unit; more is better.
    """
    try:
        found = predict_draw(_draw_means(random), _draw_means(selected, alone=True))
    except UserError:
        return None
    return {"probability": found.probability, "low": found.low, "high": found.high}


def _draw_means(runs: Sequence[RunMean], *, alone: bool = False) -> list[float]:
    """Returns the mean score of each draw, or, of one draw ``alone``, the score of each of its runs."""
    by: dict[int, list[float]] = {}
    for run in runs:
        by.setdefault(run.draw, []).append(run.score)
    if alone and len(by) == 1:
        return [run.score for run in runs]
    return [float(np.mean(scores)) for scores in by.values()]
