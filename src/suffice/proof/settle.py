"""How many more runs or items would settle a comparison that is still open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suffice.proof.intervals import interval
from suffice.proof.variance import Components

MOST_RUNS = 100
MOST_ITEMS = 100_000


@dataclass(frozen=True)
class Settling:
    """What would settle a comparison if its difference stayed as it is.

    Attributes:
        runs: The fewest runs more in each arm, on the same items; None where no number up to 100 is enough.
        items: The fewest items more, with the same runs; None where no number up to 100,000 is enough.
    """

    runs: int | None
    items: int | None


def settling(parts: Components, boundary: float, alpha: float) -> Settling:
    """Returns how many runs or items more would put the interval on one side of ``boundary``.

    The variance components are taken as known and the estimate as it is, so the numbers are a plan and
    no promise.

    Args:
        parts: The comparison, without arms of a single run.
        boundary: In the unit of the scores.
        alpha: One minus the level of the interval.

    Returns:
        The numbers.
    """

    def clears(runs: int = 0, items: int = 0) -> bool:
        found = interval(parts.grown(runs, items), alpha)
        return found.above(boundary) or found.below(boundary)

    return Settling(
        runs=fewest(lambda count: clears(runs=count), MOST_RUNS) if parts.arms else None,
        items=fewest(lambda count: clears(items=count), MOST_ITEMS),
    )


def rounded_up(count: int) -> str:
    """Returns a number that is an estimate, in words: rounded up to two digits."""
    unit = 10 ** max(0, len(str(count)) - 2)
    return f"{-(-count // unit) * unit:,}"


def fewest(enough: Callable[[int], bool], most: int) -> int | None:
    """Returns the smallest count from 1 to ``most`` that is enough, by doubling and halving, or None."""
    high = 1
    while not enough(high):
        if high == most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
