"""Several tests at once: Holm for a family of verdicts, Benjamini and Hochberg for exploratory tables.

Holm (1979), Scandinavian Journal of Statistics 6, 65-70, keeps the probability of one false rejection or more, in the
whole family, at alpha or below, however the tests depend on each other. Benjamini and Hochberg (1995), Journal of the
Royal Statistical Society B 57, 289-300, keep the expected share of false rejections among all there, for
independent or positively dependent tests; that is no ground for a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from suffice.common.errors import UserError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Holm:
    """Holm's procedure on a family of tests, in the order given.

    Attributes:
        adjusted: The adjusted p values, ``[tests]``; at most alpha just where a test is rejected.
        rejected: Whether each null hypothesis is rejected, ``[tests]``.
        levels: The error that each interval may have so that it excludes its null value just where the test is
            rejected, ``[tests]``. Each such interval covers at its own level; the decisions err together at alpha or
            less, but the intervals do not all cover together at 1 - alpha.
        joint: The error of one-sided bounds that all cover together at 1 - alpha, ``[tests]``. None where a
            test is rejected while another is not: there the bound is the null value itself. Where the test is
            rejected with all others, the bound is this level's or the null value, whichever claims more.
    """

    adjusted: Array
    rejected: NDArray[np.bool_]
    levels: Array
    joint: tuple[float | None, ...]


def holm(p_values: ArrayLike, alpha: float = 0.05) -> Holm:
    """Applies Holm's step-down procedure to a family of m tests.

    The adjusted value of the i-th smallest p is ``max over j <= i of min(1, (m - j + 1) p_(j))``. The i-th smallest p,
    where rejected, has the level ``alpha / (m - i + 1)``; all others have alpha divided by their number. The joint
    levels are those of Guilbaud (2008, Biometrical Journal 50, 678-692) and Strassburger and Bretz (2008,
    Statistics in Medicine 27, 4914-4927): alpha divided by the number not rejected, or alpha / m where all are.

    Args:
        p_values: The p values of the family, ``[tests]``, all one-sided or all two-sided.
        alpha: The error of the family, of the same side as the p values and as the intervals to be drawn.

    Returns:
        Adjusted p values, decisions and levels.

    Raises:
        UserError: If there are no p values, one is not from 0 to 1, or alpha is out of range.
    """
    values = _checked(p_values)
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    count = values.size
    order = np.argsort(values, kind="stable")
    left = np.arange(count, 0, -1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(left * values[order]))
    rejected = adjusted <= alpha
    kept = count - int(rejected.sum())
    levels = np.empty(count)
    levels[order] = alpha / np.maximum(left, kept)
    together = alpha / (kept or count)
    joint = tuple(None if gone and kept else together for gone in rejected)
    return Holm(adjusted, rejected, levels, joint)


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Returns the p values adjusted by Benjamini and Hochberg, for exploratory tables only.

    The adjusted value of the i-th smallest p is ``min over j >= i of min(1, m p_(j) / j)``.

    Args:
        p_values: The p values, ``[tests]``.

    Returns:
        The adjusted p values, ``[tests]``, in the order given.

    Raises:
        UserError: If there are no p values, or one is not from 0 to 1.
    """
    return np.asarray(stats.false_discovery_control(_checked(p_values), method="bh"), dtype=np.float64)


def _checked(p_values: ArrayLike) -> Array:
    """Returns the p values as an array, each from 0 to 1."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise UserError(f"the p values have the shape {list(values.shape)}", "give a list of one or more")
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if wrong.size:
        raise UserError(
            f"test {wrong[0] + 1} of {values.size} has the p value {values[wrong[0]]}",
            "give a number from 0 to 1 for every test of the family",
        )
    return values
