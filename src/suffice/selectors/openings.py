"""Which rows may still be chosen: how constraints reach every selector.

Every selector chooses one row after the other and tells `Openings` of each. Rows close and never open again: a row
that was taken, the rows of a source that is full, and, once no more turns are left than sources still lack rows, all
others than theirs. What can then be chosen is a matroid (bases with lower and upper bounds of each class), so that
choosing the best open row each time is as good as choosing greedily without constraints: best for a sum of scores, at
least half of the best for a submodular gain (Fisher, Nemhauser and Wolsey 1978).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError, unknown_name
from suffice.selectors.constraints import NONE, Constraints
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
        self.mask, self._left = usable.copy(), request.budget
        self.pinned = _places(request, request.constraints.pin, "pinned")
        for index in self.pinned:
            if not usable[index]:
                raise UserError(
                    f"the row {request.pool.ids[index]} is pinned and has no {thing}",
                    "leave it out of the pins",
                )
        self.mask[_places(request, request.constraints.ban, "banned")] = False
        self._sources = _Sources(request, self.mask)
        self._check(request)
        self._close()

    def pin(self, turn: int) -> int | None:
        """Returns the row that is pinned to a turn (from 0); `None` where the selector is free to choose."""
        return self.pinned[turn] if turn < len(self.pinned) else None

    def take(self, index: int) -> None:
        """Closes a row that was chosen, and those that can no longer be chosen after it."""
        self.mask[index] = False
        self._left -= 1
        self._sources.count(index)
        self._close()

    def _close(self) -> None:
        for rows in self._sources.closing(self._left):
            self.mask &= ~rows

    def _check(self, request: SelectionRequest) -> None:
        budget, ids = request.budget, request.pool.ids
        for index in self.pinned:
            if not self.mask[index]:
                raise UserError(f"the row {ids[index]} is both pinned and banned", "choose one of the two")
        if len(self.pinned) > budget:
            raise UserError(
                f"{len(self.pinned):,} rows are pinned, more than the budget of {budget:,}",
                f"give --budget {len(self.pinned)} or more, or pin fewer",
            )
        self._sources.check(budget, self.pinned, self.mask)


class _Sources:
    """How many rows of each source that has bounds were chosen; the last place counts all others."""

    def __init__(self, request: SelectionRequest, mask: NDArray[np.bool_]) -> None:
        bounds, rows = request.constraints, len(mask)
        self.names = sorted({*bounds.at_least, *bounds.at_most})
        known = set(request.pool.sources) if self.names else set()
        for name in self.names:
            if name not in known:
                raise unknown_name("source", name, known)
        place = {name: number for number, name in enumerate(self.names)}
        self._of = np.full(rows, len(self.names), np.int32)
        if self.names:
            self._of[:] = [place.get(source, len(self.names)) for source in request.pool.sources]
        self._chosen = np.zeros(len(self.names) + 1, np.int64)
        self._least = np.array([*(bounds.at_least.get(name, 0) for name in self.names), 0], np.int64)
        self._most = np.array([*(bounds.at_most.get(name, rows) for name in self.names), rows], np.int64)
        self._closed: set[int] = set()

    def count(self, index: int) -> None:
        self._chosen[self._of[index]] += 1

    def closing(self, left: int) -> list[NDArray[np.bool_]]:
        """Returns the rows of each source that closes now, given the turns left."""
        if not self.names:
            return []
        full = self._chosen >= self._most
        if np.maximum(self._least - self._chosen, 0).sum() >= left:
            full |= self._chosen >= self._least
        now = [int(place) for place in np.flatnonzero(full) if int(place) not in self._closed]
        self._closed.update(now)
        return [self._of == place for place in now]

    def check(self, budget: int, pinned: Sequence[int], mask: NDArray[np.bool_]) -> None:
        """Refuses bounds that cannot be met."""
        there = np.bincount(self._of[mask], minlength=len(self._least))
        first = np.bincount(self._of[list(pinned)], minlength=len(self._least))
        for place, name in enumerate(self.names):
            least, most = int(self._least[place]), int(self._most[place])
            if least > most:
                raise UserError(
                    f"no selection has at least {least:,} and at most {most:,} rows of the source '{name}'",
                    "mend one of the two",
                )
            if least > there[place]:
                raise UserError(
                    f"the source '{name}' has {there[place]:,} rows that can be chosen, fewer than {least:,}",
                    f"ask for {there[place]} or less",
                )
            if first[place] > most:
                raise UserError(
                    f"{first[place]:,} rows of the source '{name}' are pinned, and {most:,} are allowed",
                    "pin fewer, or allow more",
                )
        needed = int(np.maximum(self._least, first).sum())
        if needed > budget:
            raise UserError(
                f"pins and sources ask for {needed:,} rows, more than the budget of {budget:,}",
                f"give --budget {needed} or more, or ask for fewer",
            )
        capacity = int(np.minimum(self._most, there).sum())
        if capacity < budget:
            raise UserError(
                f"the constraints leave {capacity:,} rows to choose, fewer than the budget of {budget:,}",
                f"give --budget {capacity} or less, or allow more" if capacity else "allow more",
            )


def holds(chosen: Sequence[int], pool: Pool, constraints: Constraints) -> bool:
    """Tells whether a selection is within constraints, which a selector of another package may not know of."""
    if constraints == NONE:
        return True
    ids, counts = {pool.ids[index] for index in chosen}, Counter(pool.sources[index] for index in chosen)
    return (
        ids.issuperset(constraints.pin)
        and ids.isdisjoint(constraints.ban)
        and all(counts[source] >= least for source, least in constraints.at_least.items())
        and all(counts[source] <= most for source, most in constraints.at_most.items())
    )


def _places(request: SelectionRequest, ids: Sequence[str], what: str) -> list[int]:
    """Returns the places of rows in the pool, each once."""
    if not ids:
        return []
    place = {row_id: index for index, row_id in enumerate(request.pool.ids)}
    for row_id in ids:
        if row_id not in place:
            raise UserError(
                f"no row of the pool has the id '{row_id}', which is {what}", "give ids of its rows"
            )
    return [place[row_id] for row_id in dict.fromkeys(ids)]


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
