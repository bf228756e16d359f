"""Where the uncertainty of a mean comes from: the items asked, the runs trained, and their interaction.

The score of arm a in run r at item i is taken as ``mean_a + item_ai + run_ar + residual_ari``. Items are shared by
all arms, so a difference of two arms is formed at each item first (paired); runs are independent between arms.
The mean squares below are those of a two-way layout with one cell a (run, item), with clusters of items in the
place of items (several wordings of one fact are one piece of evidence). Sources: Miller (2024), "Adding Error Bars
to Evals", arXiv 2411.00640 (clustered and paired standard errors); Searle, Casella and McCulloch (1992),
"Variance Components" (expected mean squares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suffice.proof.arms import ROUNDING, ArmScores

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RunVariance:
    """How much the mean of one run varies in one arm; all in squared score units.

    Attributes:
        runs: The number of runs R, two or more.
        square: The variance of the run means, with R - 1 degrees of freedom. It estimates
            ``component + residual``.
        residual: The part of ``square`` that comes from item x run noise, with (R - 1)(clusters - 1) degrees of
            freedom. The variance over items holds it already.
    """

    runs: int
    square: float
    residual: float

    @property
    def component(self) -> float:
        """The variance between runs alone, never below zero."""
        return max(0.0, self.square - self.residual)


@dataclass(frozen=True)
class Components:
    """A mean, or a difference of two means, and the parts of its variance, in the unit of the scores.

    Attributes:
        mean: The estimate.
        items: The number of items.
        clusters: The number of independent groups of items.
        item_square: The variance of the mean over items, residual included, with clusters - 1 degrees of freedom.
        arms: The run variance of each arm that varies and has two runs or more.
        single: Names of the arms with one run, whose run variance is therefore unknown.
        deviating: How many clusters differ from the most common cluster value.
        support: The least and the greatest value one item can have.
    """

    mean: float
    items: int
    clusters: int
    item_square: float
    arms: tuple[RunVariance, ...]
    single: tuple[str, ...]
    deviating: int
    support: tuple[float, float]

    @property
    def run_variance(self) -> float:
        """The variance of the mean that comes from runs."""
        return sum(arm.component / arm.runs for arm in self.arms)

    @property
    def variance(self) -> float:
        """The variance of the mean."""
        return self.item_square + self.run_variance

    @property
    def degrees(self) -> float:
        """Satterthwaite's degrees of freedom of ``variance``, at least the fewest of any of its parts.

        ``variance² / Σ (c·MS)² / df`` over the mean squares it is made of (Satterthwaite 1946, Biometrics Bulletin 2, 110;
        for sums with negative terms Gaylor and Hopper 1969, Technometrics 11, 691). Where a run component was set
        to zero its mean squares still count, since they could not have shown a small one.
        """
        free = self.clusters - 1
        parts = [(self.item_square, free)]
        for arm in self.arms:
            parts.append((arm.square / arm.runs, arm.runs - 1))
            parts.append((arm.residual / arm.runs, (arm.runs - 1) * free))
        counted = [(part, df) for part, df in parts if part**2 > 0]
        if not counted:
            return float(max(1, free))
        satterthwaite = self.variance**2 / sum(part**2 / df for part, df in counted)
        return max(satterthwaite, float(min(df for _, df in counted)))

    def grown(self, runs: int = 0, items: int = 0) -> Components:
        """What to expect of the same estimate with more data, from the expected mean squares.

        Args:
            runs: Runs more in each arm that varies.
            items: Items more, in clusters of the same size.

        Returns:
            The components expected.
        """
        scale = self.items / (self.items + items)
        noise = sum(arm.residual / arm.runs for arm in self.arms)
        arms = tuple(
            RunVariance(arm.runs + runs, arm.component + arm.residual * scale, arm.residual * scale)
            for arm in self.arms
        )
        square = max(0.0, self.item_square - noise) * scale + sum(arm.residual / arm.runs for arm in arms)
        return replace(
            self,
            items=self.items + items,
            clusters=round(self.clusters / scale),
            item_square=square,
            arms=arms,
            deviating=round(self.deviating / scale),
        )


def of_mean(arm: ArmScores, clusters: Sequence[str]) -> Components:
    """Returns the components of the mean score of ``arm``; ``clusters`` holds the cluster of each item."""
    return _components([arm], arm.scores.mean(axis=0), clusters, arm.bounds)


def of_difference(a: ArmScores, b: ArmScores, clusters: Sequence[str]) -> Components:
    """Returns the components of the difference ``a - b``, paired over items.

    Args:
        a: One arm.
        b: The other, on the same items in the same order.
        clusters: The cluster of each item.

    Returns:
        The components.
    """
    values = a.scores.mean(axis=0) - b.scores.mean(axis=0)
    support = (a.bounds[0] - b.bounds[1], a.bounds[1] - b.bounds[0])
    return _components([a, b], values, clusters, support)


def of_contrast(arms: Sequence[ArmScores], weights: Sequence[float], clusters: Sequence[str]) -> Components:
    """Returns the components of ``Σ weight · arm``, paired over items; the arms are independent between runs.

    Args:
        arms: The arms, on the same items in the same order.
        weights: The weight of each, such as 1, -0.9 and -0.1.
        clusters: The cluster of each item.

    Returns:
        The components.
    """
    weighted = [
        replace(
            arm, scores=arm.scores * weight, bounds=_ordered(arm.bounds[0] * weight, arm.bounds[1] * weight)
        )
        for arm, weight in zip(arms, weights, strict=True)
    ]
    values = np.sum([arm.scores.mean(axis=0) for arm in weighted], axis=0)
    support = (sum(arm.bounds[0] for arm in weighted), sum(arm.bounds[1] for arm in weighted))
    return _components(weighted, values, clusters, support)


def _ordered(a: float, b: float) -> tuple[float, float]:
    return (min(a, b), max(a, b))


def _components(
    arms: list[ArmScores], values: Array, clusters: Sequence[str], support: tuple[float, float]
) -> Components:
    """Collects the components of the mean of ``values`` ([items], over the run means of ``arms``)."""
    codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)[1].reshape(-1)
    varying = [arm for arm in arms if not arm.deterministic]
    rounding = ROUNDING * max(float(np.abs(arm.scores).max()) for arm in arms)
    # In steps of the rounding, so that sums that differ in their last bit are the same value.
    means = np.round(np.bincount(codes, weights=values) / np.bincount(codes) / (rounding or 1.0))
    return Components(
        mean=float(values.mean()),
        items=len(values),
        clusters=len(means),
        item_square=_square(values[None, :] - values.mean(), codes, rounding),
        arms=tuple(_run_variance(arm.scores, codes, rounding) for arm in varying if arm.runs > 1),
        single=tuple(arm.name for arm in varying if arm.runs == 1),
        deviating=int(len(means) - np.unique(means, return_counts=True)[1].max()),
        support=support,
    )


def _run_variance(scores: Array, codes: NDArray[np.intp], rounding: float) -> RunVariance:
    """Returns the run variance of ``scores`` ([runs, items]) with the items in the clusters ``codes``."""
    runs = scores.shape[0]
    run_means = scores.mean(axis=1, keepdims=True)
    residuals = scores - run_means - scores.mean(axis=0) + scores.mean()
    return RunVariance(
        runs=runs,
        square=float(run_means.var(ddof=1)) if np.ptp(run_means) > rounding else 0.0,
        residual=_square(residuals, codes, rounding) / (runs - 1),
    )


def _square(deviations: Array, codes: NDArray[np.intp], rounding: float) -> float:
    """Returns ``G/(G-1) · Σ_r Σ_g (Σ_{i∈g} deviation_ri)² / I²``: the clustered variance of a mean over items.

    With one item a cluster and one row it is the sample variance over I. Zero where there is but one cluster, or
    where only rounding is left.

    Args:
        deviations: ``[rows, items]``, each row of mean zero.
        codes: ``[items]``, the cluster of each item as an integer from 0.
        rounding: What a deviation may be off by.

    Returns:
        The sum over rows.
    """
    items = deviations.shape[1]
    groups = int(codes.max()) + 1
    if groups == 1:
        return 0.0
    sums = np.stack([np.bincount(codes, weights=row, minlength=groups) for row in deviations])
    sums[np.abs(sums) <= rounding * items] = 0.0
    return float(np.square(sums).sum() * groups / (groups - 1) / items**2)
