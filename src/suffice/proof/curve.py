"""The budget curve: how few examples are enough, by tests in an order that was fixed beforehand.

The arms of one way of choosing are held against the full pool, one budget after the other from the largest down,
each at the full level; the first that is not shown to be enough ends the sequence. A sequence fixed beforehand needs
no correction for its length (Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen 2001, J Stat Plan Inference 99,
25): a false claim needs an error at the largest budget that is truly too small. Refutations run the other way, from
the smallest budget up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from suffice.common.errors import UserError
from suffice.proof.arms import ArmScores
from suffice.proof.intervals import Interval, difference_interval, mean_interval


@dataclass(frozen=True)
class CurvePoint:
    """One budget.

    Attributes:
        rows: The number of examples; 0 for the base.
        score: The mean score.
        runs: The score of each run.
        difference: The score less that of the full pool; None where the full pool was not trained on.
    """

    rows: int
    score: Interval
    runs: tuple[float, ...]
    difference: Interval | None


@dataclass(frozen=True)
class Curve:
    """The scores of one way of choosing over budgets.

    Attributes:
        method: The way of choosing.
        points: By budget, the smallest first.
        margin: In the unit of the scores.
        refuted: The largest budget shown to be too small, all smaller ones refuted too; None where none is.
        shown: The smallest budget shown to be enough, all larger ones shown too; None where none is.
        monotone: Whether no budget scores below a smaller one.
    """

    method: str
    points: tuple[CurvePoint, ...]
    margin: float
    refuted: int | None
    shown: int | None
    monotone: bool

    @property
    def sentence(self) -> str:
        """How few examples are enough, in words."""
        if all(point.difference is None for point in self.points):
            return f"{self.method}: the full pool was not trained on, so no budget can be held against it."
        enough = (
            "no budget is shown to be enough" if self.shown is None else f"{self.shown:,} rows are enough"
        )
        small = "none is shown to be too small" if self.refuted is None else f"{self.refuted:,} are too few"
        return f"{self.method}: {enough}, {small} (margin {self.margin:g} against the full pool)."


def budget_curve(
    method: str,
    arms: Sequence[tuple[int, ArmScores]],
    full: ArmScores | None,
    clusters: Sequence[str],
    *,
    margin: float,
    alpha: float = 0.05,
) -> Curve:
    """Returns the curve of one way of choosing, and the smallest budget that is enough.

    Args:
        method: The way of choosing.
        arms: Budget and scores, each budget once.
        full: The arm of the full pool, on the same items.
        clusters: The cluster of each item.
        margin: The non-inferiority margin, fixed beforehand.
        alpha: One minus the level of the two-sided intervals.

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
            difference=None if full is None else difference_interval(arm, full, clusters, alpha),
        )
        for rows, arm in ordered
    )
    scores = [point.score.estimate for point in points]
    return Curve(
        method=method,
        points=points,
        margin=margin,
        refuted=_last(points, lambda found: found.below(-margin)),
        shown=_last(reversed(points), lambda found: found.above(-margin)),
        monotone=all(low <= high for low, high in zip(scores, scores[1:], strict=False)),
    )


def _last(points: Iterable[CurvePoint], holds: Callable[[Interval], bool]) -> int | None:
    """Returns the last budget of the unbroken sequence, from the first point on, in which a claim holds."""
    found = None
    for point in points:
        if point.difference is None or not holds(point.difference):
            return found
        found = point.rows
    return found
