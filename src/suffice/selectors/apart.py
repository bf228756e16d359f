"""No two rows of one cluster of twins: the others close when one is taken.

A cluster must lie within one source, as far as sources have bounds: then what can be chosen stays a matroid (classes
within classes). A cluster that lies in several keeps the rows of one: that of its pinned row, else of its first open one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.selectors.constraints import Constraints


class Apart:
    """The clusters of twins.

    Args:
        constraints: What the selection must hold to; without `Constraints.cluster` no row has a twin.
    """

    def __init__(self, constraints: Constraints) -> None:
        self._cluster = constraints.cluster
        if self._cluster is not None:
            self._rows = np.argsort(self._cluster, kind="stable")
            self._sorted = self._cluster[self._rows]

    def of(self, index: int) -> NDArray[np.int64]:
        """Returns the rows of a row's cluster, itself among them, in pool order."""
        if self._cluster is None:
            return np.array([index])
        ends = (np.searchsorted(self._sorted, self._cluster[index], side) for side in ("left", "right"))
        rows: NDArray[np.int64] = self._rows[slice(*ends)]
        return rows

    def narrow(self, mask: NDArray[np.bool_], pinned: Sequence[int], source: NDArray[np.int32]) -> None:
        """Closes, in place, the rows of a cluster that lie outside its source.

        Args:
            mask: The rows that are open [rows].
            pinned: The rows chosen first.
            source: The place of each row's source among those that have bounds [rows].
        """
        if self._cluster is None:
            return
        home = np.full(len(mask), -1, np.int32)
        rows = np.flatnonzero(mask)
        clusters, first = np.unique(self._cluster[rows], return_index=True)
        home[clusters] = source[rows[first]]
        home[self._cluster[list(pinned)]] = source[list(pinned)]
        mask &= home[self._cluster] == source

    def heads(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Returns one row of each cluster that has some [rows]."""
        if self._cluster is None:
            return mask
        rows = np.flatnonzero(mask)
        _, first = np.unique(self._cluster[rows], return_index=True)
        heads = np.zeros(len(mask), dtype=bool)
        heads[rows[first]] = True
        return heads

    def check(self, pinned: Sequence[int], ids: Sequence[str]) -> None:
        """Refuses pinned rows that are twins.

        Raises:
            UserError: Naming the first two.
        """
        if self._cluster is None:
            return
        seen: dict[int, int] = {}
        for index in pinned:
            other = seen.setdefault(int(self._cluster[index]), index)
            if other != index:
                raise UserError(
                    f"the rows {ids[other]} and {ids[index]} are pinned, and they are twins",
                    "pin one of the two, or leave out --no-twins",
                )
