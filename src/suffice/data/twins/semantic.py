"""Semantic twins: rows whose vectors point the same way, by cosine similarity.

The vectors are a model's, or without one those of `suffice.data.lsa`, which takes rows for twins that differ in rare
words alone. All rows are compared with all, so that time grows with the square of the rows; memory does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from suffice.data.lsa import Vectors
from suffice.data.twins.pairs import SEMANTIC, Pairs

FLOOR = 0.8  # pairs below are not stored
_BLOCK = 2048  # rows compared at once with as many others


def semantic_pairs(
    rows: NDArray[np.int64], vectors: Vectors, floor: float, advance: Callable[[int], None] = lambda _: None
) -> Pairs:
    """Returns all pairs whose cosine is ``floor`` or more.

    Args:
        rows: The rows' places in the pool.
        vectors: Their vectors, of norm 1 or 0 [rows, width].
        floor: The least cosine, above 0.
        advance: Called with a number of rows as they are done.
    """
    parts = []
    for top in range(0, len(rows), _BLOCK):
        block = vectors[top : top + _BLOCK]
        for left in range(top, len(rows), _BLOCK):
            cosines = block @ vectors[left : left + _BLOCK].T
            one, other = np.nonzero(np.triu(cosines >= floor, k=1) if left == top else cosines >= floor)
            similarity = np.minimum(cosines[one, other], 1)
            parts.append(Pairs.of(SEMANTIC, rows[top + one], rows[left + other], similarity))
        advance(len(block))
    return Pairs.joined(parts)
