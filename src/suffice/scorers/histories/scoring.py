"""What the scorers of accuracy histories share: settings, bands, a ranking without a pool, scores of a pool's rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.histories import History, read_history
from suffice.scorers.histories.matching import match
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool

Floats = NDArray[np.float64]
_DECIMALS = 12  # what lies beyond is noise of sums, which would tell equal histories apart


@dataclass(frozen=True)
class HistorySettings:
    """Which history is scored, and which of its problems.

    Attributes:
        history: The file or folder of the history.
        reward: The reward that is 1 for right and 0 for wrong, where a log has several.
        key: The field of the pool's files that holds the history's keys, such as ``extra_info.index``.
        low: Problems of a lower mean accuracy have no score.
        high: Problems of a higher mean accuracy have no score.
    """

    history: Path | None = None
    reward: str | None = None
    key: str | None = None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Ranking:
    """The problems of a history with their scores.

    Attributes:
        history: The history.
        measure: What the score is called, such as ``std``.
        values: Scores, float64 [problems]; NaN for a problem that has none.
        means: Mean accuracies, float64 [problems].
    """

    history: History
    measure: str
    values: Floats
    means: Floats

    def entries(self) -> list[dict[str, Any]]:
        """Returns ``key``, the measure and ``mean`` of the problems that have a score, highest first, ties as in the file."""
        order = np.argsort(-self.values, kind="stable")[: int((~np.isnan(self.values)).sum())]
        return [
            {
                "key": self.history.keys[i],
                self.measure: float(self.values[i]),
                "mean": float(self.means[i]),
            }
            for i in order
        ]

    def bands(self) -> dict[str, int]:
        """Returns how many problems were solved never, sometimes and always."""
        never, always = int((self.means == 0).sum()), int((self.means == 1).sum())
        return {"never": never, "sometimes": len(self.means) - never - always, "always": always}


def rank(
    scorer: str, settings: HistorySettings, measure: str, score: Callable[[list[Floats]], Floats]
) -> Ranking:
    """Reads the history and ranks its problems.

    Args:
        scorer: The scorer's name, for messages.
        settings: Which history, and the band of mean accuracies that have a score.
        measure: What the score is called.
        score: Makes scores [problems] of accuracies.

    Raises:
        UserError: There is no history, or it cannot be read, or the band is none.
    """
    if settings.history is None:
        raise UserError(f"the scorer '{scorer}' needs the history of a training", "give --history FILE")
    if not 0 <= settings.low <= settings.high <= 1:
        raise UserError(
            f"low = {settings.low:g} and high = {settings.high:g} are no band of accuracies",
            "give 0 <= low <= high <= 1",
        )
    history = read_history(settings.history, settings.reward or "")
    means = np.round([one.mean() for one in history.accuracies], _DECIMALS)
    values = np.round(score(history.accuracies), _DECIMALS)
    values[(means < settings.low) | (means > settings.high)] = np.nan
    return Ranking(history, measure, values, means)


def scores_of_rows(
    ranking: Ranking, settings: HistorySettings, pool: Pool, context: ScoringContext
) -> Scores:
    """Returns the ranking's scores as those of a pool's rows; see `suffice.scorers.histories.matching`.

    A row that is no problem of the history, or whose problem has no score, has none; the notes count both, and
    problems that no row is.

    Raises:
        UserError: No row is a problem of the history, or the rows' keys cannot be told.
    """
    found = match(ranking.history, pool, context.model, settings.key or "")
    known = found.problems >= 0
    values = np.full(len(pool), np.nan, np.float32)
    values[known] = ranking.values[found.problems[known]]
    notes: dict[str, int | float | str] = {
        "problems": len(ranking.history.keys),
        "problems_unread": len(ranking.history.unread),
        "problems_without_row": len(ranking.history.keys) - len(set(found.problems[known].tolist())),
        "rows_without_history": int((~known).sum()),
        "rows_left_out": int(np.isnan(values[known]).sum()),
        "matched_by": found.by,
        "format": ranking.history.format,
        **ranking.history.notes,
    }
    return Scores(pool.ids, values, notes=notes)
