"""How many runs, draws and items a study needs, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from suffice.common.errors import UserError
from suffice.proof.design.power import Design, power
from suffice.proof.settle import rounded_up

RUNS = (3, 4, 5, 6, 8, 10, 15, 20)
LEAST_RUNS = 3  # two would know next to nothing about how much runs vary
MOST_RUNS = 100
MOST_ITEMS = 1_000_000
_ITEMS = tuple(
    int(step * 10**power) for power in range(1, 6) for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
)

Range = tuple[float, float]


@dataclass(frozen=True)
class Needs:
    """A design that reaches the power wanted, at one spread of runs.

    Attributes:
        run_sd: The spread of runs.
        runs: Runs of the selected arm and of its yardstick: the fewest, from three, on the planned items; where no number of runs
            is enough on those, the pair of runs and items in the table with the fewest replies (runs x items). None
            where nothing in the table is enough.
        draws: The fewest draws of random with so many runs and items; None where no number up to 100 does, or random
            is left out.
        items: The items.
    """

    run_sd: float
    runs: int | None
    draws: int | None
    items: int


@dataclass(frozen=True)
class Row:
    """The power with one number of runs.

    Attributes:
        runs: Runs of the selected arm and of its yardstick.
        enough: The power to show that a selection as good as its yardstick is enough, at the upper limit of the
            spread of runs and at its estimate; None with one run.
        gain: The power to show the gain over random, likewise; None without two draws.
        items: The fewest items that reach the power wanted, at the upper limit; None where no number does.
    """

    runs: int
    enough: Range | None
    gain: Range | None
    items: int | None


@dataclass(frozen=True)
class Plan:
    """What a design can show and what it would need.

    Attributes:
        design: The planned design, with the estimates of the spread of runs and draws.
        upper: The same with their upper limits; equal where they were assumed.
        wanted: The power wanted.
        planned: The planned number of runs.
        rows: Other numbers of runs, with the planned draws and items.
        needed: What is needed at the upper limit.
        hoped: What is needed at the estimate.
    """

    design: Design
    upper: Design
    wanted: float
    planned: Row
    rows: tuple[Row, ...]
    needed: Needs
    hoped: Needs

    @property
    def sentences(self) -> list[str]:
        """What is needed, in words."""
        known = self.upper == self.design
        told = [self._needed(self.needed, "" if known else " (the upper limit)")]
        if not known:
            told.append(self._needed(self.hoped, " (the estimate)"))
        runs = f"With {self.design.runs} {'seed' if self.design.runs == 1 else 'seeds'}"
        if self.design.runs < 2:
            told.append(f"{runs} nothing can be shown: one run cannot show how much runs vary.")
        elif self.planned.items is None:
            told.append(f"{runs}, no number of items alone reaches it: runs vary too much for this margin.")
        else:
            told.append(f"{runs}, {rounded_up(self.planned.items)} items reach it against the yardstick.")
        return told

    def _needed(self, needs: Needs, which: str) -> str:
        """Returns one sentence on what is needed at one spread of runs."""
        told = f"For a power of {100 * self.wanted:g} % at a run SD of {needs.run_sd:.3g}{which}:"
        planned = self.design.items
        if needs.runs is None:
            return f"{told} nothing up to {RUNS[-1]} seeds and {MOST_ITEMS:,} items is enough; take a wider margin."
        told += f" {needs.runs} seeds"
        if needs.draws is not None:
            told += f", {needs.draws} draws"
        told += f" and {f'{planned:,}' if needs.items == planned else rounded_up(needs.items)} items"
        if needs.items > planned:
            told += f"; on {planned:,} items no number of seeds is enough"
        if needs.draws is None and self.design.random_runs:
            told += f"; no number of draws up to {MOST_RUNS} shows the gain over random"
        return f"{told}."

    def as_json(self) -> dict[str, Any]:
        """Returns the plan in its stable JSON form."""
        design = self.design
        return {
            "design": {
                "items": design.items,
                "seeds": design.runs,
                "draws": design.random_runs,
                "margin": design.margin,
                "alpha": design.alpha,
                "gain": design.gain,
                "run_sd": design.run_sd,
                "run_sd_limit": self.upper.run_sd,
                "draw_sd": design.draw_sd,
                "draw_sd_limit": self.upper.draw_sd,
                "discordant": design.discordant if design.item_sd is None else None,
                "item_sd": design.item_sd,
                "residual_sd": design.residual_sd,
            },
            "power": self.wanted,
            "planned": _row_json(self.planned),
            "needed": _needs_json(self.needed),
            "hoped": _needs_json(self.hoped),
            "table": [_row_json(row) for row in self.rows],
        }


def plan(design: Design, upper: Design | None = None, wanted: float = 0.8) -> Plan:
    """Returns what a design can show over the range of the spread of runs, and the smallest numbers that would do.

    Args:
        design: The planned design; its ``items`` and ``random_runs`` hold for all numbers of runs.
        upper: The same design with the upper limits of ``run_sd`` and ``draw_sd``, from a pilot; None where they were
            assumed.
        wanted: The power wanted.

    Returns:
        The plan.

    Raises:
        UserError: If a number is out of its range.
    """
    if not 0 < wanted < 1:
        raise UserError(f"the power wanted is {wanted}", "give a power between 0 and 1, such as 0.8")
    upper = upper or design
    hoped = _needs(design, wanted)
    return Plan(
        design=design,
        upper=upper,
        wanted=wanted,
        planned=_row(design, upper, wanted),
        rows=tuple(_row(replace(design, runs=runs), replace(upper, runs=runs), wanted) for runs in RUNS),
        needed=hoped if upper == design else _needs(upper, wanted),
        hoped=hoped,
    )


def fewest_runs(design: Design, wanted: float) -> int | None:
    """Returns the fewest runs with which both claims reach the power wanted, random drawn as often as need be."""

    def enough(runs: int) -> bool:
        found = power(replace(design, runs=runs, random_runs=MOST_RUNS if design.random_runs else 0))
        return _reaches(found.non_inferiority, wanted) and (
            not design.random_runs or _reaches(found.superiority, wanted)
        )

    return _first(enough, range(LEAST_RUNS, MOST_RUNS + 1)) if enough(MOST_RUNS) else None


def fewest_draws(design: Design, wanted: float) -> int | None:
    """Returns the fewest draws with which the gain over random reaches the power wanted."""
    return _first(
        lambda draws: _reaches(power(replace(design, random_runs=draws)).superiority, wanted),
        range(LEAST_RUNS, MOST_RUNS + 1),
    )


def fewest_items(design: Design, wanted: float) -> int | None:
    """Returns the fewest items with which the yardstick's claim reaches the power wanted, or None.

    With very few runs more items can lower the power a little, for the degrees of freedom fall to those of the
    runs. So numbers are tried from ten upwards, at most a quarter apart or more, and only within the step where the
    power is reached the smallest is found by halving.
    """

    def enough(items: int) -> bool:
        return _reaches(power(replace(design, items=items, random_runs=0)).non_inferiority, wanted)

    high = _first(enough, (*_ITEMS, MOST_ITEMS))
    if high is None:
        return None
    low = max((items for items in _ITEMS if items < high), default=1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _row(design: Design, upper: Design, wanted: float) -> Row:
    """Returns the power at both ends of the spread of runs."""
    high = power(design)
    low = high if upper == design else power(upper)
    return Row(
        runs=design.runs,
        enough=_range(low.non_inferiority, high.non_inferiority),
        gain=_range(low.superiority, high.superiority),
        items=fewest_items(upper, wanted),
    )


def _needs(design: Design, wanted: float) -> Needs:
    """Returns a design that is enough at the spread of runs of ``design``."""
    found = fewest_runs(design, wanted)
    if found is None and design.random_runs:
        found = fewest_runs(replace(design, random_runs=0), wanted)
    if found is not None:
        design = replace(design, runs=found)
    else:
        rows = [replace(design, runs=runs) for runs in RUNS]
        pairs = [(row, fewest_items(row, wanted)) for row in rows]
        enough = [replace(row, items=items) for row, items in pairs if items is not None]
        if not enough:
            return Needs(design.run_sd, None, None, design.items)
        design = min(enough, key=lambda pair: pair.runs * pair.items)
    draws = fewest_draws(design, wanted) if design.random_runs else None
    return Needs(design.run_sd, design.runs, draws, design.items)


def _reaches(found: float | None, wanted: float) -> bool:
    return found is not None and found >= wanted


def _range(low: float | None, high: float | None) -> Range | None:
    return None if low is None or high is None else (low, high)


def _first(enough: Callable[[int], bool], counts: range | tuple[int, ...]) -> int | None:
    """Returns the first of ``counts`` that is enough, or None."""
    return next((count for count in counts if enough(count)), None)


def _row_json(row: Row) -> dict[str, Any]:
    return {"seeds": row.runs, "enough": row.enough, "gain": row.gain, "items": row.items}


def _needs_json(needs: Needs) -> dict[str, Any]:
    return {"run_sd": needs.run_sd, "seeds": needs.runs, "draws": needs.draws, "items": needs.items}
