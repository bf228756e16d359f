"""What a selection must hold to, whatever the selector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Constraints:
    """What a selection must hold to.

    Attributes:
        pin: Ids of rows that are chosen first, in this order.
        ban: Ids of rows that are never chosen.
        at_least: How many rows of a source are chosen at the least.
        at_most: How many at the most.
    """

    pin: tuple[str, ...] = ()
    ban: tuple[str, ...] = ()
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)


NONE = Constraints()
