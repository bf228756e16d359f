"""Bounds on sources: how many rows of each may or must still be chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError, unknown_name
from suffice.data.pool import Pool
from suffice.selectors.constraints import Constraints


class Bounds:
    """How many rows of each source that has bounds were chosen; the last place counts all others.

    Args:
        pool: The rows.
        constraints: The bounds.

    Attributes:
        names: The sources that have bounds.
        of: The place of each row's source in ``names``; one beyond for all others [rows].

    Raises:
        UserError: A source is named that the pool does not have.
    """

    def __init__(self, pool: Pool, constraints: Constraints) -> None:
        rows = len(pool)
        self.names = sorted({*constraints.at_least, *constraints.at_most})
        known = set(pool.sources) if self.names else set()
        for name in self.names:
            if name not in known:
                raise unknown_name("source", name, known)
        place = {name: number for number, name in enumerate(self.names)}
        self.of = np.full(rows, len(self.names), np.int32)
        if self.names:
            self.of[:] = [place.get(source, len(self.names)) for source in pool.sources]
        self._chosen = np.zeros(len(self.names) + 1, np.int64)
        self._least = np.array([*(constraints.at_least.get(name, 0) for name in self.names), 0], np.int64)
        self._most = np.array([*(constraints.at_most.get(name, rows) for name in self.names), rows], np.int64)
        self._closed: set[int] = set()

    def count(self, index: int) -> None:
        """Takes note that a row was chosen."""
        self._chosen[self.of[index]] += 1

    def closing(self, left: int) -> list[NDArray[np.bool_]]:
        """Returns the rows of each source that closes now, given the turns left."""
        if not self.names:
            return []
        full = self._chosen >= self._most
        if np.maximum(self._least - self._chosen, 0).sum() >= left:
            full |= self._chosen >= self._least
        now = [int(place) for place in np.flatnonzero(full) if int(place) not in self._closed]
        self._closed.update(now)
        return [self.of == place for place in now]

    def fewest(self, pinned: Sequence[int]) -> int:
        """Returns how many rows pins and sources ask for."""
        return int(np.maximum(self._least, self._per_source(self.of[list(pinned)])).sum())

    def room(self, able: NDArray[np.bool_]) -> int:
        """Returns how many of some rows can be chosen together."""
        return int(np.minimum(self._most, self._per_source(self.of[able])).sum())

    def check(self, budget: int, pinned: Sequence[int], able: NDArray[np.bool_]) -> None:
        """Refuses bounds that cannot be met.

        Args:
            budget: How many rows are to be chosen.
            pinned: The rows chosen first.
            able: Rows that can be chosen, of twins one [rows].

        Raises:
            UserError: Saying which.
        """
        there, first = self._per_source(self.of[able]), self._per_source(self.of[list(pinned)])
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
        needed, room = self.fewest(pinned), self.room(able)
        if needed > budget:
            raise UserError(
                f"pins and sources ask for {needed:,} rows, more than the budget of {budget:,}",
                f"give --budget {needed} or more, or ask for fewer",
            )
        if room < budget:
            raise UserError(
                f"the constraints leave {room:,} rows to choose, fewer than the budget of {budget:,}",
                f"give --budget {room} or less, or allow more" if room else "allow more",
            )

    def _per_source(self, places: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.bincount(places, minlength=len(self._least))
