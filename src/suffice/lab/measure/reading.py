"""One measured condition of a gate: the target, the value, its interval, and whether it is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from suffice.proof.arms import ArmScores
from suffice.proof.intervals import Interval, difference_interval, mean_interval


@dataclass(frozen=True)
class Reading:
    """What was found for one condition.

    Attributes:
        id: The gate and the condition, such as ``lima.random``.
        value: The point estimate; in percent or in percentage points.
        low: The lower end of the 95 % interval; None where it is not known.
        high: The upper end, likewise.
        seeds: Trainings (or draws of samples) behind it; 0 where nothing is trained or drawn.
        least: The smallest value that meets the target; None for no such bound.
        most: The largest one, likewise.
    """

    id: str
    value: float
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    least: float | None = None
    most: float | None = None

    @classmethod
    def of(cls, id: str, found: Interval, **given: Any) -> Self:
        """Returns the reading of an estimate with its interval."""
        return cls(id, found.estimate, found.low, found.high, **given)

    @property
    def met(self) -> bool:
        """Whether the point estimate lies within the bounds."""
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def target(self) -> str:
        """The target in words."""
        if self.least is None:
            return f"at most {self.most:g}"
        return f"at least {self.least:g}" if self.most is None else f"{self.least:g} to {self.most:g}"

    def as_json(self) -> dict[str, Any]:
        """Returns the entry of the JSON form."""
        fields = {name: value for name, value in asdict(self).items() if name not in ("least", "most")}
        rounded = {name: round(v, 3) if isinstance(v, float) else v for name, v in fields.items()}
        return {"id": self.id, "target": self.target} | rounded | {"met": self.met}


@dataclass(frozen=True)
class Scored:
    """Scores of one arm on the same items in every run.

    Attributes:
        scores: Percent, [runs, items].
        families: The family of each item.
        clusters: The cluster of each item.
        trained: Whether runs are trainings; else one run of a fixed model.
    """

    scores: NDArray[np.float64]
    families: tuple[str, ...]
    clusters: tuple[str, ...]
    trained: bool = True

    @classmethod
    def gather(cls, results: Sequence[dict[str, Any]], *, trained: bool = True) -> Self:
        """Puts the results of one arm's jobs together (`tuned.Tuned` and its like)."""
        first = results[0]
        scores = np.array([result["scores"] for result in results], dtype=np.float64)
        return cls(scores, tuple(first["families"]), tuple(first["clusters"]), trained)

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.scores)

    def of(self, *families: str) -> Scored:
        """Returns the part on some families."""
        kept = [i for i, family in enumerate(self.families) if family in families]
        return Scored(
            self.scores[:, kept],
            tuple(self.families[i] for i in kept),
            tuple(self.clusters[i] for i in kept),
            self.trained,
        )

    def mean(self) -> Interval:
        """Returns the mean over items with its interval."""
        return mean_interval(self._arm("a"), self.clusters)

    def minus(self, other: Scored) -> Interval:
        """Returns the difference to another arm on the same items with its interval."""
        return difference_interval(self._arm("a"), other._arm("b"), self.clusters)

    def _arm(self, name: str) -> ArmScores:
        return ArmScores(name, "method" if self.trained else "model", self.scores)


def share(hits: Sequence[float], clusters: Sequence[str] | None = None) -> Interval:
    """Returns the mean of scores (0 or 100, or shares in percent) of one fixed model with its interval over items."""
    names = tuple(clusters or map(str, range(len(hits))))
    return Scored(np.array([hits], dtype=np.float64), ("all",) * len(hits), names, trained=False).mean()
