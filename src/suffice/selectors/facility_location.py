"""Facility location: each time the row that most improves how well the chosen rows stand for all.

Cornuéjols, Fisher and Nemhauser (1977); for choosing training data Wei, Iyer and Bilmes, "Submodularity in data subset
selection and active learning" (ICML 2015). Over similarities s = (1 + cosine) / 2, so that none is negative:

    f(C) = sum_i max_{j in C} s_ij

The greedy choice reaches at least 1 - 1/e of the largest f (Nemhauser, Wolsey and Fisher 1978). What a row would add falls
as others are chosen, and only by the rows i that are now better served, of which there are ever fewer: nothing else is
computed anew. Similarities are kept as far as `KEPT` numbers go, and computed each time beyond.

Every row can be chosen. The sum goes over all rows where there are no more than `SAMPLE` or `SERVED` for each row of the
budget: there the choice is exactly the greedy one. It goes over so many rows, drawn by the seed, where there are more,
which is the approximation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.greedy import Gains, Pick, Product, choose, explain, lacked_gain
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest

SAMPLE, SERVED = 8192, 16
KEPT = 2**29
"""Similarities that are kept: 2 GiB."""
FRONT = 256
_TOGETHER = 256  # served rows that are looked at together: their products with a block of rows fit a cache


class FacilityLocation:
    """Takes each time the row that raises f most."""

    name = "facility_location"
    paper = "Wei, Iyer and Bilmes, ICML 2015"
    needs = ("vectors",)
    cost = "rows x rows x log(budget) products of vectors, or of a sample"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the choice; for their evidence see `explain`, a gain is a share of f's largest.

        Raises:
            UserError: The scores hold no vectors, or the budget or the constraints cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        served = np.flatnonzero(directions.usable)
        enough = max(SAMPLE, SERVED * request.budget)
        if len(served) > enough:
            served = np.sort(Draws(request.seed, self.name).sample(served.tolist(), enough))
        picks = choose(directions, openings, _Service(directions.take(served)), request.budget, FRONT)
        return explain(request, directions, picks, _words)

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """See `lacked_gain`."""
        return lacked_gain(self.select, request, choices, index)


class _Service:
    """What a row would add to f, as a share of the rows served.

    Args:
        served: The directions of the rows that the sum goes over [served, width].
    """

    def __init__(self, served: Vectors) -> None:
        self._served = served
        self._best = np.full(len(served), -1, np.float32)  # the largest cosine to a chosen row, now,
        self._last = self._best  # before the last choice,
        self._settled = self._best  # and when all gains were last up to date

    def start(self, directions: Directions) -> Gains:
        self._kept = np.empty((min(len(self._served), KEPT // len(directions)), len(directions)), np.float32)
        mean = self._served.mean(axis=0, dtype=np.float64).astype(np.float32)[None]
        likeness = np.empty(len(directions), np.float32)
        for rows in directions.blocks():
            self._kept[:, rows] = directions.dots(rows, self._served[: len(self._kept)]).T
            likeness[rows] = directions.dots(rows, mean)[:, 0]
        start: Gains = (1 + likeness.astype(np.float64)) / 2
        return start

    def chose(self, row: Vectors) -> None:
        self._last = self._best
        self._best = np.maximum(self._best, self._served @ row)

    def lower(self, gains: Gains, product: Product, rows: slice | None) -> Gains:
        before = self._last if rows is None else self._settled
        better = np.flatnonzero(self._best > before)
        lost = np.zeros(len(gains))
        for top in range(0, len(better), _TOGETHER):
            some = better[top : top + _TOGETHER]
            known = rows is not None and some[-1] < len(self._kept)
            cosines = self._kept[some, rows].T if known else product(self._served[some])
            lost += _lost(cosines, before[some], self._best[some])
        lowered: Gains = gains - lost / (2 * len(self._served))
        return lowered

    def settle(self) -> None:
        self._last = self._settled = self._best


def _lost(
    cosines: NDArray[np.float32], before: NDArray[np.float32], now: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Returns what rows would add no longer, now that others serve better: sum of min(max(cos, before), now) - before.

    Args:
        cosines: Of rows and rows served [rows, served]; overwritten.
        before: How well each was served before [served].
        now: How well it is served now, not worse [served].
    """
    np.maximum(cosines, before, out=cosines)
    np.minimum(cosines, now, out=cosines)
    cosines -= before
    lost: NDArray[np.float64] = cosines.sum(axis=1).astype(np.float64)
    return lost


def _words(pick: Pick) -> str:
    return f"adds {100 * pick.gain:.2g} % to how well all rows are served"
