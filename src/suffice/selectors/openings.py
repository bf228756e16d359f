"""Which rows may still be chosen: how constraints reach every selector.

Every selector chooses one row after the other and tells `Openings` of each. Rows close and never open again: a row
that was taken, the rows of a source that is full, and, once no more turns are left than sources still lack rows, all
others than theirs. What can then be chosen is a matroid (bases with lower and upper bounds of each class), so that
choosing the best open row each time is as good as choosing greedily without constraints: best for a sum of scores, at
least half of the best for a submodular gain (Fisher, Nemhauser and Wolsey 1978). The same holds where twins close with the
row that was taken, see `apart`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.selectors.constraints import Constraints
from suffice.selectors.ground import Ground
from suffice.selectors.protocol import SelectionRequest, check_budget

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class Openings:
    """Which rows may still be chosen.

    Args:
        request: What is asked for.
        usable: Which rows the selector can choose at all [rows].
        thing: What the others lack, such as ``score``.

    Attributes:
        mask: True for a row that is open [rows].
        pinned: The rows to be chosen first.

    Raises:
        UserError: The constraints cannot be met, or name a row or a source that is not in the pool.
    """

    def __init__(self, request: SelectionRequest, usable: NDArray[np.bool_], thing: str = "score") -> None:
        check_budget(request.budget, len(usable), int(usable.sum()), thing)
        ground = Ground(request.pool, request.constraints, usable, thing)
        ground.check(request.budget)
        self.mask, self.pinned, self._left = ground.mask, ground.pinned, request.budget
        self._sources, self._twins = ground.bounds, ground.twins
        self._close()

    def pin(self, turn: int) -> int | None:
        """Returns the row that is pinned to a turn (from 0); `None` where the selector is free to choose."""
        return self.pinned[turn] if turn < len(self.pinned) else None

    def take(self, index: int) -> None:
        """Closes a row that was chosen, and those that can no longer be chosen after it."""
        self.mask[self._twins.of(index)] = False
        self._left -= 1
        self._sources.count(index)
        self._close()

    def twins(self, index: int) -> list[int]:
        """Returns the other rows of a row's cluster of twins, which close with it; none where twins may be chosen."""
        return [int(row) for row in self._twins.of(index) if row != index]

    def _close(self) -> None:
        for rows in self._sources.closing(self._left):
            self.mask &= ~rows


def first_open(order: Sequence[int], request: SelectionRequest) -> list[int]:
    """Returns the first rows in an order that constraints leave open, after the pinned ones.

    Args:
        order: All rows, or as many as there are to choose where there are no constraints.
        request: How many to choose, and within what.

    Raises:
        UserError: The constraints cannot be met.
    """
    if request.constraints.none:
        return list(order[: request.budget])
    openings = Openings(request, np.ones(len(request.pool), dtype=bool))
    queue, chosen = Queue(np.array(order)), []
    for turn in range(request.budget):
        place, _, _ = queue.take(openings, turn)
        chosen.append(int(queue.order[place]))
    return chosen


def holds(chosen: Sequence[int], pool: Pool, constraints: Constraints) -> bool:
    """Tells whether a selection is within constraints, which a selector of another package may not know of."""
    if constraints.none:
        return True
    ids, counts = {pool.ids[index] for index in chosen}, Counter(pool.sources[index] for index in chosen)
    language, cluster = constraints.language, constraints.cluster
    return (
        ids.issuperset(constraints.pin)
        and ids.isdisjoint(constraints.ban)
        and all(counts[source] >= least for source, least in constraints.at_least.items())
        and all(counts[source] <= most for source, most in constraints.at_most.items())
        and (language is None or all(language[index] in constraints.languages for index in chosen))
        and (
            constraints.left_out is None
            or not constraints.left_out[list(chosen)].any()
            or bool(constraints.pin)
        )
        and (cluster is None or len({int(cluster[index]) for index in chosen}) == len(chosen))
    )


class Queue:
    """Rows in an order that does not change; those that have closed are passed over, once and for all.

    Args:
        order: The rows [count].
    """

    def __init__(self, order: NDArray[np.integer]) -> None:
        self.order, self._place = order, 0

    def first(self, mask: NDArray[np.bool_]) -> int | None:
        """Returns the place in the order of the first row that is open; `None` where none is left."""
        while self._place < len(self.order) and not mask[self.order[self._place]]:
            self._place += 1
        return self._place if self._place < len(self.order) else None

    def take(self, openings: Openings, turn: int) -> tuple[int, int | None, str]:
        """Takes the first open row, or the one that is pinned to this turn.

        Returns:
            Its place in the order; that of the next one that was open, `None` where none was or the row is pinned; and
            how the reason begins.
        """
        pin, mask = openings.pin(turn), openings.mask
        if pin is not None:
            openings.take(pin)
            return int(np.flatnonzero(self.order == pin)[0]), None, "pinned; "
        taken = self.first(mask)
        assert taken is not None, "constraints that can be met leave a row for every turn"
        mask[self.order[taken]] = False
        following = self.first(mask)
        openings.take(int(self.order[taken]))
        return taken, following, ""
