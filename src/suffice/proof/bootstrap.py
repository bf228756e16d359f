"""Bootstrap intervals: over items alone, and over items and runs. A second opinion on the t intervals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from suffice.common.errors import UserError
from suffice.proof.arms import ROUNDING
from suffice.proof.intervals import FEW, Interval
from suffice.proof.resampling import Array, ClusterSums, in_blocks

# BCa rests on an expansion in 1/√clusters; with fewer than this the skewness is a guess.
CLUSTERS_FOR_BCA = 30
# The percentiles of fewer than ten runs, or clusters, say little about their tails.
FEWEST = 10
# Resamples wanted beyond each end of an interval.
TAIL = 5


@dataclass(frozen=True)
class RunBootstrap:
    """Resampled means of arms, and percentile intervals from them, in the unit of the scores.

    Attributes:
        means: ``[arms]``, the mean of each arm.
        draws: ``[resamples, arms]``, the mean of each arm in each resample. A row holds one draw of clusters for all
            arms, so differences within it are paired.
        level: The two-sided level of the intervals.
    """

    means: Array
    draws: Array
    level: float

    def mean(self, arm: int) -> Interval:
        """Returns the percentile interval of the mean of the arm at place ``arm``."""
        return self._percentiles(float(self.means[arm]), self.draws[:, arm])

    def difference(self, a: int, b: int) -> Interval:
        """Returns the percentile interval of the arm at place ``a`` minus the one at ``b``."""
        return self._percentiles(float(self.means[a] - self.means[b]), self.draws[:, a] - self.draws[:, b])

    def _percentiles(self, estimate: float, draws: Array) -> Interval:
        """Returns the percentile interval of ``draws`` ([resamples]); refused where they are all the same."""
        if np.ptp(draws) <= ROUNDING * np.abs(self.means).max():
            raise UserError(
                f"all {len(draws)} resamples give {estimate:.6g}",
                "use the t interval, which allows for what was not seen",
            )
        low, high = np.quantile(draws, (1 + np.array([-self.level, self.level])) / 2)
        return Interval(estimate, float(low), float(high))


def item_bootstrap(
    values: ArrayLike,
    clusters: Sequence[str],
    *,
    resamples: int = 10_000,
    seed: int,
    level: float = 0.95,
    threads: int = 2,
) -> list[Interval]:
    """Returns BCa intervals of means over items, clusters of items drawn with replacement.

    For inference from fixed models to new items; it does not see how much runs vary. Bias-corrected and
    accelerated (Efron 1987, "Better Bootstrap Confidence Intervals", JASA 82, 171).

    Args:
        values: ``[items]`` or ``[rows, items]``, such as the paired differences of some arms. All rows share the
            draws.
        clusters: The cluster of each item.
        resamples: The number of resamples.
        seed: The seed of the draws.
        level: The two-sided level.
        threads: How many blocks of resamples are worked on at once; the result is the same.

    Returns:
        The interval of each row.

    Raises:
        UserError: With fewer than 30 clusters, where fewer than five clusters differ from the most common value,
            for a value that is no number, or for too few resamples.
    """
    rows = _finite(np.atleast_2d(np.asarray(values, dtype=np.float64)), "row ")
    codes = _cluster_codes(clusters, rows.shape[1], CLUSTERS_FOR_BCA, "a BCa interval needs")
    _check_resamples(resamples, level)
    sums = ClusterSums.of(rows, codes)
    _check_spread(rows, sums)
    draws = in_blocks(sums.resampler(by_kind=True), len(sums.sizes), resamples, seed, threads)
    accelerations = acceleration(sums)
    return [
        _bca(float(row.mean()), draws[:, place], float(accelerations[place]), level, f"row {place + 1}")
        for place, row in enumerate(rows)
    ]


def run_bootstrap(
    scores: Sequence[ArrayLike],
    clusters: Sequence[str],
    *,
    resamples: int = 10_000,
    seed: int,
    level: float = 0.95,
    threads: int = 2,
    fixed: Sequence[int] = (),
) -> RunBootstrap:
    """Resamples clusters of items and runs: a diagnostic of the t interval from ten runs an arm up.

    Each resample draws clusters once for all arms and runs, then runs within each arm, all with replacement (the
    "pigeonhole bootstrap" of Owen 2007, Annals of Applied Statistics 1, 386). The deviation that the drawn runs
    bring is stretched by √(R/(R-1)), since R drawn runs vary by (R-1)/R of what R new runs would. Item x run noise
    is counted about three times (McCullagh 2000, Bernoulli 6, 285), so the intervals are wide where it dominates.

    Args:
        scores: The scores of each arm, ``[runs, items]``, on the same items in the same order.
        clusters: The cluster of each item.
        resamples: The number of resamples.
        seed: The seed of the draws.
        level: The two-sided level.
        threads: How many blocks of resamples are worked on at once; the result is the same.
        fixed: Places of the arms whose runs are all there are, such as a base that was run once; theirs are
            averaged, not drawn.

    Returns:
        The resampled means of the arms, from which intervals of means and differences are read.

    Raises:
        UserError: With fewer than ten runs in an arm that is not fixed, or ten clusters; for arms of unequal
            items, a score that is no number, or too few resamples.
    """
    arms = [_finite(np.asarray(arm, dtype=np.float64), f"arm {i + 1}, run ") for i, arm in enumerate(scores)]
    for place, arm in enumerate(arms):
        if place not in fixed and len(arm) < FEWEST:
            raise UserError(
                f"arm {place + 1} has {len(arm)} runs; the bootstrap over runs needs {FEWEST} or more",
                "use the t interval, which holds from three runs up",
            )
    items = [arm.shape[1] for arm in arms]
    if len(set(items)) != 1:
        raise UserError(f"arms have {items} items", "give arms that were judged on the same items")
    codes = _cluster_codes(clusters, items[0], FEWEST, "the bootstrap over runs needs")
    _check_resamples(resamples, level)
    draws = resampled_arm_means(arms, codes, resamples=resamples, seed=seed, threads=threads, fixed=fixed)
    return RunBootstrap(np.array([arm.mean() for arm in arms]), draws, level)


def resampled_arm_means(
    arms: Sequence[Array],
    codes: NDArray[np.intp],
    *,
    resamples: int,
    seed: int,
    threads: int = 2,
    fixed: Sequence[int] = (),
    stretched: bool = True,
) -> Array:
    """Returns the draws of ``run_bootstrap`` for any number of runs; the coverage study asks for them.

    Args:
        arms: The scores of each arm, ``[runs, items]``.
        codes: The cluster of each item, counted from 0.
        resamples: The number of resamples.
        seed: The seed of the draws.
        threads: How many blocks of resamples are worked on at once.
        fixed: Places of the arms whose runs are averaged, not drawn.
        stretched: Whether to apply the factor √(R/(R-1)).

    Returns:
        ``[resamples, arms]``.
    """
    runs = np.concatenate(arms)
    run_means = runs.mean(axis=1)
    sums = ClusterSums.of(runs, codes)
    deviations = sums.resampler()
    edges = np.cumsum([0, *map(len, arms)])

    def work(generator: np.random.Generator, count: int) -> Array:
        found = run_means + deviations(generator, count)
        means = np.empty((count, len(arms)))
        for place, (start, stop) in enumerate(itertools.pairwise(edges)):
            centre = found[:, start:stop].mean(axis=1)
            if place not in fixed:
                drawn = generator.integers(start, stop, (count, stop - start))
                stretch = ((stop - start) / (stop - start - 1)) ** 0.5 if stretched else 1.0
                centre += stretch * (np.take_along_axis(found, drawn, axis=1).mean(axis=1) - centre)
            means[:, place] = centre
        return means

    return in_blocks(work, len(sums.sizes), resamples, seed, threads)


def acceleration(sums: ClusterSums) -> Array:
    """Returns the acceleration of each column's mean (Efron 1987, by the jackknife over clusters, in closed form).

    The mean without one cluster is ``-sum / (items - size)``, centred; with ``d`` the deviations of these means from
    their own mean, sign reversed, it is ``Σ d³ / (6 (Σ d²)^1.5)``, between -1/6 and 1/6.
    """
    without = -sums.sums / (sums.sizes.sum() - sums.sizes)[:, None]
    deviation = without.mean(axis=0) - without
    cubes, squares = (deviation**3).sum(axis=0), (deviation**2).sum(axis=0)
    return np.asarray(cubes / (6 * squares**1.5), dtype=np.float64)


def _bca(mean: float, draws: Array, skew: float, level: float, name: str) -> Interval:
    """Returns the BCa interval from ``draws`` ([resamples]), deviations from ``mean``, with the acceleration ``skew``.

    Resamples equal to the mean count half as below it, as in scipy.
    """
    below = ((draws < 0).mean() + (draws <= 0).mean()) / 2
    if not 0 < below < 1:
        raise UserError(
            f"all resamples of {name} lie on one side of its mean", "draw more, or use the t interval"
        )
    bias = special.ndtri(below)
    shifted = bias + special.ndtri((1 + np.array([-level, level])) / 2)
    low, high = mean + np.quantile(draws, special.ndtr(bias + shifted / (1 - skew * shifted)))
    return Interval(mean, float(low), float(high))


def _finite(rows: Array, name: str) -> Array:
    """Returns ``rows``, checked to be ``[rows, items]`` of finite numbers; ``name`` opens the name of a row."""
    if rows.ndim != 2 or 0 in rows.shape:
        raise UserError(
            f"values of shape {list(rows.shape)}", "give a row for each run, a column for each item"
        )
    wrong = np.argwhere(~np.isfinite(rows))
    if len(wrong):
        row, item = wrong[0]
        raise UserError(
            f"{name}{row + 1} has the value {rows[row, item]} at item {item + 1}",
            "every value must be a finite number",
        )
    return rows


def _cluster_codes(clusters: Sequence[str], items: int, fewest: int, who: str) -> NDArray[np.intp]:
    """Returns the cluster of each item as an integer from 0, in the order of first items."""
    if len(clusters) != items:
        raise UserError(f"{len(clusters)} clusters for {items} items", "give the cluster of each item")
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(name, len(places)) for name in clusters], dtype=np.intp)
    if len(places) < fewest:
        raise UserError(
            f"{len(places)} clusters of items; {who} {fewest} or more", "use the t interval or more items"
        )
    return codes


def _check_spread(rows: Array, sums: ClusterSums) -> None:
    """Refuses ``rows`` ([rows, items]) with fewer than five clusters whose mean is not the most common one."""
    for place, (row, column) in enumerate(zip(rows, sums.sums.T, strict=True)):
        rounding = ROUNDING * float(np.abs(row).max()) or 1.0
        counts = np.unique(np.round(column / sums.sizes / rounding), return_counts=True)[1]
        deviating = len(column) - int(counts.max())
        if deviating < FEW:
            raise UserError(
                f"{deviating} of {len(column)} clusters in row {place + 1} differ from the most common value",
                "use the t interval, which allows for what was not seen",
            )


def _check_resamples(resamples: int, level: float) -> None:
    """Refuses a level that is none, and fewer resamples than put five beyond each end."""
    if not 0 < level < 1:
        raise UserError(f"level {level}", "give a level between 0 and 1, such as 0.95")
    needed = int(np.ceil(round(2 * TAIL / (1 - level), 6)))
    if resamples < needed:
        raise UserError(f"{resamples} resamples are too few at level {level:g}", f"draw {needed} or more")
