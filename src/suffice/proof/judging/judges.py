"""Pairwise judging: what a judge that prefers one of two replies shows, and how far the judge can be trusted.

A verdict is 1 where the judge prefers the first model's reply, 0 where it prefers the second's, 1/2 for a tie; what the
judge was shown first does not change that meaning. All results are shares, from 0 to 1. Intervals are t intervals
over clusters of pairs (items that share a prompt); where fewer than five clusters differ from the most common value
they are at least as wide as the rule of three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.intervals import FEW

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

TIES = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Rate:
    """A mean over pairs with its two-sided interval, as shares.

    Attributes:
        estimate: The mean.
        low: The lower end.
        high: The upper end.
        pairs: The number of pairs.
        clusters: The number of clusters.
    """

    estimate: float
    low: float
    high: float
    pairs: int
    clusters: int


@dataclass(frozen=True)
class Swapped:
    """Verdicts on pairs that were judged in both orders.

    Attributes:
        combined: The verdict on each pair, ``[pairs]``: a win only where both orders say so, else a tie.
        wins: The win rate of the first model over ``combined``, a tie counting half.
        consistency: The share of pairs with the same verdict in both orders.
        bias: How much more often than in half of all cases the reply shown first is preferred, -1/2 to 1/2.
    """

    combined: Array
    wins: Rate
    consistency: Rate
    bias: Rate


def win_rate(verdicts: ArrayLike, clusters: Sequence[str], alpha: float = 0.05) -> Rate:
    """Returns the first model's win rate, a tie counting half.

    Args:
        verdicts: 1, 1/2 or 0 for each pair, or the judge's probability of preferring the first, ``[pairs]``.
        clusters: The cluster of each pair.
        alpha: One minus the level of the interval.

    Returns:
        The win rate.

    Raises:
        UserError: If a verdict is not from 0 to 1, lengths differ, there are fewer than two clusters, or alpha is
            out of range.
    """
    values = checked(verdicts, "verdict")
    return mean_rate(values, cluster_codes(clusters, values), alpha, 0.0, 1.0)


def agreement(one: ArrayLike, other: ArrayLike, clusters: Sequence[str], alpha: float = 0.05) -> Rate:
    """Returns the tie-discounted agreement of two judges on the same pairs.

    One point where they agree (on a tie, too), half where just one says tie, none where they contradict each other
    (Zhou et al. 2023, LIMA, arXiv 2305.11206, section 4.1); with verdicts of 0, 1/2 and 1 that is ``1 - |u - v|``.

    Args:
        one: The verdicts of one judge, ``[pairs]``, each 0, 1/2 or 1.
        other: The verdicts of the other, pairs in the same order.
        clusters: The cluster of each pair.
        alpha: One minus the level of the interval.

    Returns:
        The mean of the points.

    Raises:
        UserError: As ``win_rate``, and where a verdict is not 0, 1/2 or 1.
    """
    ours, theirs = (
        checked(one, "first judge's verdict", TIES),
        checked(other, "second judge's verdict", TIES),
    )
    check_same_pairs(ours, theirs)
    return mean_rate(1 - np.abs(ours - theirs), cluster_codes(clusters, ours), alpha, 0.0, 1.0)


def swapped(
    shown_first: ArrayLike, shown_second: ArrayLike, clusters: Sequence[str], alpha: float = 0.05
) -> Swapped:
    """Combines the verdicts on pairs that were judged twice, with the replies in either order.

    A win in both orders is a win and all else a tie (Zheng et al. 2023, arXiv 2306.05685, section 3.4). With u the
    verdict where the first model was shown first and v where it was shown second, the preference for what is
    shown first is ``(u + 1 - v) / 2``, and the bias its mean less 1/2.

    Args:
        shown_first: Verdicts with the first model's reply shown first, ``[pairs]``, each 0, 1/2 or 1.
        shown_second: Verdicts on the same pairs with it shown second; 1 still means that the first model won.
        clusters: The cluster of each pair.
        alpha: One minus the level of the intervals.

    Returns:
        The verdicts, the win rate, the consistency and the position bias.

    Raises:
        UserError: As ``agreement``.
    """
    u, v = checked(shown_first, "verdict", TIES), checked(shown_second, "verdict after the swap", TIES)
    check_same_pairs(u, v)
    codes = cluster_codes(clusters, u)
    combined = np.where(u == v, u, 0.5)
    return Swapped(
        combined=combined,
        wins=mean_rate(combined, codes, alpha, 0.0, 1.0),
        consistency=mean_rate((u == v).astype(np.float64), codes, alpha, 0.0, 1.0),
        bias=mean_rate((u - v) / 2, codes, alpha, -0.5, 0.5),
    )


def leaning(verdicts: ArrayLike) -> Array:
    """Returns 1, 1/2 or 0 for each verdict: the side that a weight from 0 to 1 leans to, [pairs]."""
    return np.asarray((1 + np.sign(np.asarray(verdicts, dtype=np.float64) - 0.5)) / 2, dtype=np.float64)


def order_bias(shown_first: ArrayLike, shown_second: ArrayLike, alpha: float = 0.05) -> Rate | None:
    """Returns the position bias where every pair was judged once, the order having been drawn at random.

    Half the difference of the first model's win rates where it was shown first and where it was shown second, with
    Welch's interval; over pairs judged in both orders it would be the bias of ``swapped``.

    Args:
        shown_first: Verdicts on the pairs with the first model's reply shown first, ``[pairs]``, of other prompts each.
        shown_second: Verdicts on the other pairs.
        alpha: One minus the level of the interval.

    Returns:
        The bias, -1/2 to 1/2; None where fewer than five verdicts of either list differ from its most common one.

    Raises:
        UserError: If a verdict is not from 0 to 1, or alpha is out of range.
    """
    u, v = checked(shown_first, "verdict"), checked(shown_second, "verdict")
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    if any(not len(part) or deviating(part, np.arange(len(part))) < FEW for part in (u, v)):
        return None
    ends = stats.ttest_ind(u, v, equal_var=False).confidence_interval(1 - alpha)
    low, high = max(-0.5, float(ends.low) / 2), min(0.5, float(ends.high) / 2)
    count = len(u) + len(v)
    return Rate(float(u.mean() - v.mean()) / 2, low, high, count, count)


def mean_rate(values: Array, codes: Codes, alpha: float, least: float, most: float) -> Rate:
    """Returns the mean of ``values`` with its interval; no value can be below ``least`` or above ``most``.

    The variance is ``G/(G-1) Σ_g (Σ_{i in g} (value_i - mean))² / n²``, with t of G - 1 degrees of freedom.
    """
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    mean = float(values.mean())
    sums = np.bincount(codes, weights=values - mean)
    groups = len(sums)
    error = math.sqrt(groups / (groups - 1) * float(np.square(sums).sum())) / len(values)
    below = above = float(stats.t.isf(alpha / 2, groups - 1)) * error
    if deviating(values, codes) < FEW:
        share = 1 - (alpha / 2) ** (1 / groups)
        below, above = max(below, share * (mean - least)), max(above, share * (most - mean))
    return Rate(mean, max(least, mean - below), min(most, mean + above), len(values), groups)


def deviating(values: Array, codes: Codes) -> int:
    """Returns how many clusters have another mean than the most common one."""
    means = np.round(np.bincount(codes, weights=values) / np.bincount(codes), 12)
    return int(len(means) - np.unique(means, return_counts=True)[1].max())


def checked(values: ArrayLike, name: str, allowed: tuple[float, ...] = (), *, bounded: bool = True) -> Array:
    """Returns ``values`` as an array, each one of ``allowed`` or, without it, a number (from 0 to 1 if bounded)."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise UserError(
            f"the values of each {name} have the shape {list(found.shape)}", "give one for every pair"
        )
    if allowed:
        right, rule = np.isin(found, allowed), "a verdict is 1 (first model), 0 (second) or 0.5 (tie)"
    elif bounded:
        right, rule = (found >= 0) & (found <= 1), "give a number from 0 (second model) to 1 (first)"
    else:
        right, rule = np.isfinite(found), "give a finite number for every pair"
    if not right.all():
        place = int(np.flatnonzero(~right)[0])
        raise UserError(f"the {name} of pair {place + 1} is {found[place]}", rule)
    return found


def check_same_pairs(one: Array, other: Array) -> None:
    """Raises a UserError where two lists of pairs differ in length."""
    if len(one) != len(other):
        raise UserError(
            f"one list has {len(one)} pairs and the other {len(other)}", "give the same pairs to both"
        )


def cluster_codes(clusters: Sequence[str], values: Array) -> Codes:
    """Returns the cluster of each pair as an integer from 0, ``[pairs]``."""
    if len(clusters) != len(values):
        raise UserError(
            f"there are {len(values)} pairs and {len(clusters)} clusters", "give every pair one cluster"
        )
    names, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2:
        raise UserError(
            f"{len(values)} pairs in {len(names)} cluster{'' if len(names) == 1 else 's'} cannot show how much "
            "prompts vary",
            "give two independent clusters of pairs or more",
        )
    return codes.reshape(-1)
