"""From data to a place on an axis, and where its ticks stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Marks at the ends of an axis keep this far (in percent of the width) from the edge of the drawing.
EDGE = 2.5


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis from ``low`` to ``high`` that begins at ``start`` percent of the width."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    start: float = EDGE

    def share(self, value: float) -> float:
        """Returns how far along the axis a value lies, from 0 to 1; values beyond its ends stay at them."""
        low, high, value = (math.log(max(x, 1e-12)) if self.log else x for x in (self.low, self.high, value))
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def at(self, value: float) -> float:
        """Returns where a value stands, in percent of the width of the drawing."""
        return self.start + (100 - EDGE - self.start) * self.share(value)


def linear(
    values: Iterable[float], *, low: float | None = None, high: float | None = None, rounded: bool = True
) -> Scale:
    """Returns an axis that holds all values.

    Args:
        values: What it must hold.
        low: The axis starts no lower than here.
        high: The axis ends no higher than here.
        rounded: Whether its ends are round; otherwise they stand a little outside the values.
    """
    held = list(values) or [0.0]
    least, most = min(held), max(held)
    if least == most:
        least, most = least - 1, most + 1
    step, room = _step(most - least), (most - least) * 0.06
    start = math.floor(least / step) * step if rounded else least - room
    end = math.ceil(most / step) * step if rounded else most + room
    start = start if low is None else max(low, start)
    end = end if high is None else min(high, end)
    multiples = range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1)
    return Scale(start, end, tuple(multiple * step for multiple in multiples))


def _step(span: float) -> float:
    """Returns the round step (1, 2 or 5 times a power of ten) that cuts a span into four to eight parts."""
    unit = 10.0 ** math.floor(math.log10(span / 4))
    return next(unit * factor for factor in (1, 2, 5, 10) if span / (unit * factor) <= 8)


def logarithmic(edges: Sequence[float]) -> Scale:
    """Returns a logarithmic axis over the edges of bins, all above zero, with ticks at powers of ten.

    Where there are no more than two such powers, their multiples by 2 and 5 have ticks too.
    """
    low, high = edges[0], edges[-1]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    fine = tuple(value for value in every if low * (1 - 1e-9) <= value <= high * (1 + 1e-9))
    coarse = tuple(value for value in fine if value in every[::3])
    ticks = coarse if len(coarse) > 2 else fine
    return Scale(low, high, ticks if len(ticks) > 1 else (low, high), log=True)
