"""What the statistics are computed from: the scores of one arm, a row for each run and a column for each item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError, unknown_name

Kind = Literal["base", "random", "longest", "selected", "full"]


@dataclass(frozen=True)
class ArmScores:
    """The scores of one arm.

    Attributes:
        name: The arm's name, such as ``selected-1000``.
        kind: What was trained on. The base is not trained.
        scores: Scores from 0 to 1, ``[runs, items]``. A run is one training; for ``random`` the draw and the
            training seed vary together. The base is greedy and has one run.
    """

    name: str
    kind: Kind
    scores: NDArray[np.float64]

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
        wrong = np.argwhere(~((scores >= 0) & (scores <= 1)))
        if len(wrong):
            run, item = wrong[0]
            raise UserError(
                f"arm '{self.name}' has the score {scores[run, item]} in run {run + 1} at item {item + 1}",
                "every score must be a number from 0 to 1",
            )

    @property
    def runs(self) -> int:
        """The number of runs."""
        return int(self.scores.shape[0])

    @property
    def mean(self) -> float:
        """The mean score over runs and items, from 0 to 1."""
        return float(self.scores.mean())

    @property
    def deterministic(self) -> bool:
        """Whether another run would give the same scores: so for a base that was run once, greedily."""
        return self.kind == "base" and self.runs == 1
