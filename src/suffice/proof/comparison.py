"""The selected arm against one other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from suffice.proof.arms import ArmScores, Kind
from suffice.proof.intervals import Interval, interval
from suffice.proof.settle import Settling, settling
from suffice.proof.variance import of_difference

Claim = Literal["non-inferiority", "superiority"]


@dataclass(frozen=True)
class Comparison:
    """The selected arm against another.

    Attributes:
        against: The kind of the other arm.
        kind: What is to be shown: not worse by the margin, or better.
        interval: The difference selected - other in percent points.
        margin: In percent points; 0 for superiority.
        settling: What would settle it; None where it is settled, or where a single run leaves that unknown.
        single: Names of the arms with a single run.
    """

    against: Kind
    kind: Claim
    interval: Interval
    margin: float
    settling: Settling | None
    single: tuple[str, ...]

    @property
    def shown(self) -> bool:
        """Whether the whole interval is above -margin."""
        return self.interval.above(-self.margin)

    @property
    def refuted(self) -> bool:
        """Whether the whole interval is below -margin."""
        return self.interval.below(-self.margin)

    def as_json(self) -> dict[str, Any]:
        """Returns the comparison in its stable JSON form."""
        return {
            "against": self.against,
            "kind": self.kind,
            "difference": self.interval.estimate,
            "low": self.interval.low,
            "high": self.interval.high,
            "margin": self.margin,
        }


def compare(
    selected: ArmScores,
    other: ArmScores,
    kind: Claim,
    clusters: Sequence[str],
    *,
    margin: float,
    alpha: float,
) -> Comparison:
    """Compares the selected arm with another, paired over items.

    Args:
        selected: The selected arm.
        other: The other arm, on the same items.
        kind: What is to be shown.
        clusters: The cluster of each item.
        margin: In percent points; it counts for non-inferiority only.
        alpha: One minus the level of the two-sided interval.

    Returns:
        The comparison.
    """
    parts = of_difference(selected, other, clusters)
    found = interval(parts, alpha)
    bound = margin if kind == "non-inferiority" else 0.0
    settled = found.above(-bound) or found.below(-bound)
    return Comparison(
        against=other.kind,
        kind=kind,
        interval=found,
        margin=bound,
        settling=None if settled or parts.single else settling(parts, -bound, alpha),
        single=parts.single,
    )
