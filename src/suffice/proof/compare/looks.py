"""Looks by item: two fixed models that answer more and more items, judged after planned numbers of them.

Each claim has the levels of `suffice.proof.design.sequential.item_looks` for its own share of alpha. A p value seen at a look
becomes a repeated p value: the least alpha whose level at this look it passes (Jennison and Turnbull 2000, *Group
Sequential Methods*, section 9.6). Holm's method on repeated p values keeps the family's error over all looks together
(Maurer and Bretz 2013, Statistics in Biopharmaceutical Research 5, 311-320).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import optimize

from suffice.common.errors import UserError
from suffice.proof.design.sequential import item_looks, verdict_level

MOST = 0.499  # the largest two-sided alpha that looks can share
_LEAST = 1e-12


@dataclass(frozen=True)
class ItemLook:
    """One look.

    Attributes:
        planned: The number of items (clusters, where they are clustered) at each look.
        items: The number there is now, one of them.
    """

    planned: tuple[int, ...]
    items: int

    def level(self, alpha: float) -> float:
        """Returns the two-sided level of this look where all looks together have the error ``alpha``."""
        found = verdict_level(item_looks(self.planned, min(alpha, MOST)), self.items)
        assert found is not None
        return found

    def repeated(self, p: float) -> float:
        """Returns the repeated p value of one seen at this look: the least alpha with ``p <= level(alpha)``."""
        if p > self.level(MOST):
            return 1.0
        if p <= self.level(_LEAST):
            return _LEAST

        def gap(log_alpha: float) -> float:
            return math.log(self.level(math.exp(log_alpha)) / p)

        return math.exp(float(optimize.brentq(gap, math.log(_LEAST), math.log(MOST), xtol=1e-9)))

    def sentence(self, alpha: float) -> str:
        """Says which look this is and what it costs."""
        place = self.planned.index(self.items) + 1
        return (
            f"This is look {place} of {len(self.planned)}, at {self.items:,} of {self.planned[-1]:,} items: one claim "
            f"is judged at a level of {100 * (1 - self.level(alpha)):.4g} %, so that all looks together keep alpha "
            f"at {alpha:g}. The items must come in an order that does not depend on the scores."
        )


def item_look(planned: Sequence[int], clusters: Sequence[int | None], runs: int) -> ItemLook:
    """Returns the look that the data have reached.

    Args:
        planned: The planned numbers of items.
        clusters: The number of clusters of each question; None where only one score a run is known.
        runs: The most runs of any arm.

    Raises:
        UserError: The looks cannot be planned, an arm has several runs, the questions have other numbers of items,
            or there are as many items as at no look.
    """
    counts = set(clusters)
    if None in counts or runs > 1:
        raise UserError(
            "looks by item are for two fixed models, one run each, with scores by item",
            "leave out --looks; a run is looked at after batches of runs by suffice run --looks",
        )
    if len(counts) > 1:
        raise UserError(
            f"the tasks have {', '.join(map(str, sorted(c for c in counts if c is not None)))} items, and looks are "
            "planned for one number",
            "name one with --task",
        )
    [items] = counts
    assert items is not None
    looks = item_looks(planned)
    if verdict_level(looks, items) is None:
        raise UserError(
            f"there are {items} items, and looks are at {', '.join(map(str, planned))}",
            "judge at a planned number of items, or name the numbers at which you really looked, this one and the last "
            "planned included",
        )
    return ItemLook(looks.planned, items)
