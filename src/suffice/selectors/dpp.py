"""DPP: each time the row that raises the determinant of the chosen rows' similarities most.

Greedy maximum a posteriori inference of a determinantal point process (Chen, Zhang and Zhou, "Fast greedy MAP
inference", NeurIPS 2018, arXiv 1709.05135) with the kernel L = S + `RIDGE` I, where S = (1 + cosine) / 2 as in the
paper's section 5, and all rows of equal quality. What a row adds to log det L is log d², with

    d_j² = L_jj - L_jC L_CC⁻¹ L_Cj          (C: the chosen rows)

The paper updates d² by one more column of a Cholesky factor for each choice, which is a number for every row and choice.
S is the product of vectors u = (1, v) / sqrt(2), so that the same column is u · w with one vector w for each choice; that
is all that is kept. Without the ridge no more rows than dimensions could be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.greedy import Gains, Pick, Probes, choose, explain, lacked_gain
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest

RIDGE = 0.01


class Dpp:
    """Takes each time the row that raises log det L most; of equals, as before the first, the first in the pool."""

    name = "dpp"
    paper = "arXiv 1709.05135"
    needs = ("vectors",)
    cost = "rows x budget products of vectors"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the choice; for their evidence see `explain`.

        Raises:
            UserError: The scores hold no vectors, or the budget or the constraints cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        picks = choose(directions, openings, _Determinant(request.budget, directions.width), request.budget)
        return explain(request, directions, [_in_logarithms(pick) for pick in picks], _words)

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """See `lacked_gain`."""
        return lacked_gain(self.select, request, choices, index)


class _Determinant(Probes):
    """d² of every row, by one vector w for each chosen one."""

    def __init__(self, budget: int, width: int) -> None:
        super().__init__()
        self._basis, self._count = np.zeros((budget, width + 1)), 0

    def start(self, directions: Directions) -> Gains:
        return np.full(len(directions), 1 + RIDGE)

    def probe(self, row: Vectors) -> tuple[Vectors, float]:
        before, own = self._basis[: self._count], np.concatenate([[1], row]) / math.sqrt(2)
        cosines = before @ own
        rest = (own - cosines @ before) / math.sqrt(1 + RIDGE - cosines @ cosines)
        self._basis[self._count] = rest
        self._count += 1
        return (rest[1:] / math.sqrt(2)).astype(np.float32), float(rest[0] / math.sqrt(2))

    def after(self, gains: Gains, products: NDArray[np.float32]) -> Gains:
        lowered: Gains = gains - np.square(products, dtype=np.float64).sum(axis=1)
        return lowered


def _in_logarithms(pick: Pick) -> Pick:
    least = RIDGE / 2  # below what rounding may leave of the smallest d² there can be
    return replace(
        pick,
        gain=math.log(max(pick.gain, least)),
        rival_gain=math.log(max(pick.rival_gain, least)) if pick.rival is not None else 0.0,
    )


def _words(pick: Pick) -> str:
    return f"adds {pick.gain:.3g} to the log-determinant"
