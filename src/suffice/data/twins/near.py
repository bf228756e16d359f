"""Near twins: rows that share most of their runs of words, found by MinHash and locality-sensitive hashing.

Broder, "On the resemblance and containment of documents" (1997); bands after Indyk and Motwani (1998). A row is
the set of its runs of `RUN` words, hashed. Rows whose signatures agree in a whole band are candidates; every
candidate's Jaccard similarity is then computed from the sets themselves, so that what is stored is no estimate.
Two rows of similarity s are compared with a probability of 1 - (1 - s**BAND)**BANDS: 0.94 at 0.6, 0.996 at 0.7,
0.99998 at 0.8.

Signatures are those of rensa (fast similarity sketching, Dahlgaard, Knudsen and Thorup 2017). Sketches and sets
are spilled to temporary files, so that memory holds a few numbers a row and the pairs found.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from suffice.data.sets import Ids, Sets, alike
from suffice.data.twins.pairs import NEAR, SAME_WORDS, Pairs
from suffice.data.words import distinct, hash_words, mixed, runs

RUN = 3  # words
BANDS, BAND = 20, 4
CROWD = 32  # rows of a bucket that each row is compared with, and pairs after which two rows are not compared
FLOOR = 0.6  # pairs below are not stored
BATCH = 512  # rows whose hashes stay in a processor's cache


class NearTwins:
    """A search for near twins: rows are added in batches, then the pairs are taken.

    Args:
        floor: The least similarity of a pair that is kept.
        seed: Seed of the signatures.
    """

    def __init__(self, *, floor: float = FLOOR, seed: int = 0) -> None:
        self._floor, self._seed = floor, seed
        self._rows: list[Ids] = []
        self._sizes: list[Ids] = []
        self._sets: list[NDArray[np.uint64]] = []
        self._hashes, self._keys = _Spill(np.int32), _Spill(np.uint32)
        self.crowded = False

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Adds rows.

        Args:
            rows: Their places in the pool.
            texts: What they say. A row without a word has no twin.
        """
        for start in range(0, len(rows), BATCH):
            self._add(np.array(rows[start : start + BATCH], np.int64), texts[start : start + BATCH])

    def _add(self, rows: Ids, texts: Sequence[str]) -> None:
        hashes, offsets = distinct(runs(hash_words(texts), RUN, whole=True))
        sizes = np.diff(offsets)
        starts = offsets[:-1][sizes > 0]
        if not len(starts):
            return
        self._rows.append(rows[sizes > 0])
        self._sizes.append(sizes[sizes > 0])
        self._sets.append(np.add.reduceat(mixed(hashes.astype(np.uint64)), starts))
        self._hashes.append(hashes)
        ends = np.append(starts, len(hashes)).astype(np.uint64)
        signed = RMinHash.digest_matrix_from_flat_token_hashes(
            hashes.astype(np.uint64), ends, BANDS * BAND, self._seed
        )
        self._keys.append(_band_keys(np.array(signed.to_rows(), np.uint64)))

    def pairs(self, on_band: Callable[[], None] = lambda: None) -> Pairs:
        """Returns the pairs of similarity `floor` or more that were found.

        Of rows with the same set of runs, the first stands for all: each other is paired with it alone.

        Args:
            on_band: Called when one of `BANDS` bands is done.
        """
        if not self._rows:
            return Pairs.none()
        rows, sizes = np.concatenate(self._rows), np.concatenate(self._sizes)
        _, first, group = np.unique(np.concatenate(self._sets), return_index=True, return_inverse=True)
        stands = first[group]
        others = np.flatnonzero(stands != np.arange(len(rows)))
        ones = np.ones(len(others), np.float32)
        parts = [Pairs.of(SAME_WORDS, rows[stands[others]], rows[others], ones)]
        sets = Sets(self._hashes.read(), sizes)
        keys = self._keys.read().reshape(-1, BANDS)
        heads = np.sort(first)
        stored = np.zeros(len(rows), np.int64)
        for band in range(BANDS):
            for one, other in self._candidates(keys, heads, band):
                few = np.minimum(stored[one], stored[other]) < CROWD
                self.crowded |= not few.all()
                one, other = one[few], other[few]
                for found, similarity in alike(sets, one, sets, other, self._floor):
                    stored += np.bincount(np.concatenate([one[found], other[found]]), minlength=len(rows))
                    parts.append(Pairs.of(NEAR, rows[one[found]], rows[other[found]], similarity))
            on_band()
        return Pairs.joined(parts)

    def _candidates(self, keys: NDArray[np.uint32], heads: Ids, band: int) -> Iterator[tuple[Ids, Ids]]:
        """Yields pairs of rows that agree in this band and in none before it."""
        for one, other in self._agreeing(keys[heads, band], keys[heads, (band + 1) % BANDS]):
            one, other = heads[one], heads[other]
            new = np.ones(len(one), np.bool_)
            for before in range(band):
                new[new] = keys[one[new], before] != keys[other[new], before]
            yield one[new], other[new]

    def _agreeing(self, own: NDArray[np.uint32], following: NDArray[np.uint32]) -> Iterator[tuple[Ids, Ids]]:
        """Yields pairs of equal keys: all of them, but in a crowd each with the first and with its neighbours.

        Args:
            own: The keys.
            following: What puts the rows of a crowd in order.
        """
        order = np.argsort(own, kind="stable")
        starts = np.flatnonzero(np.diff(own[order], prepend=own[order[:1]] + np.uint32(1)))
        sizes = np.diff(starts, append=len(own))
        crowd = sizes > CROWD + 1
        hubs = np.repeat(np.where(crowd, order[starts], -1), sizes)
        if crowd.any():
            self.crowded = True
            places = np.flatnonzero((hubs >= 0) & (hubs != order))
            yield hubs[places], order[places]
            order = np.lexsort((following, own))
        own = own[order]
        places = np.flatnonzero(own[1:] == own[:-1])
        for step in range(1, CROWD + 1):
            places = places[places + step < len(own)]
            places = places[own[places] == own[places + step]]
            one, other, hub = order[places], order[places + step], hubs[places]
            yield one[(one != hub) & (other != hub)], other[(one != hub) & (other != hub)]
            if not len(places):
                return


def _band_keys(signatures: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Returns a hash for each band of each signature ([rows, BANDS * BAND] to [rows, BANDS])."""
    parts = signatures.reshape(len(signatures), BANDS, BAND)
    key = np.zeros(parts.shape[:2], np.uint64)
    for place in range(BAND):
        key = mixed(key ^ parts[:, :, place])
    return (key >> np.uint64(32)).astype(np.uint32)


class _Spill:
    """Numbers that are written to a temporary file and read from there."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._kind, self._file = kind, tempfile.TemporaryFile()  # noqa: SIM115  # goes with the object

    def append(self, values: NDArray[np.generic]) -> None:
        """Adds numbers at the end."""
        self._file.write(values.tobytes())

    def read(self) -> NDArray[Any]:
        """Returns all numbers, which stay on the disk."""
        self._file.flush()
        return np.memmap(self._file, self._kind, mode="r")
