"""Graph cut: each time the row most like all others and least like the chosen ones.

Lin and Bilmes, "Multi-document summarization via budgeted maximization of submodular functions" (NAACL 2010), in the form
of submodlib, over similarities s = (1 + cosine) / 2:

    f(C) = sum_{i in V, j in C} s_ij - penalty * sum_{i, j in C} s_ij

For a small share of a large pool a fixed penalty does nothing: the first sum is larger by |V| / |C|. The penalty here is
|V| / (2 budget); with it -2 f / (|V| budget), but for a constant, is the squared maximum mean discrepancy between selection
and pool (Gretton et al. 2012), so that the greedy choice is kernel herding (Chen, Welling and Smola 2010) over a budget that
is known. The first sum is a product with the sum of all vectors; no matrix of similarities is needed.
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


class GraphCut:
    """Takes each time the row that raises f / |V| most."""

    name = "graph_cut"
    paper = "Lin and Bilmes, NAACL 2010"
    needs = ("vectors",)
    cost = "rows x budget products of vectors"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the choice; for their evidence see `explain`.

        Raises:
            UserError: The scores hold no vectors, or the budget or the constraints cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        picks = choose(directions, openings, _Cut(request.budget), request.budget)
        return explain(request, directions, picks, _words)

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """See `lacked_gain`."""
        return lacked_gain(self.select, request, choices, index)


class _Cut(Probes):
    """What a row would add to f / |V|."""

    def __init__(self, budget: int) -> None:
        super().__init__()
        self._penalty = 1 / (2 * budget)

    def start(self, directions: Directions) -> Gains:
        mean = directions.mean()[None]
        likeness = np.concatenate([directions.dots(rows, mean)[:, 0] for rows in directions.blocks()])
        start: Gains = (1 + likeness.astype(np.float64)) / 2 - self._penalty
        return start

    def probe(self, row: Vectors) -> tuple[Vectors, float]:
        return row * np.float32(0.5), 0.5

    def after(self, gains: Gains, products: NDArray[np.float32]) -> Gains:
        lowered: Gains = gains - 2 * self._penalty * np.maximum(products, 0).sum(axis=1, dtype=np.float64)
        return lowered


def _words(pick: Pick) -> str:
    return f"adds {pick.gain:.3g} to the cut"
