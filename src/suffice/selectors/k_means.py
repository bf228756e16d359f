"""k-means: clusters of like rows, and rows drawn at random from each in turn.

Li et al., "From quantity to quality" (NAACL 2024, arXiv 2308.12032), section 2.1: 100 clusters of embeddings, ten rows of
each. The clusters are scikit-learn's, of directions, learnt from no more than `LEARNT` rows drawn by the seed; every row
then belongs to the cluster with the nearest centre.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.scorers.vectors import Vectors
from suffice.selectors.directions import Directions
from suffice.selectors.openings import Openings, Queue
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, drawn, excerpt

CLUSTERS = 100
LEARNT = 50_000


class KMeans:
    """Draws a row from each cluster in turn; a cluster whose rows are all taken is passed over.

    Args:
        clusters: How many there are; never more than the budget.
    """

    name = "k_means"
    paper = "arXiv 2308.12032"
    needs = ("vectors",)
    cost = "rows x clusters products of vectors"

    def __init__(self, clusters: int = CLUSTERS) -> None:
        self.clusters = clusters

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order in which they were drawn, pinned ones first.

        Their evidence is ``cluster`` (its number), ``size`` (how many rows it has), ``centre`` (the id of the row
        nearest to its centre), ``cosine`` (of the row to that centre) and ``turn`` (from 1).

        Raises:
            UserError: scikit-learn is not installed, the scores hold no vectors, or the budget or the constraints
                cannot be met.
        """
        directions = Directions(request, self.name)
        openings = Openings(request, directions.usable, "vector")
        centres = find_centres(request, directions, min(self.clusters, request.budget), self.name)
        cluster, cosines = assign(directions, centres)
        queues = [
            Queue(np.array(Draws(request.seed, self.name, number).shuffled(rows.tolist()), np.int64))
            for number in range(len(centres))
            for rows in [np.flatnonzero(cluster == number)]
        ]
        chosen = _turns(queues, openings, request.budget)
        middle = {n: _middle(queue.order, cosines) for n, queue in enumerate(queues) if len(queue.order)}
        choices = []
        for turn, index in enumerate(chosen):
            number = int(cluster[index])
            size, centre = len(queues[number].order), request.pool[middle[number]]
            words = "pinned; one" if turn < len(openings.pinned) else "drawn at random"
            evidence = {
                "cluster": number,
                "size": size,
                "centre": centre.id,
                "cosine": float(cosines[index]),
                "turn": turn + 1,
            }
            reason = f'{words} of the {size:,} rows around "{excerpt(centre.messages)}"'
            choices.append(Choice(index, reason, evidence))
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells that it was not drawn."""
        return drawn(request, choices, "the rows of a cluster")


def find_centres(request: SelectionRequest, directions: Directions, count: int, selector: str) -> Vectors:
    """Returns the centres of clusters [count, width].

    Args:
        request: What is asked for; its seed draws the rows that clusters are learnt from, and where they begin.
        directions: The rows' directions.
        count: How many clusters.
        selector: The selector's name, for the error.

    Raises:
        UserError: scikit-learn is not installed.
    """
    try:
        from sklearn.cluster import KMeans as Clustering
    except ImportError as error:
        raise UserError(
            f"the selector '{selector}' needs scikit-learn", "pip install 'suffice[pools]'"
        ) from error
    rows = np.flatnonzero(directions.usable)
    if len(rows) > LEARNT:
        rows = np.sort(Draws(request.seed, "k_means").sample(rows.tolist(), LEARNT))
    seed = Draws(request.seed, "k_means").below(1 << 31)
    centres: Vectors = (
        Clustering(count, n_init=1, random_state=seed).fit(directions.take(rows)).cluster_centers_
    )
    return centres


def assign(directions: Directions, centres: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the cluster of each row, -1 for one without a vector, and its cosine to the centre [rows]."""
    norms = np.linalg.norm(centres, axis=1)
    clusters, cosines = np.full(len(directions), -1), np.zeros(len(directions), np.float32)
    for rows in directions.blocks():
        products = directions.dots(rows, centres)
        nearest = (2 * products - norms**2).argmax(axis=1)  # of the smallest distance, as rows have norm 1
        usable = directions.usable[rows]
        clusters[rows] = np.where(usable, nearest, -1)
        own = np.take_along_axis(products, nearest[:, None], axis=1)[:, 0]
        cosines[rows] = np.divide(own, norms[nearest], out=np.zeros_like(own), where=norms[nearest] > 0)
    return clusters, cosines


def _turns(queues: list[Queue], openings: Openings, budget: int) -> list[int]:
    """Returns the pinned rows, then a row of each cluster in turn."""
    chosen: list[int] = []
    for index in openings.pinned:
        openings.take(index)
        chosen.append(index)
    while len(chosen) < budget:
        for queue in queues:
            place = queue.first(openings.mask)
            if place is not None and len(chosen) < budget:
                chosen.append(int(queue.order[place]))
                openings.take(chosen[-1])
    return chosen


def _middle(rows: NDArray[np.integer], cosines: NDArray[np.float32]) -> int:
    """Returns the row nearest to the centre, of equals the first in the pool."""
    inside = np.sort(rows)
    return int(inside[cosines[inside].argmax()])
