"""The length-controlled win rate: what a judge would prefer if both replies were equally long.

Judges tend to prefer longer replies. A logistic regression of the judge's preference on the difference in length, as in
AlpacaEval 2 (Dubois et al. 2024, arXiv 2404.04475), says what is left of a win rate at no difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from suffice.common.errors import UserError
from suffice.proof.intervals import FEW
from suffice.proof.judging.judges import check_same_pairs, checked, cluster_codes, deviating, mean_rate

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

SIMPLIFIED = "length-controlled, simplified model without item difficulties, no penalty"
WITH_DIFFICULTY = "length-controlled, terms of AlpacaEval 2, no penalty"

# The linear programme is solved to about 1e-7; a direction that gains less than this is none.
SEPARABLE = 1e-5


@dataclass(frozen=True)
class LengthControlled:
    """A win rate as it would be at equal lengths.

    Attributes:
        estimate: The win rate that the model predicts where both replies are equally long.
        low: The lower end of the interval.
        high: The upper end.
        raw: The win rate as judged, a tie counting half.
        length_effect: The coefficient of tanh(length difference / SD), in log odds; above 0 where longer wins.
        model: The name of the model; it says where it is simplified.
    """

    estimate: float
    low: float
    high: float
    raw: float
    length_effect: float
    model: str


def length_controlled(
    verdicts: ArrayLike,
    lengths: ArrayLike,
    clusters: Sequence[str],
    difficulty: ArrayLike | None = None,
    alpha: float = 0.05,
) -> LengthControlled:
    """Returns the win rate at equal lengths, with the terms of AlpacaEval 2 (Dubois et al. 2024, arXiv 2404.04475).

    The log odds of preferring the first model are ``m + l tanh(Δ / SD(Δ)) + h d_i``, with Δ the length difference
    and d_i the difficulty of item i; the estimate is the mean of ``expit(m + h d_i)`` over items. Without difficulties
    the last term falls away, and the result is named a simplified model. Unlike AlpacaEval's code the fit has no
    penalty and no extra data: it is plain maximum likelihood, refused where no maximum exists (separable verdicts).
    The interval is on the log odds, from the clustered sandwich variance and the t of clusters - 1.

    Args:
        verdicts: 1, 1/2 or 0 for each pair, or the judge's probability of preferring the first, ``[pairs]``.
        lengths: The first reply's length less the second's, ``[pairs]``, in any unit.
        clusters: The cluster of each pair.
        difficulty: The difficulty of each pair's item from a joint fit over many models, ``[pairs]``.
        alpha: One minus the level of the interval.

    Returns:
        The win rate.

    Raises:
        UserError: As ``win_rate``, and where the terms cannot be told apart, the verdicts are separable, or fewer
            than five clusters differ from the most common verdict.
    """
    values = checked(verdicts, "verdict")
    codes = cluster_codes(clusters, values)
    raw = mean_rate(values, codes, alpha, 0.0, 1.0)
    design = _design(values, lengths, difficulty)
    _check_separable(values, design)
    if deviating(values, codes) < FEW:
        raise UserError(
            f"{deviating(values, codes)} of {raw.clusters} clusters differ from the most common verdict, too few to "
            "fit the effect of length",
            "judge more pairs, or report the raw win rate",
        )
    weights = _fit(values, design)
    equal = design.copy()
    equal[:, 1] = 0.0
    at_equal = special.expit(equal @ weights)
    estimate = float(at_equal.mean())
    gradient = equal.T @ (at_equal * (1 - at_equal)) / len(values) / (estimate * (1 - estimate))
    error = math.sqrt(gradient @ _sandwich(values, design, weights, codes) @ gradient)
    reach = float(stats.t.isf(alpha / 2, raw.clusters - 1)) * error
    odds = float(special.logit(estimate))
    return LengthControlled(
        estimate=estimate,
        low=float(special.expit(odds - reach)),
        high=float(special.expit(odds + reach)),
        raw=raw.estimate,
        length_effect=float(weights[1]),
        model=SIMPLIFIED if difficulty is None else WITH_DIFFICULTY,
    )


def _design(verdicts: Array, lengths: ArrayLike, difficulty: ArrayLike | None) -> Array:
    """Returns the columns 1, tanh(length difference / SD) and, where given, the difficulty: ``[pairs, terms]``.

    The difficulty is put on a scale of mean 0 and SD 1, which changes no prediction.
    """
    gap = checked(lengths, "length difference", bounded=False)
    check_same_pairs(verdicts, gap)
    columns = [np.ones(len(gap)), np.tanh(gap / (gap.std(ddof=1) or 1.0))]
    if difficulty is not None:
        hard = checked(difficulty, "difficulty", bounded=False)
        check_same_pairs(verdicts, hard)
        columns.append((hard - hard.mean()) / (hard.std() or 1.0))
    design = np.stack(columns, axis=1)
    if np.linalg.matrix_rank(design) < len(columns):
        raise UserError(
            "the length difference (or the difficulty) is the same for all pairs, or one follows from the other, "
            "so the effect of length cannot be told apart",
            "report the raw win rate",
        )
    return design


def _check_separable(verdicts: Array, design: Array) -> None:
    """Raises a UserError where the terms foretell the verdicts, so that no greatest likelihood exists.

    That is so where the weights can move in a direction that lowers the likelihood of no verdict and raises that of one
    for ever (Albert and Anderson 1984, Biometrika 71, 1-10): a linear programme looks for one. Wins and losses must
    not move to the wrong side, ties not at all.
    """
    sides = np.where(verdicts == 1, 1.0, np.where(verdicts == 0, -1.0, 0.0))
    signed = design * sides[:, None]
    tied = design[sides == 0]
    found = optimize.linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        A_eq=tied if len(tied) else None,
        b_eq=np.zeros(len(tied)) if len(tied) else None,
        bounds=(-1, 1),
    )
    if float(-signed.sum(axis=0) @ found.x) < -SEPARABLE:
        raise UserError(
            "the verdicts follow from the length difference (and the difficulty) alone, or are all the same, so no win "
            "rate at equal lengths can be fitted",
            "judge more pairs, or report the raw win rate",
        )


def _fit(verdicts: Array, design: Array) -> Array:
    """Returns the weights of greatest likelihood, ``[terms]``."""

    def loss(weights: Array) -> float:
        odds = design @ weights
        return float(np.mean(np.logaddexp(0.0, odds) - verdicts * odds))

    def slope(weights: Array) -> Array:
        return np.asarray(design.T @ (special.expit(design @ weights) - verdicts) / len(verdicts))

    def curvature(weights: Array) -> Array:
        return _information(design, weights) / len(verdicts)

    found = optimize.minimize(
        loss,
        np.zeros(design.shape[1]),
        jac=slope,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-7},
    )
    weights = np.asarray(found.x)
    assert float(np.abs(slope(weights)).max()) < 1e-6, found.message
    return weights


def _information(design: Array, weights: Array) -> Array:
    """Returns the Fisher information, ``[terms, terms]``."""
    chance = special.expit(design @ weights)
    return np.asarray(design.T @ (design * (chance * (1 - chance))[:, None]))


def _sandwich(verdicts: Array, design: Array, weights: Array, codes: Codes) -> Array:
    """Returns the clustered variance of the weights, ``G/(G-1) · H⁻¹ Σ_g s_g s_g' H⁻¹``, ``[terms, terms]``."""
    groups = int(codes.max()) + 1
    sums = np.zeros((groups, design.shape[1]))
    np.add.at(sums, codes, design * (verdicts - special.expit(design @ weights))[:, None])
    bread = np.linalg.inv(_information(design, weights))
    return np.asarray(groups / (groups - 1) * bread @ (sums.T @ sums) @ bread)
