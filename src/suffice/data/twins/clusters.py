"""Clusters of twins at a threshold, and the rows that stay.

A cluster is a connected part of the graph of pairs at or above the threshold. Within it, in the order of the pool,
a row stays unless a row that stays is its twin: so nothing goes without a true twin that remains, and a chain of
rows whose ends are no twins keeps more than one. Put the file you trust most first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from suffice.data.twins.pairs import SAME, Pairs


@dataclass(frozen=True)
class Clusters:
    """The rows that have a twin.

    Attributes:
        rows: Their places in the pool, rising.
        cluster: The first row of each one's cluster.
        twin: The row that stays in its place; the row itself where it stays.
        similarity: To that row; 1 where it is the row itself.
    """

    rows: NDArray[np.int64]
    cluster: NDArray[np.int64]
    twin: NDArray[np.int64]
    similarity: NDArray[np.float32]

    @property
    def removed(self) -> NDArray[np.int64]:
        """The rows that go."""
        gone: NDArray[np.int64] = self.rows[self.twin != self.rows]
        return gone


def cluster(pairs: Pairs, threshold: float) -> Clusters:
    """Clusters the pairs at or above a threshold.

    Args:
        pairs: The pairs, by later row (`Pairs.joined`).
        threshold: The least similarity of twins; compared as float32, as similarities are stored.
    """
    pairs = pairs.at(pairs.similarity >= np.float32(threshold))
    rows, places = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    first, second = places[: len(pairs)], places[len(pairs) :]
    graph = sparse.coo_array((np.ones(len(pairs), np.int8), (first, second)), shape=(len(rows), len(rows)))
    count, label = sparse.csgraph.connected_components(graph, directed=False) if len(rows) else (0, places)
    head = np.full(count, len(rows))
    np.minimum.at(head, label, np.arange(len(rows)))
    twin, similarity = _staying(len(rows), first, second, pairs)
    return Clusters(rows, rows[head[label]], rows[twin], similarity)


def _staying(
    count: int, first: NDArray[np.intp], second: NDArray[np.intp], pairs: Pairs
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Returns for each row the closest row that stays, and how close it is; a row that stays has itself."""
    twin, similarity = np.arange(count), np.ones(count, np.float32)
    same = np.isin(pairs.kind, SAME)
    for one, other, close in zip(first[~same], second[~same], pairs.similarity[~same], strict=True):
        stays, untaken = twin[one] == one, twin[other] == other
        if stays and (untaken or close > similarity[other]):
            twin[other], similarity[other] = one, close
    for one, other in zip(first[same], second[same], strict=True):
        gone = twin[one] != one
        twin[other], similarity[other] = twin[one], similarity[one] if gone else np.float32(1)
    return twin, similarity
