"""How much runs vary, and why: the draw of rows, the training seed, or both together.

The score of a run is taken as ``mean + draw + seed within draw``. With N runs of a draws, n_i runs of draw i, the mean
squares of a one-way layout are

    MSB = Σ n_i (mean_i - mean)² / (a - 1)      expected: n0 draw² + seed²
    MSW = Σ (y_ij - mean_i)² / (N - a)          expected: seed²
    n0  = (N - Σ n_i² / N) / (a - 1)

so that seed² is estimated by MSW and draw² by ``max(0, (MSB - MSW) / n0)``. Source: Searle, Casella and McCulloch
(1992), *Variance Components*, section 3.6 (the ANOVA estimators of unbalanced data).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suffice.common.errors import UserError
from suffice.proof.arms import ROUNDING

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Standard deviations between runs, in units of the scores.

    Attributes:
        draw_sd: Between draws of rows, training seeds aside; None where it is not told apart.
        seed_sd: Between training seeds on the same rows; None where it is not told apart.
        total_sd: Between runs, with all that varied: ``√(draw_sd² + seed_sd²)`` where there are both.
        draws: The number of draws (sets of rows trained on); None where that is not known.
        runs: The number of runs.
        sentence: What was and what was not told apart.
    """

    draw_sd: float | None
    seed_sd: float | None
    total_sd: float
    draws: int | None
    runs: int
    sentence: str


def spread(scores: ArrayLike, draws: Sequence[int], seeds: Sequence[int]) -> Spread:
    """Splits the variance between runs into the draw's and the training seed's, where the runs allow it.

    They are told apart where two draws or more have two seeds or more. A single draw (a selected set) shows the
    training seed alone. In all other cases the sum of both is estimated: by the same mean squares where one draw has
    several seeds, by the variance of the scores where none has.

    Args:
        scores: The mean score of each run over items, ``[runs]``.
        draws: The draw of each run.
        seeds: The training seed of each run. The same number in two draws is not the same luck.

    Returns:
        The spread.

    Raises:
        UserError: If there are fewer than two runs, a score is not a number, the lengths differ, or a run is there
            twice.
    """
    values = _checked(scores, draws, seeds)
    codes = np.unique(np.asarray(draws), return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(codes)
    draw, seed = _components(values, codes)
    total = math.sqrt(draw + seed)
    if sizes.size == 1:
        split: tuple[float | None, float | None] = (None, total)
        sentence = (
            f"Spread (SD) of {total:.3g} over {values.size} training seeds on one set of rows: training alone, "
            "no draw in it."
        )
    elif np.count_nonzero(sizes > 1) >= 2:
        split = (math.sqrt(draw), math.sqrt(seed))
        sentence = (
            f"Spread (SD) of {total:.3g} over {values.size} runs of {sizes.size} draws, told apart: "
            f"{split[0]:.3g} between draws and {split[1]:.3g} between training seeds."
        )
    else:
        split = (None, None)
        sentence = (
            f"Spread (SD) of {total:.3g} over {values.size} runs of {sizes.size} draws, draw and training seed "
            "together: to tell them apart takes two seeds on two draws."
        )
    return Spread(*split, total, int(sizes.size), int(values.size), sentence + _alike(values))


def spread_of_unknown(scores: ArrayLike) -> Spread:
    """Returns the spread of runs of which nothing says on which draw each was trained.

    Args:
        scores: The mean score of each run over items, ``[runs]``.

    Returns:
        The spread, the draw and the seed not told apart.

    Raises:
        UserError: As in ``spread``.
    """
    places = range(len(np.atleast_1d(np.asarray(scores))))
    values = _checked(scores, [0] * len(places), places)
    total = float(values.std(ddof=1))
    sentence = (
        f"Spread (SD) of {total:.3g} over {values.size} runs; whether the draw of rows, the training seed or both "
        "varied, the logs do not say."
    )
    return Spread(None, None, total, None, int(values.size), sentence + _alike(values))


def _alike(values: Array) -> str:
    if np.ptp(values) > ROUNDING * np.abs(values).max():
        return ""
    return " All runs score the same, which does not show that they never vary."


def _components(values: Array, codes: NDArray[np.intp]) -> tuple[float, float]:
    """Returns the variances of the draw and of the seed; with one run a draw, their sum and zero.

    Args:
        values: The scores, ``[runs]``.
        codes: The draw of each run as an integer from 0, ``[runs]``.

    Returns:
        The two variances; with a single draw, zero and the variance of the seed.
    """
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=values) / sizes
    free = values.size - sizes.size
    within = float(np.square(values - means[codes]).sum()) / free if free else 0.0
    if sizes.size == 1:
        return 0.0, within
    between = float(np.sum(sizes * np.square(means - values.mean()))) / (sizes.size - 1)
    per_draw = (values.size - float(np.square(sizes).sum()) / values.size) / (sizes.size - 1)
    return max(0.0, (between - within) / per_draw), within


def _checked(scores: ArrayLike, draws: Sequence[int], seeds: Sequence[int]) -> Array:
    """Returns the scores as an array, after checking that they and their labels fit together."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values) == len(draws) == len(seeds):
        raise UserError(
            f"there are scores of shape {list(values.shape)}, {len(draws)} draws and {len(seeds)} seeds",
            "give one of each for every run",
        )
    if values.size < 2:
        raise UserError(
            f"{values.size} run{'' if values.size == 1 else 's'} cannot show how much runs vary",
            "train two runs or more",
        )
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        place = wrong[0]
        raise UserError(
            f"the run of draw {draws[place]} and seed {seeds[place]} has the score {values[place]}",
            "score every item of it with a finite number",
        )
    known: set[tuple[int, int]] = set()
    for run in zip(draws, seeds, strict=True):
        if run in known:
            raise UserError(
                f"the run of draw {run[0]} and seed {run[1]} is there twice", "give every run once"
            )
        known.add(run)
    return values
