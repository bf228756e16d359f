"""Several tests at once: Holm's method for a family of verdicts.

Holm (1979), Scandinavian Journal of Statistics 6, 65-70, keeps the probability of one false rejection or more, in the
whole family, at alpha or below, however the tests depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """

    adjusted: Array
    rejected: NDArray[np.bool_]
    levels: Array


def holm(p_values: ArrayLike, alpha: float = 0.05) -> Holm:
    """Applies Holm's step-down procedure to a family of m tests.

    The adjusted value of the i-th smallest p is ``max over j <= i of min(1, (m - j + 1) p_(j))``. The i-th smallest p,
    where rejected, has the level ``alpha / (m - i + 1)``; all others have alpha divided by their number.

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
    return Holm(adjusted, rejected, levels)


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
