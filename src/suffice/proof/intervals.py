"""Intervals in the unit of the scores, from the variance over items and over runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from suffice.proof.arms import ArmScores
from suffice.proof.variance import Components, of_contrast, of_difference, of_mean

# With fewer clusters that differ than this, the observed spread says little about the spread there is.
FEW = 5


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided interval, in the unit of the scores.

    Attributes:
        estimate: The estimate.
        low: The lower end; None where an arm with a single run leaves the run variance unknown, and where too few
            clusters differ and nothing bounds the scores.
        high: The upper end, or None likewise.
    """

    estimate: float
    low: float | None
    high: float | None

    def above(self, bound: float) -> bool:
        """Whether the whole interval is known and above ``bound``."""
        return self.low is not None and self.low > bound

    def below(self, bound: float) -> bool:
        """Whether the whole interval is known and below ``bound``."""
        return self.high is not None and self.high < bound


def interval(parts: Components, alpha: float) -> Interval:
    """Returns the two-sided interval of a mean or a difference.

    ``mean ± t · √variance`` with Satterthwaite's degrees of freedom. Where fewer than five clusters differ from the
    most common value, the part over items is at least as wide as the bound of ``unseen``: 300 items without
    a single change do not show that nothing ever changes. Where nothing bounds the scores there is then no
    interval. The ends never pass what scores can reach.

    Args:
        parts: The estimate and the parts of its variance.
        alpha: One minus the level.

    Returns:
        The interval.
    """
    mean = parts.mean
    if parts.single or (parts.deviating < FEW and not np.isfinite(parts.support).all()):
        return Interval(mean, None, None)
    t = float(special.stdtrit(parts.degrees, 1 - alpha / 2))
    below = above = t * parts.item_square**0.5
    if parts.deviating < FEW:
        share = unseen(parts.clusters, alpha)
        below = max(below, share * (mean - parts.support[0]))
        above = max(above, share * (parts.support[1] - mean))
    run = t * parts.run_variance**0.5
    low = max(mean - float(np.hypot(below, run)), parts.support[0])
    high = min(mean + float(np.hypot(above, run)), parts.support[1])
    return Interval(mean, low, high)


def unseen(clusters: int, alpha: float) -> float:
    """Returns the greatest share of cases that ``clusters`` cases without one of them leave possible.

    ``1 - (alpha/2)^(1/n)``, about 3.7/n at 95 % two-sided: the "rule of three" (Hanley and Lippman-Hand 1983,
    JAMA 249, 1743), which is 3/n at 95 % one-sided, taken two-sided.

    Args:
        clusters: The number of cases n.
        alpha: One minus the two-sided level.

    Returns:
        The share, from 0 to 1.
    """
    return float(1 - (alpha / 2) ** (1 / clusters))


def mean_interval(arm: ArmScores, clusters: Sequence[str], alpha: float = 0.05) -> Interval:
    """Returns the mean score of ``arm``, its interval counting items and runs."""
    return interval(of_mean(arm, clusters), alpha)


def difference_interval(a: ArmScores, b: ArmScores, clusters: Sequence[str], alpha: float = 0.05) -> Interval:
    """Returns the difference ``a - b``, its interval counting items (paired) and runs."""
    return interval(of_difference(a, b, clusters), alpha)


def contrast_interval(
    arms: Sequence[ArmScores], weights: Sequence[float], clusters: Sequence[str], alpha: float = 0.05
) -> Interval:
    """Returns ``Σ weight · arm``, its interval counting items (paired) and runs."""
    return interval(of_contrast(arms, weights, clusters), alpha)


def independent_difference(a: Interval, b: Interval) -> Interval:
    """Returns the difference ``a - b`` of the means of two sets of items that have nothing in common.

    The squares of the distances to the ends add up: ``low = d - √((a - a.low)² + (b.high - b)²)``, and ``high``
    likewise: method 10 of Newcombe (1998, Statistics in Medicine 17, 873) for two shares, and for any two
    intervals Zou and Donner (2008, Statistics in Medicine 27, 1693). Both must be of one level.

    Args:
        a: One mean with its interval.
        b: The other.

    Returns:
        The interval of the difference; without ends where either has none.
    """
    difference = a.estimate - b.estimate
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Interval(difference, None, None)
    below = float(np.hypot(a.estimate - a.low, b.high - b.estimate))
    above = float(np.hypot(a.high - a.estimate, b.estimate - b.low))
    return Interval(difference, difference - below, difference + above)


def family_intervals(
    arm: ArmScores, clusters: Sequence[str], families: Sequence[str], alpha: float = 0.05
) -> dict[str, Interval]:
    """Returns the mean score of ``arm`` in each family, families in the order of their first item.

    Args:
        arm: The arm.
        clusters: The cluster of each item.
        families: The family of each item.
        alpha: One minus the level.

    Returns:
        The interval of each family.
    """
    found: dict[str, Interval] = {}
    for family in dict.fromkeys(families):
        places = [place for place, name in enumerate(families) if name == family]
        part = replace(arm, scores=arm.scores[:, places])
        found[family] = mean_interval(part, [clusters[place] for place in places], alpha)
    return found
