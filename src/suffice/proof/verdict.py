"""The verdict on a selection: is it enough, and did choosing pay?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from suffice.common.errors import UserError
from suffice.proof.arms import DRAWN, ArmScores, Kind
from suffice.proof.comparison import Claim, Comparison, compare
from suffice.proof.intervals import Interval, difference_interval, family_intervals, mean_interval
from suffice.proof.sentences import Outcome, rows_phrase, verdict_sentence

Selector = Literal["better than random", "worse", "cannot tell"]


@dataclass(frozen=True)
class ArmEstimate:
    """One arm with its interval, in percent.

    Attributes:
        name: The arm's name.
        kind: What it was trained on.
        score: Its mean score, counting items and runs.
        runs: The mean score of each run.
        families: The mean score in each family.
    """

    name: str
    kind: Kind
    score: Interval
    runs: tuple[float, ...]
    families: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        """Returns the arm in its stable JSON form."""
        return {
            "name": self.name,
            "kind": self.kind,
            "score": self.score.estimate,
            "low": self.score.low,
            "high": self.score.high,
            "runs": list(self.runs),
            "families": {name: found.estimate for name, found in self.families.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """The verdict and the numbers behind it.

    Attributes:
        outcome: Whether the selection is enough.
        yardstick: The kind of the arm it was held against.
        selector: Whether choosing beat drawing at random.
        sentence: One sentence a person can act on.
        comparisons: The selected arm against the others; the one with the yardstick first.
        arms: Every arm with its interval, in the order given.
    """

    outcome: Outcome
    yardstick: Kind
    selector: Selector
    sentence: str
    comparisons: tuple[Comparison, ...]
    arms: tuple[ArmEstimate, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns the verdict in its stable JSON form."""
        return {
            "outcome": self.outcome,
            "yardstick": self.yardstick,
            "selector": self.selector,
            "sentence": self.sentence,
            "comparisons": [comparison.as_json() for comparison in self.comparisons],
        }


def prove(
    arms: Sequence[ArmScores],
    *,
    clusters: Sequence[str],
    families: Sequence[str],
    margin: float = 2.0,
    alpha: float = 0.05,
    chosen: int | None = None,
    pool_rows: int | None = None,
) -> Verdict:
    """Judges the selected arm against the full pool, the base and random.

    The outcome is `sufficient` where the lower bound against the yardstick is above -margin and the lower bound
    against base is above 0; `not sufficient` where the upper bound of either is below its boundary; otherwise
    `inconclusive`, so too where base was not run. The yardstick is `full`; where `full` is absent or not above
    base, the best of the other arms; where there is none, base.

    Args:
        arms: In percent. One arm of a kind at most, all on the same items in the same order; one is the selected arm.
        clusters: The cluster of each item: items that ask for the same thing share one.
        families: The task family of each item.
        margin: The non-inferiority margin in percent points, fixed beforehand.
        alpha: One minus the level of the two-sided intervals.
        chosen: The number of rows selected, for the sentence.
        pool_rows: The number of rows in the pool, for the sentence.

    Returns:
        The verdict.

    Raises:
        UserError: If the arms do not fit together or the margin or alpha is out of range.
    """
    named = _checked(arms, clusters, families, margin, alpha)
    yardstick = _yardstick(named, clusters, alpha)
    comparisons = _comparisons(named, yardstick, clusters, margin, alpha)
    needed = _needed(comparisons, yardstick)
    outcome = _outcome(needed)
    return Verdict(
        outcome=outcome,
        yardstick=yardstick,
        selector=_selector(comparisons),
        sentence=verdict_sentence(
            outcome,
            yardstick,
            needed,
            scores={kind: arm.mean for kind, arm in named.items()},
            margin=margin,
            rows=rows_phrase(chosen, pool_rows),
        ),
        comparisons=comparisons,
        arms=tuple(_estimate(arm, clusters, families, alpha) for arm in arms),
    )


def _checked(
    arms: Sequence[ArmScores], clusters: Sequence[str], families: Sequence[str], margin: float, alpha: float
) -> dict[Kind, ArmScores]:
    """Returns the arms by kind, after checking that they can be compared."""
    if not 0 <= margin <= 100:
        raise UserError(f"the margin is {margin}", "give a margin in percent points, from 0 to 100")
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    if len(clusters) != len(families):
        raise UserError(
            f"there are {len(clusters)} clusters and {len(families)} families",
            "give one of each for every item",
        )
    named: dict[Kind, ArmScores] = {}
    for arm in arms:
        if arm.kind in named:
            raise UserError(
                f"arms '{named[arm.kind].name}' and '{arm.name}' are both of the kind '{arm.kind}'",
                "compare one arm of a kind at a time; several runs of one arm are rows of its scores",
            )
        if arm.scores.shape[1] != len(clusters):
            raise UserError(
                f"arm '{arm.name}' has {arm.scores.shape[1]} items where {len(clusters)} are expected",
                "evaluate every arm on the same items",
            )
        named[arm.kind] = arm
    if "selected" not in named:
        raise UserError("there is no selected arm to judge", "add 'selected' to the arms")
    return named


def _yardstick(named: dict[Kind, ArmScores], clusters: Sequence[str], alpha: float) -> Kind:
    """Returns the kind of the arm that the selected arm must not fall behind.

    A full arm with a single run cannot be shown to be above base, nor the opposite; it stays the yardstick and
    the outcome stays open.
    """
    if "full" in named:
        if "base" not in named:
            return "full"
        gain = difference_interval(named["full"], named["base"], clusters, alpha)
        if gain.low is None or gain.low > 0:
            return "full"
    others = [arm for kind, arm in named.items() if kind not in ("base", "selected", "full")]
    return max(others, key=lambda arm: arm.mean).kind if others else "base"


def _comparisons(
    named: dict[Kind, ArmScores], yardstick: Kind, clusters: Sequence[str], margin: float, alpha: float
) -> tuple[Comparison, ...]:
    """Returns the comparisons: with the yardstick, base and all that is drawn, then with a full pool that is none."""
    selected = named["selected"]
    wanted: list[tuple[Kind, Claim]] = [(kind, "superiority") for kind in ("base", *DRAWN)]
    if yardstick != "base":
        wanted.insert(0, (yardstick, "non-inferiority"))
    if yardstick != "full":
        wanted.append(("full", "non-inferiority"))
    return tuple(
        compare(selected, named[against], kind, clusters, margin=margin, alpha=alpha)
        for against, kind in wanted
        if against in named
    )


def _needed(comparisons: tuple[Comparison, ...], yardstick: Kind) -> tuple[Comparison, ...]:
    """Returns the comparisons that the outcome rests on: with the yardstick and with base."""
    wanted = ((yardstick, "non-inferiority"), ("base", "superiority"))
    return tuple(found for found in comparisons if (found.against, found.kind) in wanted)


def _outcome(needed: tuple[Comparison, ...]) -> Outcome:
    """Returns the outcome; without base nothing shows that training helped, so it stays open."""
    if not any(comparison.against == "base" for comparison in needed):
        return "inconclusive"
    if any(comparison.refuted for comparison in needed):
        return "not sufficient"
    return "sufficient" if all(comparison.shown for comparison in needed) else "inconclusive"


def _selector(comparisons: tuple[Comparison, ...]) -> Selector:
    """Returns whether choosing beat the mean of the random draws; `cannot tell` where random was not run."""
    for comparison in comparisons:
        if comparison.against == "random" and comparison.kind == "superiority":
            if comparison.shown:
                return "better than random"
            return "worse" if comparison.refuted else "cannot tell"
    return "cannot tell"


def _estimate(arm: ArmScores, clusters: Sequence[str], families: Sequence[str], alpha: float) -> ArmEstimate:
    """Returns ``arm`` with its intervals."""
    return ArmEstimate(
        name=arm.name,
        kind=arm.kind,
        score=mean_interval(arm, clusters, alpha),
        runs=tuple(float(score) for score in arm.scores.mean(axis=1)),
        families=family_intervals(arm, clusters, families, alpha),
    )
