"""The linear datamodeling score: do the scores of training rows foretell what training on some of them does?

Park et al., "TRAK: Attributing Model Behavior at Scale" (arXiv 2303.14186), definition 2.3, after the datamodels of
Ilyas et al. (arXiv 2202.00622). A model is trained on each of several random subsets S of the rows and its outcome
for a target z is measured; scores τ_i(z) of the rows foretell it by their sum over the subset, and

    LDS(z) = Spearman(outcome_S(z), sum_{i in S} τ_i(z)) over the subsets S.

The score of a method is the mean over targets. Its error is that of a bootstrap over both subsets and targets
(each drawn anew with replacement), the same draws for every method, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from suffice.common.errors import UserError

Array = NDArray[np.float64]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean correlation, or a difference of two, with its error.

    Attributes:
        value: The estimate.
        error: The standard deviation over the bootstrap's draws.
        low: The lower end of the percentile interval.
        high: The upper end.
    """

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Datamodeling:
    """How well methods foretell retraining.

    Attributes:
        scores: The mean over targets, for each method.
        by_target: The correlation of each target, for each method, in the order of the targets.
        differences: For each method but the yardstick the difference of the yardstick's score and its own.
        yardstick: The method that the others are held against.
        reliability: The mean over targets of the rank correlation of the outcomes of two halves of the seeds,
            stepped up to all of them (Spearman and Brown): what of the outcomes is the subset's doing rather than
            the seeds'; `None` with one seed. No method can be expected to score above its square root.
    """

    scores: dict[str, Estimate]
    by_target: dict[str, list[float]]
    differences: dict[str, Estimate]
    yardstick: str
    reliability: float | None


def foretold(scores: NDArray[np.floating], subsets: NDArray[np.bool_]) -> Array:
    """Returns the sum of the scores of each subset's rows, [targets, subsets].

    Args:
        scores: The scores, [rows, targets] or, one for all targets, [rows]. A row without a score (NaN) counts as
            one of the mean score, which says nothing either way.
        subsets: Whether each subset holds each row, [subsets, rows].

    Raises:
        UserError: No row has a score for a target.
    """
    table = np.array(scores, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    missing = np.isnan(table)
    if missing.all(axis=0).any():
        raise UserError("no row has a score, so that nothing is foretold", "look at the notes of the scores")
    means = np.nansum(table, axis=0) / (~missing).sum(axis=0)
    sums: Array = (subsets.astype(np.float64) @ np.where(missing, means, table)).T
    return sums


def correlations(predictions: Array, outcomes: Array) -> Array:
    """Returns Spearman's correlation of each target over the subsets, [targets]; 0 where either does not vary.

    Args:
        predictions: What is foretold, [targets, subsets].
        outcomes: What came, [targets, subsets].
    """
    x, y = (stats.rankdata(part, axis=1) for part in (predictions, outcomes))
    x, y = (part - part.mean(axis=1, keepdims=True) for part in (x, y))
    norms = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    found: Array = np.divide((x * y).sum(axis=1), norms, out=np.zeros(len(x)), where=norms > 0)
    return found


def linear_datamodeling_score(
    predictions: Mapping[str, Array],
    outcomes: Array,
    *,
    yardstick: str,
    resamples: int = RESAMPLES,
    alpha: float = 0.05,
    seed: int = 0,
) -> Datamodeling:
    """Computes the score of each method and its difference to one of them.

    Args:
        predictions: For each method what it foretells, [targets, subsets] (see `foretold`), or [1, subsets]
            where it is the same for all targets. Higher must mean better.
        outcomes: What came of training, [seeds, targets, subsets]. Higher must mean better: negate a loss.
        yardstick: The method that the others are held against.
        resamples: Draws of the bootstrap.
        alpha: One minus the level of the intervals.
        seed: Seed of the bootstrap.

    Raises:
        UserError: There are fewer than three subsets, shapes do not fit, or a number is not finite.
    """
    outcomes = np.asarray(outcomes, dtype=np.float64)
    _, targets, subsets = outcomes.shape
    tables = {
        name: np.broadcast_to(np.asarray(table, dtype=np.float64), (targets, subsets))
        for name, table in predictions.items()
    }
    if subsets < 3:
        raise UserError(f"{subsets} subsets show no correlation", "give three or more")
    if not all(np.isfinite(table).all() for table in (outcomes, *tables.values())):
        raise UserError("an outcome or a prediction is not a finite number", "leave that target out")
    mean = outcomes.mean(axis=0)
    by_target = {name: correlations(table, mean) for name, table in tables.items()}
    drawn = _bootstrap(tables, mean, resamples, seed)
    leader = by_target[yardstick].mean()

    def estimate(value: float, draws: Array) -> Estimate:
        low, high = np.quantile(draws, (alpha / 2, 1 - alpha / 2))
        return Estimate(float(value), float(draws.std(ddof=1)), float(low), float(high))

    return Datamodeling(
        {name: estimate(each.mean(), drawn[name]) for name, each in by_target.items()},
        {name: each.tolist() for name, each in by_target.items()},
        {
            name: estimate(leader - each.mean(), drawn[yardstick] - drawn[name])
            for name, each in by_target.items()
            if name != yardstick
        },
        yardstick,
        reliability(outcomes),
    )


def reliability(outcomes: Array) -> float | None:
    """Returns the stepped-up rank correlation of two halves of the seeds; see `Datamodeling`."""
    seeds = len(outcomes)
    if seeds < 2:
        return None
    half = float(correlations(outcomes[::2].mean(axis=0), outcomes[1::2].mean(axis=0)).mean())
    return 2 * half / (1 + half) if half > 0 else 0.0


def _bootstrap(tables: Mapping[str, Array], outcomes: Array, resamples: int, seed: int) -> dict[str, Array]:
    """Returns each method's mean correlation in each resample of subsets and targets, [resamples]."""
    targets, subsets = outcomes.shape
    generator = np.random.default_rng(seed)
    found = {name: np.empty(resamples) for name in tables}
    came, places = _places(outcomes), {name: _places(table) for name, table in tables.items()}
    for i in range(resamples):
        columns, rows = generator.integers(subsets, size=subsets), generator.integers(targets, size=targets)
        counts = np.bincount(columns, minlength=subsets).astype(np.float64)
        y = _centred_ranks(came, counts)
        squares = (counts * y**2).sum(axis=1)
        for name, place in places.items():
            x = _centred_ranks(place, counts)
            norms = np.sqrt((counts * x**2).sum(axis=1) * squares)
            sums = (counts * x * y).sum(axis=1)
            found[name][i] = np.divide(sums, norms, out=np.zeros(targets), where=norms > 0)[rows].mean()
    return found


def _places(table: Array) -> NDArray[np.intp]:
    """Returns the place of each number among the different numbers of its row, from 0."""
    places: NDArray[np.intp] = np.asarray(stats.rankdata(table, method="dense", axis=1)).astype(np.intp) - 1
    return places


def _centred_ranks(places: NDArray[np.intp], counts: Array) -> Array:
    """Returns the ranks in a resample that has column ``j`` ``counts[j]`` times, ties shared, less their mean."""
    rows, columns = places.shape
    codes = places + columns * np.arange(rows)[:, None]
    totals = np.bincount(codes.ravel(), np.tile(counts, rows), rows * columns).reshape(rows, columns)
    ranks = totals.cumsum(axis=1) - (totals - 1) / 2
    centred: Array = np.take_along_axis(ranks, places, axis=1) - (counts.sum() + 1) / 2
    return centred
