"""What is known of one difference: its estimate, its interval at any level, and its p-values.

Two kinds of inference, never confused. ``models``: two fixed models, one run each; the items are the sample, and
nothing is said about the methods that made the models. ``procedure``: methods, three or more runs each; items and runs
are the sample. A reference that was run once stands in a procedure as one fixed model, and the sentence says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from suffice.common.errors import UserError
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.bootstrap import item_bootstrap, run_bootstrap
from suffice.proof.compare.mcnemar import mcnemar, mcnemar_p
from suffice.proof.compare.sign_flip import sign_flip
from suffice.proof.compare.tango import score_interval, tango
from suffice.proof.intervals import FEW, Interval, interval
from suffice.proof.settle import MOST_ITEMS, Settling, fewest, settling
from suffice.proof.variance import Components, RunVariance, of_difference

Inference = Literal["models", "procedure"]
FEWEST_RUNS = 3
RESAMPLES = 2_000


@dataclass(frozen=True)
class Evidence:
    """One difference ``b - a`` and what can be said of it, in the unit of the scores.

    Attributes:
        inference: Whether it is about two models or about methods.
        test: The name of the test and of the interval.
        items: The number of items; None where only one score a run is known.
        parts: The estimate and the parts of its variance.
        interval: The two-sided interval for an alpha.
        p_zero: The two-sided p-value of a difference of zero; None where nothing gives one.
        p_margin: The p-value of a difference of -margin or less, doubled, so that it is at most alpha exactly
            where the lower end of ``interval(alpha)`` is above -margin.
        settling: What would settle the claim at a margin and a two-sided error, the estimate staying as it is.
        bootstrap: A second opinion on the interval, which decides nothing: BCa over items for two models, items
            and runs from ten runs an arm up; None where neither has data enough.
    """

    inference: Inference
    test: str
    items: int | None
    parts: Components
    interval: Callable[[float], Interval]
    p_zero: float | None
    p_margin: Callable[[float], float | None]
    settling: Callable[[float, float], Settling | None]
    bootstrap: Callable[[float], Interval | None] = lambda _: None


def evidence(a: ArmScores, b: ArmScores, clusters: Sequence[str]) -> Evidence:
    """Returns what is known of ``b - a``, both scored on the same items.

    Args:
        a: The reference.
        b: The other arm.
        clusters: The cluster of each item.

    Returns:
        The evidence.

    Raises:
        UserError: An arm has two runs, or runs that are copies, or one run where the reference has several.
    """
    _check_runs(a, b)
    if b.runs > 1:
        parts = of_difference(b, replace(a, kind="model") if a.runs == 1 else a, clusters)
        found = _by_t(parts, "procedure", "t over items and runs (Satterthwaite)", parts.items)
        return replace(found, bootstrap=lambda alpha: _run_bootstrap(a, b, clusters, alpha))
    a, b = replace(a, kind="model"), replace(b, kind="model")
    parts = of_difference(b, a, clusters)
    if parts.clusters == parts.items and _binary(a) and _binary(b) and a.bounds == b.bounds:
        return _binary_models(a, b, parts)
    groups = "clusters" if parts.clusters < parts.items else "items"
    found = _by_t(parts, "models", f"sign-flips and t interval over {groups}", parts.items)
    flips = sign_flip(b.scores[0], a.scores[0], clusters, seed=0).p
    return replace(
        found,
        p_zero=max(flips, found.p_zero or 0.0),  # both must reject, so that the interval never contradicts
        bootstrap=lambda alpha: _item_bootstrap(a, b, clusters, alpha),
    )


def run_evidence(a: NDArray[np.float64], b: NDArray[np.float64]) -> Evidence:
    """Returns what is known of ``b - a`` from one score a run and no items: Welch's t test.

    Args:
        a: ``[runs_a]``, three or more.
        b: ``[runs_b]``, three or more.

    Returns:
        The evidence, which counts runs alone and so is about these very items.

    Raises:
        UserError: An arm has fewer than three runs, or no arm's runs vary.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UserError("a run has a score that is no number", "score every run with a finite number")
    if min(len(a), len(b)) < FEWEST_RUNS:
        raise UserError(
            f"{len(a)} and {len(b)} scores without items show next to nothing of how much runs vary",
            f"give scores by item, or {FEWEST_RUNS} runs or more of each arm",
        )
    if np.ptp(a) == np.ptp(b) == 0:
        raise UserError(
            "all runs of both arms score the same, so nothing shows how much runs vary",
            "give scores by item",
        )
    runs = tuple(RunVariance(len(arm), float(arm.var(ddof=1)), 0.0) for arm in (a, b))
    mean = float(b.mean() - a.mean())
    parts = Components(mean, 1, 1, 0.0, runs, (), deviating=FEW, support=UNBOUNDED)
    return _by_t(parts, "procedure", "Welch's t over runs", None)


def _check_runs(a: ArmScores, b: ArmScores) -> None:
    for arm in (a, b):
        _check_copies(arm)
        if 1 < arm.runs < FEWEST_RUNS:
            raise UserError(
                f"'{arm.name}' has {arm.runs} runs, which show next to nothing of how much runs vary",
                f"give {FEWEST_RUNS} runs or more for a claim about a method, or one run for one about a model",
            )
    if b.runs == 1 < a.runs:
        raise UserError(
            f"'{b.name}' has one run and '{a.name}' has {a.runs}, and one run shows nothing about a method",
            f"give {FEWEST_RUNS} runs or more of '{b.name}', or name it first, as the reference",
        )


def _check_copies(arm: ArmScores) -> None:
    """Refuses runs that are copies of each other; an arm that scores the same everywhere may be what it seems."""
    if arm.runs > 1 and np.ptp(arm.scores, axis=0).max() == 0 < np.ptp(arm.scores):
        raise UserError(
            f"all {arm.runs} runs of '{arm.name}' give the same scores on every item, so they are one run",
            "give one of them, or runs that were trained with other seeds",
        )


def _binary(arm: ArmScores) -> bool:
    """Tells whether every score is the least or the greatest there can be."""
    return bool(np.isin(arm.scores, arm.bounds).all())


def _by_t(parts: Components, inference: Inference, test: str, items: int | None) -> Evidence:
    """Returns the evidence of a t interval, its p-values read off that interval."""

    def found(alpha: float) -> Interval:
        return interval(parts, alpha)

    return Evidence(
        inference=inference,
        test=test,
        items=items,
        parts=parts,
        interval=found,
        p_zero=inverted(found, 0.0),
        p_margin=lambda margin: inverted(found, -margin),
        settling=lambda margin, alpha: None if found(alpha).low is None else settling(parts, -margin, alpha),
    )


def _binary_models(a: ArmScores, b: ArmScores, parts: Components) -> Evidence:
    """Two models, right or wrong on each item: McNemar for zero, Tango's score interval for a margin."""
    low, high = a.bounds
    unit = high - low
    right_a, right_b = ((arm.scores[0] - low) / unit for arm in (a, b))

    def found(alpha: float) -> Interval:
        ends = tango(right_b, right_a, alpha=alpha)
        return Interval(parts.mean, unit * ends.low, unit * ends.high)

    counts = mcnemar(right_b, right_a)

    def settles(margin: float, alpha: float) -> Settling:
        """More items, discordant in the same shares; runs play no part."""

        def enough(more: int) -> bool:
            items = counts.items + more
            b_only, a_only = (round(count * items / counts.items) for count in (counts.b, counts.c))
            if margin == 0:
                return mcnemar_p(b_only, a_only) <= alpha
            low, high = score_interval(b_only, a_only, items, alpha)
            return unit * low > -margin or unit * high < -margin

        return Settling(runs=None, items=fewest(enough, MOST_ITEMS))

    return Evidence(
        inference="models",
        test="McNemar's exact test and Tango's interval",
        items=parts.items,
        parts=parts,
        interval=found,
        p_zero=counts.p,
        settling=settles,
        p_margin=lambda margin: min(1.0, 2 * tango(right_b, right_a, margin=margin / unit).p),
    )


def _item_bootstrap(a: ArmScores, b: ArmScores, clusters: Sequence[str], alpha: float) -> Interval | None:
    try:
        [found] = item_bootstrap(
            b.scores[0] - a.scores[0], clusters, seed=0, level=1 - alpha, resamples=RESAMPLES
        )
    except UserError:  # too few clusters, or too few that differ
        return None
    return found


def _run_bootstrap(a: ArmScores, b: ArmScores, clusters: Sequence[str], alpha: float) -> Interval | None:
    fixed = [0] if a.runs == 1 else []
    try:
        found = run_bootstrap(
            [a.scores, b.scores], clusters, seed=0, level=1 - alpha, fixed=fixed, resamples=RESAMPLES
        )
        return found.difference(1, 0)
    except UserError:  # fewer than ten runs or clusters, or nothing varies
        return None


def inverted(found: Callable[[float], Interval], boundary: float) -> float | None:
    """Returns the p-value that an interval implies: the least alpha at which its lower end is above ``boundary``.

    For a boundary of 0 and a negative estimate, the least alpha at which the upper end is below it.

    Args:
        found: The two-sided interval for an alpha, wider for a smaller one.
        boundary: In the unit of the scores.

    Returns:
        The p-value: 1 where no alpha excludes the boundary, None where there is no interval.
    """
    middle = found(0.5)
    if middle.low is None:
        return None
    below = middle.estimate < boundary == 0

    def gap(log_alpha: float) -> float:
        ends = found(math.exp(log_alpha))
        assert ends.low is not None
        assert ends.high is not None
        return 1.0 if (ends.high < boundary if below else ends.low > boundary) else -1.0

    least, most = -700.0, math.log1p(-1e-9)
    if gap(most) < 0:
        return 1.0
    if gap(least) > 0:
        return 0.0
    return math.exp(float(optimize.bisect(gap, least, most, xtol=1e-9)))
