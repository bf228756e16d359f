"""Tango's score interval for the difference of two paired proportions, and its test at a margin.

Two fixed models answer the same items; b items are answered rightly by the first model alone, c by the second alone,
out of n. At a difference D of the true shares, the share that the second alone answers rightly has the
maximum likelihood estimate q, the larger root of

    2n q² + (-b - c + (2n - b + c) D) q - c D (1 - D) = 0

and the score is ``z(D) = (b - c - nD) / √(n (2q + D (1 - D)))``. The interval holds every D with ``|z(D)|`` no greater
than the normal quantile. It keeps its width where the models never differ, and stays within -1 and 1. Source: Tango
(1998), Statistics in Medicine 17, 891-908. At D = 0 the score is McNemar's ``(b - c) / √(b + c)``.

Items must be independent of each other; where several share a prompt or a document, this is not valid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy import optimize, stats

from suffice.common.errors import UserError
from suffice.proof.compare.mcnemar import discordant


@dataclass(frozen=True)
class Tango:
    """The difference of two models in the share of right items; all but the counts as shares, -1 to 1.

    Attributes:
        estimate: The difference first - second.
        low: The lower end of the two-sided interval.
        high: The upper end.
        p: The one-sided p value of "the first is worse than the second by the margin or more"; at most
            ``alpha / 2`` just where ``low`` is at or above ``-margin``.
        margin: The margin.
        alpha: One minus the level of the interval.
        b: Items that the first model alone answers rightly.
        c: Items that the second model alone answers rightly.
        items: All items.
    """

    estimate: float
    low: float
    high: float
    p: float
    margin: float
    alpha: float
    b: int
    c: int
    items: int


def tango(first: ArrayLike, second: ArrayLike, *, margin: float = 0.0, alpha: float = 0.05) -> Tango:
    """Returns the difference of two models with Tango's score interval and the test of non-inferiority.

    With a margin of 0 the test is of superiority.

    Args:
        first: 1 where the first model is right and 0 where it is wrong, ``[items]``.
        second: The same of the second model, items in the same order.
        margin: The non-inferiority margin as a share: 0.02 is two percent points.
        alpha: One minus the level of the two-sided interval.

    Returns:
        The estimate, the interval and the p value.

    Raises:
        UserError: If the scores are not 0 or 1, or not of the same items, or margin or alpha is out of range.
    """
    if not 0 <= margin < 1:
        raise UserError(f"the margin is {margin}", "give it as a share from 0 to below 1, such as 0.02")
    b, c, items = discordant(first, second)
    low, high = score_interval(b, c, items, alpha)
    return Tango(
        estimate=(b - c) / items,
        low=low,
        high=high,
        p=float(stats.norm.sf(score(b, c, items, -margin))),
        margin=margin,
        alpha=alpha,
        b=b,
        c=c,
        items=items,
    )


def score(b: int, c: int, items: int, difference: float) -> float:
    """Returns Tango's score z at a difference; it falls as the difference grows.

    Args:
        b: Items that the first model alone answers rightly.
        c: Items that the second model alone answers rightly.
        items: All items.
        difference: The true difference first - second that is tested, -1 to 1.

    Returns:
        The score; 0 where the difference fits the counts exactly, infinite where it cannot have given them.

    Raises:
        UserError: If the counts do not fit together or the difference is out of range.
    """
    _check_counts(b, c, items)
    if not -1 <= difference <= 1:
        raise UserError(f"the difference to test is {difference}", "give it as a share from -1 to 1")
    distance, variance = _distance_and_variance(b, c, items, difference)
    if variance > 0:
        return distance / math.sqrt(variance)
    return math.copysign(math.inf, distance) if distance else 0.0


def score_interval(b: int, c: int, items: int, alpha: float = 0.05) -> tuple[float, float]:
    """Returns the ends of Tango's interval from the counts.

    Args:
        b: Items that the first model alone answers rightly.
        c: Items that the second model alone answers rightly.
        items: All items.
        alpha: One minus the level of the two-sided interval.

    Returns:
        The lower and the upper end, as shares.

    Raises:
        UserError: If the counts do not fit together or alpha is out of range.
    """
    _check_counts(b, c, items)
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    square = float(stats.norm.isf(alpha / 2)) ** 2
    return -_upper(c, b, items, square), _upper(b, c, items, square)


def _check_counts(b: int, c: int, items: int) -> None:
    """Raises a UserError where the counts cannot be those of one table."""
    if min(b, c) < 0 or items < max(1, b + c):
        raise UserError(
            f"{b} and {c} discordant items of {items} cannot be",
            "give counts that add up to the items or fewer",
        )


def _upper(b: int, c: int, items: int, square: float) -> float:
    """Returns the upper end where the squared score is ``square``.

    Where the variance at the estimate is zero (no item, or every item, speaks for one side) the equation has
    a closed solution; elsewhere a root is sought between the estimate and 1.
    """
    if b == items:
        return 1.0
    if b == c == 0:
        return square / (items + square)
    if c == items:
        return (square - items) / (square + items)

    def beyond(difference: float) -> float:
        distance, variance = _distance_and_variance(b, c, items, difference)
        return distance**2 - square * variance

    return float(optimize.brentq(beyond, (b - c) / items, 1.0, xtol=1e-15))


def _distance_and_variance(b: int, c: int, items: int, difference: float) -> tuple[float, float]:
    """Returns the numerator of the score and its variance under the difference.

    Below 0 the models change places, so that the score is antisymmetric to the last bit.
    """
    if difference < 0:
        distance, variance = _distance_and_variance(c, b, items, -difference)
        return -distance, variance
    linear = -b - c + (2 * items - b + c) * difference
    constant = -c * difference * (1 - difference)
    share = (math.sqrt(linear**2 - 8 * items * constant) - linear) / (4 * items)
    return b - c - items * difference, items * (2 * share + difference * (1 - difference))
