"""LIMR: how closely a problem's accuracy follows the mean accuracy of all problems over a training.

Li et al., "LIMR: Less is More for RL Scaling" (arXiv 2502.11886), section 2.2, learning impact measurement: with a_i^k the
accuracy of problem i in epoch k and ā^k its mean over problems,

    s_i = 1 - sum_k (a_i^k - ā^k)^2 / sum_k (1 - ā^k)^2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from suffice.common.errors import UserError
from suffice.scorers.histories.scoring import Floats, HistorySettings, Ranking, rank, scores_of_rows
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


@dataclass(frozen=True)
class LIMRSettings(HistorySettings):
    """Which history is scored, and which of its problems and epochs.

    Attributes:
        history: The file or folder of the history.
        reward: The reward that is 1 for right and 0 for wrong, where a log has several.
        key: The field of the pool's files that holds the history's keys, such as ``extra_info.index``.
        low: Problems of a lower mean accuracy have no score.
        high: Problems of a higher mean accuracy have no score.
        epochs: How many epochs count, from the first; problems that were met in fewer have no score. 0 for as many as
            every problem was met in.
    """

    epochs: int = 0


class LIMR:
    """How closely a problem's accuracies follow their mean over problems; 1 at best.

    Args:
        settings: Which history, and which of its problems and epochs.
    """

    name = "limr"
    paper = "arXiv 2502.11886"
    cost = "a pass over the history of a training that was made before"
    makes = ("scores",)
    default_selector = "top"
    needs = ("history",)
    needs_model = False
    needs_target = False
    Settings = LIMRSettings

    def __init__(self, settings: LIMRSettings | None = None) -> None:
        self.settings = settings or LIMRSettings()

    def ranking(self) -> Ranking:
        """Returns the problems of the history by their score, without a pool.

        Raises:
            UserError: There is no history, it cannot be read, or no score can be told from it.
        """
        return rank(self.name, self.settings, "score", self._scores)

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool`` that is a problem of the history.

        Raises:
            UserError: There is no history, it cannot be read, no score can be told from it, or no row is a problem.
        """
        return scores_of_rows(self.ranking(), self.settings, pool, context)

    def _scores(self, accuracies: list[Floats]) -> Floats:
        return alignments(accuracies, self.settings.epochs)


def alignments(accuracies: list[Floats], epochs: int = 0) -> Floats:
    """Returns the score of each problem; NaN for one that was met in fewer epochs.

    Args:
        accuracies: Of each problem [epochs].
        epochs: How many count, from the first; 0 for the fewest of any problem.

    Raises:
        UserError: No problem was met so often, or every problem was always solved.
    """
    if epochs < 0:
        raise UserError(
            f"{epochs} epochs are none", "give a whole number, 0 for as many as every problem has"
        )
    count = epochs or min(len(one) for one in accuracies)
    long = [i for i, one in enumerate(accuracies) if len(one) >= count]
    if not long:
        most = max(len(one) for one in accuracies)
        raise UserError(f"no problem was met in {count} epochs", f"give epochs={most} or fewer")
    table = np.stack([accuracies[i][:count] for i in long])
    mean = table.mean(axis=0)
    best = ((1 - mean) ** 2).sum()
    if best == 0:
        raise UserError(
            "every problem was always solved, so nothing tells them apart", "take another history"
        )
    scores = np.full(len(accuracies), np.nan)
    scores[long] = 1 - ((table - mean) ** 2).sum(axis=1) / best
    return scores
