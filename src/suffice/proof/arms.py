"""What the statistics are computed from: the scores of one arm, a row for each run and a column for each item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError, unknown_name

Kind = Literal[
    "base",
    "random",
    "longest",
    "length-matched",
    "compute-matched",
    "selected",
    "full",
    "model",
    "method",
]
"""What an arm is: one of a run's conditions, a single fixed model, or a method that was run several times."""

DRAWN: tuple[Kind, ...] = ("random", "length-matched", "compute-matched")
"""The kinds whose rows are drawn anew for every run."""

ROUNDING = 1e-12
"""Scores that differ by less than this share of their size differ by rounding only."""

PERCENT = (0.0, 100.0)
UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True)
class ArmScores:
    """The scores of one arm.

    Attributes:
        name: The arm's name, such as ``selected-1000``.
        kind: What was trained on. The base is not trained.
        scores: ``[runs, items]``, in any unit; a run's are in percent. A run is one training; for ``random`` the
            draw and the training seed vary together. The base is greedy and has one run.
        bounds: The least and the greatest score there can be; infinite where that is not known.
    """

    name: str
    kind: Kind
    scores: NDArray[np.float64]
    bounds: tuple[float, float] = PERCENT

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=np.float64)
        object.__setattr__(self, "scores", scores)
        if self.kind not in get_args(Kind):
            raise unknown_name("kind of arm", self.kind, get_args(Kind))
        if scores.ndim != 2 or 0 in scores.shape:
            raise UserError(
                f"arm '{self.name}' has scores of shape {list(scores.shape)}",
                "give one row for each run and one column for each item",
            )
        low, high = self.bounds
        wrong = np.argwhere(~(np.isfinite(scores) & (scores >= low) & (scores <= high)))
        if len(wrong):
            run, item = wrong[0]
            limits = "" if self.bounds == UNBOUNDED else f" from {low:g} to {high:g}"
            raise UserError(
                f"arm '{self.name}' has the score {scores[run, item]} in run {run + 1} at item {item + 1}",
                f"every score must be a number{limits}",
            )

    @property
    def runs(self) -> int:
        """The number of runs."""
        return int(self.scores.shape[0])

    @property
    def mean(self) -> float:
        """The mean score over runs and items."""
        return float(self.scores.mean())

    @property
    def deterministic(self) -> bool:
        """Whether another run would give the same: so for a base run once, greedily, and for a fixed model."""
        return self.kind in ("base", "model") and self.runs == 1
