"""TAGCOS: clusters of rows, and in each the rows that together make up its centre, by orthogonal matching pursuit.

Zhang et al., "TAGCOS: Task-agnostic Gradient Clustered Coreset Selection for Instruction Tuning Data" (Findings of NAACL
2025, arXiv 2407.15235), sections 3.2 and 3.3. Rows are clustered by k-means over features of their gradients. In a cluster
with centre b and rows g_1, g_2, ... each choice is the row that is most like what the chosen rows C do not make up yet,

    r = b - sum_{c in C} x_c g_c,   with x = argmin_{x >= 0} |r|^2 + λ |x|^2

(Pati, Rezaiifar and Krishnaprasad 1993; the weights kept from being negative and small as in GradMatch, arXiv 2103.00123).
Clusters have turns in proportion to their sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.k_means import CLUSTERS, assign, find_centres
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest

PENALTY = 1.0  # λ, as in the public code


class TAGCOS:
    """Chooses in each cluster, in turn by size, the row most like what its centre still lacks.

    Args:
        clusters: How many there are; never more than the budget.
    """

    name = "tagcos"
    paper = "arXiv 2407.15235"
    needs = ("vectors",)
    cost = "rows x clusters products of vectors"

    def __init__(self, clusters: int = CLUSTERS) -> None:
        self.clusters = clusters

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order in which they were chosen, pinned ones first.

        Their evidence is ``cluster`` (its number), ``size`` (how many rows it has), ``likeness`` (the product of the row
        with what the cluster's centre still lacked), ``lacking`` (the share of the centre that it lacks with the row) and
        ``turn`` (from 1).

        Raises:
            UserError: scikit-learn is not installed, the scores hold no vectors, or the budget or the constraints
                cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        centres = find_centres(request, directions, min(self.clusters, request.budget), self.name)
        cluster, _ = assign(directions, centres)
        pursuits = [
            Pursuit(np.flatnonzero(cluster == number), directions, centre)
            for number, centre in enumerate(centres)
        ]
        choices = []
        for turn in range(request.budget):
            index = openings.pin(turn)
            if index is None:
                pursuit = _next(pursuits, openings.mask)
                index, likeness = pursuit.next(openings.mask)
                words = "most like what"
            else:
                pursuit = pursuits[cluster[index]]
                likeness, words = pursuit.likeness(index), "pinned; one of those for what"
            openings.take(index)
            lacking = pursuit.take(index)
            evidence = {
                "cluster": int(cluster[index]),
                "size": len(pursuit.rows),
                "likeness": likeness,
                "lacking": lacking,
                "turn": turn + 1,
            }
            reason = f"{words} the centre of its {len(pursuit.rows):,} rows still lacked ({likeness:.2f})"
            choices.append(Choice(index, reason, evidence))
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells how many rows of its cluster were chosen, each more like what the centre lacked in its turn."""
        directions = Directions(request, self.name)
        centres = find_centres(request, directions, min(self.clusters, request.budget), self.name)
        cluster, _ = assign(directions, centres)
        number, size = int(cluster[index]), int((cluster == cluster[index]).sum())
        taken = sum(choice.evidence["cluster"] == number for choice in choices)
        why = (
            f"{taken:,} of them are chosen, each more like what the centre lacked"
            if taken
            else "it had no turn"
        )
        return Lack(
            f"its cluster has {size:,} rows; {why}", {"cluster": number, "size": size, "taken": taken}
        )


class Pursuit:
    """Orthogonal matching pursuit of one cluster's centre by its rows, one at a time.

    Once no row that is left is like the rest that is lacking, the pursuit begins anew with the whole centre, as the public
    code does with the rows not chosen yet.

    Args:
        rows: The cluster's rows [count].
        directions: The rows' directions.
        centre: The centre [width].
        penalty: λ.
    """

    def __init__(
        self, rows: NDArray[np.int64], directions: Directions, centre: Vectors, penalty: float = PENALTY
    ) -> None:
        self.rows, self.taken = rows, 0
        self._directions, self._centre, self._penalty = directions, centre.astype(np.float64), penalty
        self._lack = self._centre
        self._chosen = np.zeros((0, len(centre)))

    def next(self, mask: NDArray[np.bool_]) -> tuple[int, float]:
        """Returns the open row most like what is lacking, the first of equals, and its product with that."""
        open_rows = self.rows[mask[self.rows]]
        products = self._directions.take(open_rows) @ self._lack
        if products.max() <= 0 and len(self._chosen):
            self._begin()
            products = self._directions.take(open_rows) @ self._lack
        place = int(products.argmax())
        return int(open_rows[place]), float(products[place])

    def likeness(self, index: int) -> float:
        """Returns the product of a row with what is lacking."""
        return float(self._directions.take([index])[0] @ self._lack)

    def take(self, index: int) -> float:
        """Adds a row to those that make up the centre; returns the share of the centre's norm that is lacking then."""
        self.taken += 1
        self._chosen = np.vstack([self._chosen, self._directions.take([index])])
        weights = non_negative(self._chosen, self._centre, self._penalty)
        self._lack = self._centre - weights @ self._chosen
        norm = float(np.linalg.norm(self._centre))
        return float(np.linalg.norm(self._lack)) / norm if norm else 0.0

    def _begin(self) -> None:
        self._chosen, self._lack = self._chosen[:0], self._centre


def _next(pursuits: Sequence[Pursuit], mask: NDArray[np.bool_]) -> Pursuit:
    """Returns the cluster whose turn it is of those with an open row, of equals the first."""
    order = sorted(pursuits, key=lambda one: -len(one.rows) / (2 * one.taken + 1))
    return next(one for one in order if mask[one.rows].any())


def non_negative(
    vectors: NDArray[np.float64], wanted: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Returns the weights x >= 0 that make |wanted - x vectors|^2 + penalty |x|^2 least.

    Args:
        vectors: One a row [count, width].
        wanted: What they make up [width].
        penalty: λ, above 0.
    """
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import nnls

    # With L L' = V V' + λ 1 the sum is |L' x - L^-1 V wanted|^2 but for what does not depend on x.
    lower = cholesky(vectors @ vectors.T + penalty * np.eye(len(vectors)), lower=True)
    weights, _ = nnls(lower.T, solve_triangular(lower, vectors @ wanted, lower=True))
    return np.asarray(weights)
