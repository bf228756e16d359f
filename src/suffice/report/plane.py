"""The plane of the budget curve: rows on a logarithmic axis, scores upwards, the base apart at the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from suffice.report.scales import EDGE, Scale
from suffice.report.svg import line, text
from suffice.report.words import tick

TOP = 10.0
BOTTOM = 290.0
LEFT = 7.0  # percent of the width, for the labels of the scores
BASE = 10.5  # where the base stands, in percent of the width
BREAK = 14.5  # where the axis is broken between the base and the budgets
START = 17.0  # where the budgets begin beside a base
LAST = 0.68  # the largest budget stands no further along the axis, so that labels fit beside it
LANE = 14.0  # the height of a row of tick labels
LANES = 3
APART = 10.5  # percent of the width that a tick label needs
RIGHT = 94.0  # tick labels beyond this end where their tick stands


@dataclass(frozen=True, slots=True)
class Plane:
    """Where rows and scores stand.

    Attributes:
        x: The axis of the budgets; its ticks are the budgets themselves.
        y: The axis of the scores.
        broken: Whether the base stands apart at the left.
    """

    x: Scale
    y: Scale
    broken: bool

    def level(self, score: float) -> float:
        """Returns where a score stands, in pixels from the top."""
        return BOTTOM - (BOTTOM - TOP) * self.y.share(score)

    @property
    def lanes(self) -> int:
        """How many rows of tick labels there are."""
        return 1 + max(lane for _, lane in lanes(self.x))

    def draw(self) -> Markup:
        """Returns grid lines and tick labels."""
        parts = []
        for value in self.y.ticks[:: 1 + len(self.y.ticks) // 7]:
            y = self.level(value)
            parts += [line(start, y, end, y, "grid") for start, end in self._stretches()]
            parts.append(text(0, y + 4, tick(value), "tick start"))
        for value, lane in lanes(self.x):
            x, y = self.x.at(value), BOTTOM + 17 + LANE * lane
            parts.append(line(x, TOP, x, y - 13, "grid"))
            parts.append(text(x, y, tick(value), f"tick {'end' if x > RIGHT else 'middle'}"))
        if self.broken:
            parts += [line(x, BOTTOM + 5, x + 0.8, BOTTOM - 5, "leader") for x in (BREAK - 0.9, BREAK + 0.1)]
            parts.append(text(BASE, BOTTOM + 17, "0", "tick middle"))
        return Markup("").join(parts)

    def _stretches(self) -> list[tuple[float, float]]:
        end = 100 - EDGE
        return [(LEFT, BREAK - 0.5), (BREAK + 0.5, end)] if self.broken else [(LEFT, end)]


def budgets(rows: Sequence[int], whole: int | None, *, broken: bool) -> Scale:
    """Returns a logarithmic axis over budgets, with a tick at each.

    Args:
        rows: The budgets.
        whole: The rows of the whole pool, where it stands on the axis too.
        broken: Whether the base stands apart at the left.
    """
    ticks = tuple(float(value) for value in sorted({*rows, *([whole] if whole else [])}))
    low = ticks[0] / 1.25
    high = max(ticks[-1] * 1.05, low * (max(rows, default=ticks[0]) / low) ** (1 / LAST))
    return Scale(low, high, ticks, log=True, start=START if broken else LEFT)


def lanes(x: Scale) -> list[tuple[float, int]]:
    """Returns each tick that has room for its label, with the row that the label stands in."""
    ends = [-APART] * LANES
    placed = []
    for value in x.ticks:
        place = x.at(value)
        needed = APART * (1.5 if place > RIGHT else 1)
        free = [lane for lane, end in enumerate(ends) if place - end >= needed]
        if free:
            ends[free[0]] = place
            placed.append((value, free[0]))
    return placed


def spaced(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Returns heights moved as little down (then up) as it takes to keep a gap between neighbours.

    Args:
        heights: In any order.
        gap: The least distance.
        low: None is less than this, as long as there is room.
        high: None is more than this.
    """
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    moved, least = list(heights), low
    for index in order:
        moved[index] = max(heights[index], least)
        least = moved[index] + gap
    most = high
    for index in reversed(order):
        moved[index] = min(moved[index], most)
        most = moved[index] - gap
    return moved
