"""DEITA's filter: the best rows first, without those that are too much like one chosen already.

Liu et al., "What makes good data for alignment?" (ICLR 2024, arXiv 2312.15685, section 2.4): rows by falling score; a row
is chosen unless its nearest chosen one is closer than a threshold. The paper's text speaks of a distance and a threshold of
0.9; in its code that is the cosine, above which a row is left out, and so it is here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, below, excerpt, ranking

_TOGETHER = 1024  # rows that are compared with all chosen ones at once


class Deita:
    """Takes the highest scores first, ties in pool order, and passes over rows too much like a chosen one.

    Args:
        threshold: The cosine above which two rows are too much alike.
    """

    name = "deita"
    paper = "arXiv 2312.15685"
    needs = ("scores", "vectors")
    cost = "rows looked at x budget products of vectors"

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of their scores, pinned ones first.

        Their evidence is ``score``, ``rank`` (from 1, among rows with score and vector), ``nearest`` (the id of the
        most alike of the rows chosen before) and ``cosine`` (how alike; empty and 0 for the first), and ``passed``
        (how many rows since the choice before were passed over as too much alike).

        Raises:
            UserError: The scores hold no vectors, the budget or the constraints cannot be met, or too few rows are
                less alike than the threshold.
        """
        directions, values = Directions(request, self.name), request.scores.values
        openings = Openings(request, directions.usable & ~np.isnan(values), "score and a vector")
        order = ranking(np.where(directions.usable, values, np.nan).astype(np.float32))
        walk = _Walk(request, directions, openings, order)
        for index in openings.pinned:
            walk.take(index)
        for top in range(0, len(order), _TOGETHER):
            if walk.done:
                break
            walk.pass_by(order[top : top + _TOGETHER], self.threshold)
        if not walk.done:
            raise UserError(
                f"only {len(walk.choices):,} rows are as little alike as a cosine of {self.threshold:g} and within the "
                f"constraints, fewer than the budget of {request.budget:,}",
                f"give --budget {len(walk.choices)} or less, or reject twins first",
            )
        return walk.choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells whether its score is too low, or a chosen row too much like it."""
        lack = below(request, choices, index)
        rows = [
            choice.index
            for choice in choices
            if request.scores.values[choice.index] >= request.scores.values[index]
        ]
        if lack.evidence["short"] > 0 or not rows:
            return lack
        directions = Directions(request, self.name)
        cosines = directions.take(rows) @ directions.take([index])[0]
        row, cosine = request.pool[rows[int(cosines.argmax())]], float(cosines.max())
        reason = f'too much like "{excerpt(row.messages)}", which is chosen: cosine {cosine:.3f}, above {self.threshold:g}'
        if cosine <= self.threshold:
            return lack
        return Lack(reason, lack.evidence | {"nearest": row.id, "cosine": cosine})


class _Walk:
    """The walk down the scores: what was chosen so far."""

    def __init__(
        self,
        request: SelectionRequest,
        directions: Directions,
        openings: Openings,
        order: NDArray[np.int64],
    ) -> None:
        self._request, self._directions, self._openings = request, directions, openings
        self._rank = np.zeros(len(directions), np.int64)
        self._rank[order] = np.arange(1, len(order) + 1)
        self._vectors = np.zeros((request.budget, directions.width), np.float32)
        self._passed = 0
        self.choices: list[Choice] = []

    @property
    def done(self) -> bool:
        """Whether all rows are chosen."""
        return len(self.choices) == self._request.budget

    def take(self, index: int) -> None:
        """Chooses a pinned row, whatever it is like."""
        nearest, cosines = self._nearest(self._directions.take([index]))
        self._choose(index, int(nearest[0]), float(cosines[0]), "pinned; ")

    def pass_by(self, rows: NDArray[np.int64], threshold: float) -> None:
        """Looks at rows in their order, and chooses those that are open and not too much alike."""
        vectors = self._directions.take(rows)
        nearest, cosines = self._nearest(vectors)
        for place, index in enumerate(rows.tolist()):
            if self.done or not self._openings.mask[index]:
                continue
            if cosines[place] > threshold:
                self._passed += 1
                continue
            self._choose(index, int(nearest[place]), float(cosines[place]))
            products = vectors @ self._vectors[len(self.choices) - 1]
            closer = products > cosines
            nearest[closer], cosines[closer] = len(self.choices) - 1, products[closer]

    def _nearest(self, vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns the most alike chosen row of each, as a place in ``choices``, and the cosine; -1 where none is."""
        if not self.choices:
            return np.full(len(vectors), -1), np.full(len(vectors), -np.inf, np.float32)
        products = vectors @ self._vectors[: len(self.choices)].T
        return products.argmax(axis=1), products.max(axis=1)

    def _choose(self, index: int, nearest: int, cosine: float, words: str = "") -> None:
        score, rank = float(self._request.scores.values[index]), int(self._rank[index])
        reason, before = f"{words}score {score:,.4g}, rank {rank:,}", ""
        if nearest >= 0:
            row = self._request.pool[self.choices[nearest].index]
            before = row.id
            reason += f'; most like "{excerpt(row.messages)}", cosine {cosine:.2f}'
        if self._passed:
            reason += f"; {self._passed:,} above it passed over as too much alike"
        evidence = {
            "score": score,
            "rank": rank,
            "nearest": before,
            "cosine": cosine if nearest >= 0 else 0.0,
            "passed": self._passed,
        }
        self._vectors[len(self.choices)] = self._directions.take([index])[0]
        self.choices.append(Choice(index, reason, evidence))
        self._openings.take(index)
        self._passed = 0
