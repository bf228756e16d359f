"""What a selection must hold to, whatever the selector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Constraints:
    """What a selection must hold to.

    Attributes:
        pin: Ids of rows that are chosen first, in this order.
        ban: Ids of rows that are never chosen.
        at_least: How many rows of a source are chosen at the least.
        at_most: How many at the most.
        languages: The languages of rows that may be chosen; all where there is none.
        no_twins: How the twins are told of which no two are chosen, such as ``near@0.8``; empty for any.
        language: The language of each row of the pool, where some are allowed alone [rows].
        cluster: The first row of each row's cluster of twins, itself where it has none [rows].
        left_out: Rows that earlier steps of a choice left out, pinned ones aside [rows].
    """

    pin: tuple[str, ...] = ()
    ban: tuple[str, ...] = ()
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    no_twins: str = ""
    language: Sequence[str] | None = field(default=None, compare=False, repr=False)
    cluster: NDArray[np.int64] | None = field(default=None, compare=False, repr=False)
    left_out: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)

    @property
    def none(self) -> bool:
        """Whether any selection holds to them."""
        return self == NONE and self.left_out is None

    def as_json(self) -> dict[str, Any]:
        """Returns what was asked for."""
        return {
            "pin": list(self.pin),
            "ban": list(self.ban),
            "at_least": dict(self.at_least),
            "at_most": dict(self.at_most),
            "languages": list(self.languages),
            "no_twins": self.no_twins,
        }


NONE = Constraints()
