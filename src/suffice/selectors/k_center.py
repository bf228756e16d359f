"""k-center: each time the row that is farthest from all chosen ones.

Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985): the largest distance of any row to its
nearest chosen one is at most twice the smallest there can be. Sener and Savarese (arXiv 1708.00489, algorithm 1) choose
training data by it. The distance is the Euclidean one of directions, sqrt(2 - 2 cos), from 0 to 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.greedy import Gains, Pick, Probes, choose, explain, lacked_gain
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest

_FARTHEST = 2.0


class KCenter:
    """Takes the farthest row each time; the first is the one nearest to the mean direction of all."""

    name = "k_center"
    paper = "arXiv 1708.00489"
    needs = ("vectors",)
    cost = "rows x budget products of vectors"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the choice; for their evidence see `explain`, a gain is a distance.

        Raises:
            UserError: The scores hold no vectors, or the budget or the constraints cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        picks = choose(directions, openings, _Distance(), request.budget)
        first = picks[0] = Pick(picks[0].index, _FARTHEST, pinned=picks[0].pinned)
        return explain(request, directions, picks, lambda pick: _words(pick, pick is first))

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """See `lacked_gain`."""
        return lacked_gain(self.select, request, choices, index)


class _Distance(Probes):
    """The distance to the nearest chosen row; before there is one, more than any, the more the nearer to the mean."""

    def start(self, directions: Directions) -> Gains:
        mean = directions.mean()[None]
        parts = [directions.dots(rows, mean)[:, 0] for rows in directions.blocks()]
        start: Gains = np.concatenate(parts).astype(np.float64) + 2 * _FARTHEST
        return start

    def probe(self, row: Vectors) -> tuple[Vectors, float]:
        return row, 0.0

    def after(self, gains: Gains, products: NDArray[np.float32]) -> Gains:
        nearest = products.max(axis=1).astype(np.float64)
        lowered: Gains = np.minimum(gains, np.sqrt(np.maximum(2 - 2 * nearest, 0)))
        return lowered


def _words(pick: Pick, first: bool) -> str:
    if first:
        return "the first" if pick.pinned else "the first: nearest to the mean of all"
    return f"{pick.gain:.3g} from the nearest chosen row"
