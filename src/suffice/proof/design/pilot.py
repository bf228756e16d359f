"""What a pilot tells about the spread of runs and of items, and how poorly it knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.arms import DRAWN, ROUNDING, ArmScores, Kind
from suffice.proof.variance import Array, RunVariance, of_difference, of_mean

CONFIDENCE = 0.8
UNLIKE = 0.05


@dataclass(frozen=True)
class RunSpread:
    """How much an arm's score varies between runs, item x run noise apart; SDs in the unit of the scores.

    Attributes:
        sd: The estimate.
        limit: The upper 80 % limit, one-sided: in one pilot of five the true SD is above it.
        low: The lower end of the 95 % interval.
        high: Its upper end.
        degrees: Degrees of freedom, runs - 1 summed over the arms.
    """

    sd: float
    limit: float
    low: float
    high: float
    degrees: int


@dataclass(frozen=True)
class ArmSpread:
    """One arm of a pilot.

    Attributes:
        name: The arm's name.
        kind: What it was trained on.
        runs: Its runs, two or more.
        sd: The standard deviation of its run means, item x run noise included.
    """

    name: str
    kind: Kind
    runs: int
    sd: float


@dataclass(frozen=True)
class Pilot:
    """The parts of the variance in a pilot; SDs in the unit of the scores.

    Attributes:
        arms: The arms with two runs or more.
        single: Names of the trained arms with one run, which are left out.
        items: The number of items.
        clusters: The number of independent groups of items.
        run: The spread of runs, pooled over the arms that do not draw their rows anew.
        draw: The spread of random's draws, each with its own training; None where it has fewer than two.
        alike: The p value of Bartlett's test that the pooled arms vary alike; None with fewer than two that vary.
        residual_sd: Standard deviation of the item x run noise of one arm at one cluster.
        item_sd: Standard deviation over clusters of the difference of two arms, without that noise; None with one arm.
        discordant: The share of items that get another score from a run of one arm than from a run of another;
            None with one arm.
    """

    arms: tuple[ArmSpread, ...]
    single: tuple[str, ...]
    items: int
    clusters: int
    run: RunSpread
    draw: RunSpread | None
    alike: float | None
    residual_sd: float
    item_sd: float | None
    discordant: float | None

    @property
    def sentences(self) -> list[str]:
        """What the pilot tells, in words."""
        counts = sorted({arm.runs for arm in self.arms})
        left = f" ({', '.join(self.single)} with one run left out)" if self.single else ""
        arms = "1 arm" if len(self.arms) == 1 else f"{len(self.arms)} arms"
        told = [
            f"Pilot: {arms} of {' or '.join(map(str, counts))} runs on {self.clusters:,} items{left}.",
            f"Runs vary by {_spread_words(self.run)}.",
        ]
        if self.draw is not None:
            told.append(f"Draws of random vary by {_spread_words(self.draw)}.")
        if self.alike is not None and self.alike < UNLIKE:
            alike = [arm for arm in self.arms if arm.kind not in DRAWN] or self.arms
            low, high = (choose(alike, key=lambda arm: arm.sd) for choose in (min, max))
            told.append(
                f"The arms do not vary alike (run means by {low.sd:.2g} in {low.name}, by {high.sd:.2g} in {high.name}), "
                "so one run SD for all is a compromise."
            )
        if self.discordant is not None:
            told.append(f"Two runs of different arms differ on {100 * self.discordant:.0f} % of the items.")
        if counts == [2]:
            told.append("Two runs know next to nothing about how much runs vary; three to five tell more.")
        return told

    def as_json(self) -> dict[str, Any]:
        """Returns the pilot in its stable JSON form."""
        return asdict(self)


def pilot(arms: Sequence[ArmScores], clusters: Sequence[str]) -> Pilot:
    """Returns the variance components of a pilot.

    Arms are taken to vary alike: their mean squares are pooled, weighted by degrees of freedom; random has its own,
    since its runs differ in the draw too, and arms that draw stand for the others only where there are none. The
    variance of run means S has f degrees of freedom and the limits ``S·f / χ²(p, f)``; to plan with the upper 80 % limit is the
    advice of Browne (1995), Statistics in Medicine 14, 1933-1940. What item x run noise adds to S is
    subtracted from the estimate and from the limits as if it were known, for it has (clusters - 1) times as many
    degrees of freedom. The variance over items is that of the difference of two arms, averaged over the pairs
    with the selected arm, or over all pairs where there is none.

    Args:
        arms: The arms, on the same items; a base run once and a fixed model, which cannot vary, do not count.
        clusters: The cluster of each item.

    Returns:
        The pilot.

    Raises:
        UserError: Where no arm has two runs, where all runs have the same mean, where there is only one cluster, or
            where an arm has another number of items.
    """
    trained = [arm for arm in arms if not arm.deterministic]
    varying = [arm for arm in trained if arm.runs > 1]
    _check(varying, clusters)
    found = {arm.name: of_mean(arm, clusters).arms[0] for arm in varying}
    pooled = [arm for arm in varying if arm.kind not in DRAWN] or varying
    drawn = [arm for arm in varying if arm.kind == "random"]
    if all(found[arm.name].square == 0 for arm in pooled):
        raise UserError(
            f"all runs of {', '.join(arm.name for arm in pooled)} have the same mean, so the pilot cannot tell how "
            "much runs vary",
            "take more items or more runs, or plan without it from --run-sd",
        )
    count = len(set(clusters))
    _, _, residual = _pooled([found[arm.name] for arm in varying])
    item_sd, discordant = _between(varying, clusters)
    return Pilot(
        arms=tuple(ArmSpread(arm.name, arm.kind, arm.runs, found[arm.name].square ** 0.5) for arm in varying),
        single=tuple(arm.name for arm in trained if arm.runs == 1),
        items=len(clusters),
        clusters=count,
        run=run_spread(*_pooled([found[arm.name] for arm in pooled])),
        draw=run_spread(*_pooled([found[arm.name] for arm in drawn])) if drawn else None,
        alike=_alike([arm.scores.mean(axis=1) for arm in pooled if found[arm.name].square > 0]),
        residual_sd=(residual * count) ** 0.5,
        item_sd=item_sd,
        discordant=discordant,
    )


def _pooled(parts: Sequence[RunVariance]) -> tuple[float, int, float]:
    """Returns the pooled variance of run means, its degrees of freedom, and what item x run noise adds to it."""
    free = [part.runs - 1 for part in parts]
    square = float(np.average([part.square for part in parts], weights=free))
    return square, sum(free), float(np.average([part.residual for part in parts], weights=free))


def _alike(means: list[Array]) -> float | None:
    """Returns the p value of Bartlett's test (1937, Proceedings of the Royal Society A 160, 268-282)."""
    return float(stats.bartlett(*means).pvalue) if len(means) > 1 else None


def run_spread(square: float, degrees: int, residual: float = 0.0) -> RunSpread:
    """Returns the spread of runs from the variance of run means.

    Args:
        square: The variance of run means.
        degrees: Its degrees of freedom.
        residual: The part of it that comes from item x run noise.
    """

    def at(probability: float) -> float:
        scaled = square * degrees / float(stats.chi2.ppf(probability, degrees))
        return float(max(0.0, scaled - residual) ** 0.5)

    return RunSpread(
        sd=max(0.0, square - residual) ** 0.5,
        limit=at(1 - CONFIDENCE),
        low=at(0.975),
        high=at(0.025),
        degrees=degrees,
    )


def _between(arms: list[ArmScores], clusters: Sequence[str]) -> tuple[float | None, float | None]:
    """Returns the SD over clusters of the difference of two arms, noise apart, and the share of discordant items."""
    pairs = list(combinations(arms, 2))
    pairs = [pair for pair in pairs if "selected" in (pair[0].kind, pair[1].kind)] or pairs
    if not pairs:
        return None, None
    variances, shares = [], []
    for a, b in pairs:
        parts = of_difference(a, b, clusters)
        noise = sum(arm.residual / arm.runs for arm in parts.arms)
        variances.append((parts.item_square - noise) * parts.clusters)
        apart = np.abs(a.scores[:, None, :] - b.scores[None, :, :])
        shares.append(float((apart > ROUNDING * max(np.abs(a.scores).max(), np.abs(b.scores).max())).mean()))
    return max(0.0, float(np.mean(variances))) ** 0.5, float(np.mean(shares))


def _spread_words(found: RunSpread) -> str:
    """Returns a spread in words."""
    return (
        f"{found.sd:.2g} points (SD), known with {found.degrees} degree{'s' * (found.degrees > 1)} of freedom: 95 % "
        f"{found.low:.2g} to {found.high:.2g}, upper 80 % limit {found.limit:.2g}"
    )


def _check(varying: list[ArmScores], clusters: Sequence[str]) -> None:
    """Refuses a pilot that says nothing about runs or about items."""
    if not varying:
        raise UserError(
            "the pilot has one run an arm, and one run cannot show how much runs vary",
            "train each arm at least twice; three to five runs tell more",
        )
    for arm in varying:
        if arm.scores.shape[1] != len(clusters):
            raise UserError(
                f"arm '{arm.name}' has {arm.scores.shape[1]} items where {len(clusters)} are expected",
                "evaluate every arm on the same items",
            )
    if len(set(clusters)) < 2:
        raise UserError(
            "the pilot has one item, and one item cannot show how much items differ",
            "evaluate on more items (several wordings of one thing count as one)",
        )
