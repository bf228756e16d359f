"""Historical variance: how much the share of right rollouts of a problem moves over the epochs of a training.

Wang et al., "Reinforcement Learning for Reasoning in Large Language Models with One Training Example" (NeurIPS 2025,
arXiv 2504.20571), section 2: a problem i that was met in epochs 1 to E with accuracies s_1, ..., s_E has

    v_i = var(s_1, ..., s_E)

and problems are ranked by it, highest first. Here as in the public code the score is its root, over all E (the population's
standard deviation), which ranks alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from suffice.scorers.histories.scoring import Floats, HistorySettings, Ranking, rank, scores_of_rows
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class RewardVariance:
    """The standard deviation of a problem's accuracy over the epochs of a training.

    Args:
        settings: Which history, and which of its problems.
    """

    name = "reward_variance"
    paper = "arXiv 2504.20571"
    cost = "a pass over the history of a training that was made before"
    makes = ("scores",)
    default_selector = "top"
    needs = ("history",)
    needs_model = False
    needs_target = False
    Settings = HistorySettings

    def __init__(self, settings: HistorySettings | None = None) -> None:
        self.settings = settings or HistorySettings()

    def ranking(self) -> Ranking:
        """Returns the problems of the history by their standard deviation, without a pool.

        Raises:
            UserError: There is no history, or it cannot be read.
        """
        return rank(self.name, self.settings, "std", deviations)

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool`` that is a problem of the history.

        Raises:
            UserError: There is no history, it cannot be read, or no row is a problem of it.
        """
        return scores_of_rows(self.ranking(), self.settings, pool, context)


def deviations(accuracies: list[Floats]) -> Floats:
    """Returns the population's standard deviation of each problem's accuracies."""
    return np.array([one.std() for one in accuracies])
