"""Sets of hashed runs of words, and how much two of them share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_AT_ONCE = 4_000_000  # hashes compared at once

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Sets:
    """Sets of 31-bit hashes, one after the other.

    Attributes:
        hashes: Those of each set in rising order (`suffice.data.words.distinct`).
        sizes: How many each set has.
    """

    hashes: NDArray[np.int32]
    sizes: Ids

    @cached_property
    def starts(self) -> Ids:
        """Where each set begins."""
        return np.cumsum(self.sizes) - self.sizes

    def matrix(self, rows: Ids) -> sparse.csr_array:
        """Returns sets as rows of ones."""
        sizes = self.sizes[rows]
        ends = np.cumsum(sizes)
        places = np.repeat(self.starts[rows] - ends + sizes, sizes) + np.arange(sizes.sum())
        starts = np.concatenate([[0], ends]).astype(np.int32)
        ones = np.ones(len(places), np.int8)
        return sparse.csr_array((ones, self.hashes[places], starts), shape=(len(rows), 2**31 - 1))


def alike(
    one: Sets, rows: Ids, other: Sets, other_rows: Ids, least: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yields the places of pairs whose Jaccard similarity is ``least`` or more, and those similarities.

    Args:
        one: The sets of the first rows.
        rows: The first row of each pair.
        other: The sets of the second rows.
        other_rows: The second row of each pair.
        least: Above 0; compared as float32, as similarities are given.

    Yields:
        Some pairs at once, so many as memory should hold.
    """
    left, right = one.sizes[rows], other.sizes[other_rows]
    places = np.flatnonzero(np.minimum(left, right) >= (least - 1e-6) * np.maximum(left, right))
    total = np.cumsum((left + right)[places])
    cuts = np.searchsorted(total, np.arange(_AT_ONCE, total[-1:].sum(), _AT_ONCE))
    for part in np.split(places, cuts):
        if len(part):
            shared = np.diff(one.matrix(rows[part]).multiply(other.matrix(other_rows[part])).tocsr().indptr)
            similarity = np.divide(shared, left[part] + right[part] - shared, dtype=np.float32)
            good = similarity >= np.float32(least)
            yield part[good], similarity[good]
