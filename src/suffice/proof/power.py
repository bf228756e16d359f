"""What a design can show, computed before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from suffice.common.errors import UserError


@dataclass(frozen=True)
class Design:
    """A planned comparison and what is assumed of it.

    Attributes:
        items: Test items (clusters, where items are clustered).
        runs: Training runs of the selected arm and of its yardstick, each.
        random_runs: Draws of the random arm; 0 where it is left out.
        margin: The non-inferiority margin in percent points.
        run_sd: Assumed standard deviation of an arm's score between runs, in percent points.
        discordant: Assumed share of items that two arms answer differently.
        gain: Assumed true gain of choosing over random, in percent points.
        alpha: One minus the two-sided level of the intervals.
    """

    items: int
    runs: int
    random_runs: int = 5
    margin: float = 2.0
    run_sd: float = 1.0
    discordant: float = 0.1
    gain: float = 5.0
    alpha: float = 0.05


@dataclass(frozen=True)
class PowerEstimate:
    """The power of the two tests of a design.

    Attributes:
        design: The design.
        non_inferiority: The probability of showing that the selection is not worse than its yardstick by the
            margin, where both are truly equal; None with a single run, which can show nothing.
        superiority: The probability of showing that choosing beats random, where the true gain is
            ``design.gain``; None without two draws and two runs.
    """

    design: Design
    non_inferiority: float | None
    superiority: float | None

    @property
    def sentence(self) -> str:
        """One sentence that says what the design can show, and under which assumptions."""
        design = self.design
        if self.non_inferiority is None:
            return (
                "Power: one run per arm cannot show how much runs vary, so nothing can be shown; three can."
            )
        few = "has too few draws to be beaten" if design.random_runs else "is left out and cannot be beaten"
        beaten = (
            f"random {few}"
            if self.superiority is None
            else f"{_percent(self.superiority)} to show a gain of {design.gain:g} points over random "
            f"({design.random_runs} draws)"
        )
        return (
            f"Power with {design.items:,} items and {design.runs} runs per arm: {_percent(self.non_inferiority)} to "
            f"show that a selection as good as its yardstick is enough (margin {design.margin:g}); {beaten}; "
            f"assumed: runs vary by {design.run_sd:g} "
            f"{'point' if design.run_sd == 1 else 'points'} (SD), "
            f"{_percent(design.discordant)} of the items differ between two arms."
        )


def power(design: Design) -> PowerEstimate:
    """Returns the power of the non-inferiority test and of superiority over random.

    The difference has the variance ``(discordant - d²) / items + run_sd² / R_a + run_sd² / R_b`` at a true
    difference d (paired binary items: Miller 2024, arXiv 2411.00640; discordance is taken as item
    variance and is not made smaller by runs). Its test statistic follows the noncentral t distribution with
    Satterthwaite's degrees of freedom.

    Args:
        design: The design.

    Returns:
        The powers.

    Raises:
        UserError: If a number of the design is out of its range.
    """
    if design.items < 1 or design.runs < 1 or design.random_runs < 0:
        raise UserError(
            f"a design of {design.items} items, {design.runs} runs and {design.random_runs} draws has no power",
            "plan at least one item and one run",
        )
    if not (
        design.run_sd >= 0 and 0 <= design.discordant <= 1 and 0 < design.alpha < 1 and design.margin >= 0
    ):
        raise UserError(
            f"the power cannot be computed for a run SD of {design.run_sd}, a discordant share of "
            f"{design.discordant}, a margin of {design.margin} and an alpha of {design.alpha}",
            "give a run SD and a margin of 0 or more, a share from 0 to 1 and an alpha between 0 and 1",
        )
    level = _power(design, design.runs, 0.0, design.margin)
    gain = _power(design, design.random_runs, design.gain, 0.0)
    return PowerEstimate(design, level, gain)


def _power(design: Design, other_runs: int, true: float, margin: float) -> float | None:
    """Returns P(lower bound > -margin) at the true difference ``true``, or None where runs are too few."""
    if design.runs < 2 or other_runs < 2:
        return None
    share = true / 100
    item = 1e4 * max(0.0, max(design.discordant, abs(share)) - share**2) / design.items
    parts = [(item, max(1, design.items - 1))]
    parts += [(design.run_sd**2 / runs, runs - 1) for runs in (design.runs, other_runs)]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return 1.0 if true + margin > 0 else 0.0
    degrees = variance**2 / sum(part**2 / df for part, df in parts)
    critical = stats.t.ppf(1 - design.alpha / 2, degrees)
    return float(stats.nct.sf(critical, degrees, (true + margin) / variance**0.5))


def _percent(share: float) -> str:
    """Returns a share as ``45 %``."""
    return f"{100 * share:.0f} %"
