"""What constraints leave of a pool before the first choice, and whether a budget fits in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.selectors.apart import Apart
from suffice.selectors.bounds import Bounds
from suffice.selectors.constraints import Constraints


class Ground:
    """What constraints leave of a pool.

    Args:
        pool: The rows.
        constraints: What a selection must hold to.
        usable: Which rows can be chosen at all; all by default [rows].
        thing: What the others lack, such as ``score``.

    Attributes:
        mask: True for a row that may be chosen [rows].
        pinned: The rows to be chosen first.
        bounds: The bounds on sources.
        twins: The clusters of twins.
        fewest: How many rows pins and sources ask for.
        most: How many rows can be chosen together.

    Raises:
        UserError: The constraints contradict one another, or name a row or a source that is not in the pool.
    """

    def __init__(
        self,
        pool: Pool,
        constraints: Constraints,
        usable: NDArray[np.bool_] | None = None,
        thing: str = "score",
    ) -> None:
        self._ids = pool.ids
        self.mask = np.ones(len(pool), dtype=bool) if usable is None else usable.copy()
        self.pinned = self._places(constraints.pin, "pinned")
        self._check_pins(lambda _: f"is pinned and has no {thing}", lambda _: "leave it out of the pins")
        self.mask[self._places(constraints.ban, "banned")] = False
        self._check_pins(lambda _: "is both pinned and banned", lambda _: "choose one of the two")
        if constraints.left_out is not None:
            out = constraints.left_out.copy()
            out[self.pinned] = False
            self.mask &= ~out
        self._close_languages(constraints)
        self.bounds, self.twins = Bounds(pool, constraints), Apart(constraints)
        self.twins.check(self.pinned, self._ids)
        self.twins.narrow(self.mask, self.pinned, self.bounds.of)
        self._heads = self.twins.heads(self.mask)
        self.fewest, self.most = self.bounds.fewest(self.pinned), self.bounds.room(self._heads)

    def check(self, budget: int) -> None:
        """Refuses a budget that constraints leave no room for.

        Raises:
            UserError: Saying why.
        """
        if len(self.pinned) > budget:
            raise UserError(
                f"{len(self.pinned):,} rows are pinned, more than the budget of {budget:,}",
                f"give --budget {len(self.pinned)} or more, or pin fewer",
            )
        self.bounds.check(budget, self.pinned, self._heads)

    def _close_languages(self, constraints: Constraints) -> None:
        spoken = constraints.language
        if spoken is None:
            return
        self.mask &= np.isin(np.array(spoken), constraints.languages)
        self._check_pins(
            lambda index: f"is pinned, and its language is {spoken[index]}",
            lambda index: f"allow it with --language {spoken[index]}, or leave the row out of the pins",
        )

    def _check_pins(self, why: Callable[[int], str], remedy: Callable[[int], str]) -> None:
        """Refuses a pinned row that cannot be chosen."""
        for index in self.pinned:
            if not self.mask[index]:
                raise UserError(f"the row {self._ids[index]} {why(index)}", remedy(index))

    def _places(self, ids: Sequence[str], what: str) -> list[int]:
        """Returns the places of rows in the pool, each once."""
        if not ids:
            return []
        place = {row_id: index for index, row_id in enumerate(self._ids)}
        for row_id in ids:
            if row_id not in place:
                raise UserError(
                    f"no row of the pool has the id '{row_id}', which is {what}", "give ids of its rows"
                )
        return [place[row_id] for row_id in dict.fromkeys(ids)]
