"""Would one new random draw beat the selection? A t prediction from the draws there are.

The R draws' mean scores are taken as a sample from a normal distribution, the scores of the selection's S runs as
another. For a new draw X, the difference of X and the selection's true mean, less the difference of the means seen,
has the variance

    V = s_R² (1 + 1/R) + s_S² / S

and, over √V, nearly a t distribution with Satterthwaite's degrees of freedom. Sources: Hahn and Meeker (1991),
*Statistical Intervals*, chapter 4 (a future observation, ``s √(1 + 1/R)``); Welch (1947), Biometrika 34, 28-35, and
Satterthwaite (1946), Biometrics Bulletin 2, 110-114 (the sum of two variances). A new draw is one like those there are:
new rows, as many new training seeds, the same test items. What other items would do is not in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.arms import ROUNDING


@dataclass(frozen=True)
class Prediction:
    """What to expect of one new random draw, in units of the scores.

    Attributes:
        probability: The probability that a new draw scores higher than the selection's mean.
        degrees: The degrees of freedom behind ``probability``.
        mean: The mean of the draws.
        low: The lower end of the prediction interval for the score of a new draw.
        high: The upper end.
        draws: The number of draws.
        runs: The number of runs of the selection.
    """

    probability: float
    degrees: float
    mean: float
    low: float
    high: float
    draws: int
    runs: int


def predict_draw(draws: ArrayLike, selected: ArrayLike, alpha: float = 0.05) -> Prediction:
    """Predicts a new random draw's score and the probability that it beats the selection.

    ``P = P(T > (mean of selected - mean of draws) / √V)`` with T of ``V² / (A² / (R - 1) + B² / (S - 1))``
    degrees of freedom, ``A = s_R² (1 + 1/R)`` and ``B = s_S² / S``. The interval for a new draw is
    ``mean ± t_(R-1) s_R √(1 + 1/R)``. Higher is better: negate the scores of a metric where lower is.

    Args:
        draws: The mean score of each draw over its training seeds and the items, ``[draws]``.
        selected: The mean score of each run of the selected arm, ``[runs]``, in the same unit.
        alpha: One minus the level of the prediction interval.

    Returns:
        The prediction.

    Raises:
        UserError: If there are fewer than two draws or two runs, the draws all score the same, a score is not
            a number, or alpha is out of range.
    """
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    others = _checked(draws, "random draws")
    ours = _checked(selected, "runs of the selection")
    if np.ptp(others) <= ROUNDING * np.abs(others).max():
        raise UserError(
            f"all {others.size} random draws score {others[0]:g}, which shows no spread to predict a new one from",
            "add draws, or test items that tell draws apart",
        )
    fresh = float(others.var(ddof=1)) * (1 + 1 / others.size)
    own = float(ours.var(ddof=1)) / ours.size
    variance = fresh + own
    degrees = variance**2 / (fresh**2 / (others.size - 1) + own**2 / (ours.size - 1))
    lead = float(ours.mean() - others.mean())
    reach = float(stats.t.ppf(1 - alpha / 2, others.size - 1)) * math.sqrt(fresh)
    return Prediction(
        probability=float(stats.t.sf(lead / math.sqrt(variance), degrees)),
        degrees=degrees,
        mean=float(others.mean()),
        low=float(others.mean()) - reach,
        high=float(others.mean()) + reach,
        draws=others.size,
        runs=ours.size,
    )


def _checked(scores: ArrayLike, name: str) -> NDArray[np.float64]:
    """Returns the scores as an array of two finite numbers or more."""
    values = np.asarray(scores, dtype=np.float64)
    remedy = "give one mean score for every draw and for every run of the selection"
    if values.ndim != 1:
        raise UserError(f"the scores of {name} have the shape {list(values.shape)}", remedy)
    if values.size < 2:
        raise UserError(
            f"a new draw is predicted from two scores of each arm or more, and there are {values.size} of {name}",
            remedy,
        )
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise UserError(
            f"score {wrong[0] + 1} of {name} is {values[wrong[0]]}",
            "score every item of it with a finite number",
        )
    return values
