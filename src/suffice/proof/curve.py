"""The budget curve: how few examples are enough, by tests in an order that was fixed beforehand.

The arms of one way of choosing are held against a yardstick, one budget after the other from the largest down,
each at the full level; the first that is not shown to be enough ends the sequence. A sequence fixed beforehand needs
no correction for its length (Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen 2001, J Stat Plan Inference 99,
25): a false claim needs an error at the largest budget that is truly too small. Refutations run the other way, from
the smallest budget up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import interpolate

from suffice.common.errors import UserError
from suffice.proof.arms import ArmScores
from suffice.proof.intervals import Interval, difference_interval, mean_interval

SMOOTH = 61  # places of the smooth line


@dataclass(frozen=True)
class CurvePoint:
    """One budget.

    Attributes:
        rows: The number of examples.
        score: The mean score.
        runs: The score of each run.
        difference: The score less the yardstick's; nothing but zero where the arm is the yardstick.
    """

    rows: int
    score: Interval
    runs: tuple[float, ...]
    difference: Interval


@dataclass(frozen=True)
class Curve:
    """The scores of one way of choosing over budgets.

    Attributes:
        method: The way of choosing.
        yardstick: The name of the arm that the budgets are held against.
        points: By budget, the smallest first.
        margin: In the unit of the scores.
        refuted: The largest budget shown to be too small, all smaller ones refuted too; None where none is.
        shown: The smallest budget shown to be enough, all larger ones shown too; None where none is.
        monotone: Whether no budget scores below a smaller one.
        smooth: Rows and score along a smooth line through the points, for the eye alone; empty where the curve is
            not monotone or has fewer than three points.
    """

    method: str
    yardstick: str
    points: tuple[CurvePoint, ...]
    margin: float
    refuted: int | None
    shown: int | None
    monotone: bool
    smooth: tuple[tuple[float, float], ...]

    @property
    def sentence(self) -> str:
        """How few examples are enough, in words."""
        enough, small = "no budget is shown to be enough", "none is shown to be too small"
        if self.shown is not None:
            enough = "1 row is enough" if self.shown == 1 else f"{self.shown:,} rows are enough"
        if self.refuted is not None:
            small = "1 is too few" if self.refuted == 1 else f"{self.refuted:,} are too few"
        best = "" if self.yardstick == "full" else "the best arm of the curve, "
        return f"{self.method}: {enough}, {small} (margin {self.margin:g} against {best}{self.yardstick})."


def budget_curve(
    method: str,
    arms: Sequence[tuple[int, ArmScores]],
    yardstick: ArmScores,
    clusters: Sequence[str],
    *,
    margin: float,
    alpha: float = 0.05,
    candidates: int = 1,
) -> Curve:
    """Returns the curve of one way of choosing, and the smallest budget that is enough.

    Args:
        method: The way of choosing.
        arms: Budget and scores, each budget once.
        yardstick: What they are held against, on the same items; may be one of them.
        clusters: The cluster of each item.
        margin: The non-inferiority margin, fixed beforehand.
        alpha: One minus the level of the two-sided intervals.
        candidates: The arms that the yardstick was picked from by its mean. A picked yardstick looks better than
            it is, so a budget is refuted at an equal share of alpha only.

    Returns:
        The curve.

    Raises:
        UserError: There is no budget, or one is there twice.
    """
    ordered = sorted(arms, key=lambda pair: pair[0])
    budgets = [rows for rows, _ in ordered]
    if not budgets or len(set(budgets)) < len(budgets):
        raise UserError(f"the budgets of '{method}' are {budgets}", "give each budget once, and at least one")
    points = tuple(
        CurvePoint(
            rows=rows,
            score=mean_interval(arm, clusters, alpha),
            runs=tuple(float(score) for score in arm.scores.mean(axis=1)),
            difference=_difference(arm, yardstick, clusters, alpha),
        )
        for rows, arm in ordered
    )
    scores = [point.score.estimate for point in points]
    monotone = all(low <= high for low, high in pairwise(scores))
    return Curve(
        method=method,
        yardstick=yardstick.name,
        points=points,
        margin=margin,
        refuted=_last(
            (rows, _difference(arm, yardstick, clusters, alpha / candidates).below(-margin))
            for rows, arm in ordered
        ),
        shown=_last((point.rows, point.difference.above(-margin)) for point in reversed(points)),
        monotone=monotone,
        smooth=smooth_line(points) if monotone else (),
    )


def smooth_line(points: Sequence[CurvePoint]) -> tuple[tuple[float, float], ...]:
    """Returns a smooth line through the points of a monotone curve, as rows and score.

    The monotone cubic interpolation of Fritsch and Carlson (1980, SIAM Journal on Numerical Analysis 17, 238-246;
    scipy's PCHIP) of the score over the logarithm of rows: it passes through the means, never leaves the range between
    two neighbours, and ends where the budgets end. A saturating power law has three parameters, nearly as many as there
    are budgets, and its limit would read as a forecast of budgets that nobody ran.

    Args:
        points: By budget, the smallest first, no score below the one before.

    Returns:
        `SMOOTH` places evenly spaced in the logarithm of rows; none with fewer than three points.
    """
    if len(points) < 3:
        return ()
    logs = np.log([point.rows for point in points])
    line = interpolate.PchipInterpolator(logs, [point.score.estimate for point in points])
    places = np.linspace(logs[0], logs[-1], SMOOTH)
    return tuple(zip(np.exp(places).tolist(), line(places).tolist(), strict=True))


def _difference(arm: ArmScores, yardstick: ArmScores, clusters: Sequence[str], alpha: float) -> Interval:
    if arm.name == yardstick.name:
        return Interval(0.0, 0.0, 0.0)
    return difference_interval(arm, yardstick, clusters, alpha)


def curve_yardstick(
    arms: Sequence[ArmScores],
    full: ArmScores | None,
    base: ArmScores | None,
    clusters: Sequence[str],
    alpha: float = 0.05,
) -> ArmScores:
    """Returns what the budgets are held against.

    That is the full pool where it was trained on and, unless there is no base to tell, is shown to be above base;
    else the arm with the highest mean of the curve. Picked on the same items, it is a harder yardstick, never
    an easier one.

    Args:
        arms: All arms of the curve.
        full: The arm of the full pool.
        base: The base.
        clusters: The cluster of each item.
        alpha: One minus the level of the two-sided intervals.

    Returns:
        The yardstick.
    """
    if full is not None and (base is None or difference_interval(full, base, clusters, alpha).above(0)):
        return full
    return max(arms, key=lambda arm: arm.mean)


def _last(claims: Iterable[tuple[int, bool]]) -> int | None:
    """Returns the last budget of the unbroken sequence, from the first claim on, in which a claim holds."""
    found = None
    for rows, holds in claims:
        if not holds:
            return found
        found = rows
    return found
