"""Resampled means of many columns at once: draws of clusters, the same for every column.

A resample of G clusters, drawn with replacement, is a row of G counts, and the means of all resamples are a matrix
product of counts and sums of each cluster. Memory is bounded: counts exist for one block of resamples a thread, at
most 128 MiB each.

The sums are exact. Each column is centred and put in whole steps of a power of two, small enough that no sum of a
resample passes 2**53; with 100,000 clusters a step is below 2**-34 of the largest cluster sum. Exact sums do not
depend on the order of addition, so the same seed gives the same bytes whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Work = Callable[[np.random.Generator, int], Array]

# A block of resamples: as many rows as a matrix product likes, and no more counts than 2**24 (128 MiB).
BLOCK_ROWS, BLOCK_COUNTS = 128, 1 << 24
# Clusters drawn at once: enough to hide numpy's cost of a call, few enough to stay in the cache.
SLAB = 1 << 16
# Clusters are drawn by kind where there are this many times fewer kinds: a draw by kind costs so much more.
KIND_COST = 20
# Up to so many columns it takes less time to add the drawn sums than to count and multiply.
FEW_COLUMNS = 2


@dataclass(frozen=True)
class ClusterSums:
    """What is resampled.

    Attributes:
        sums: ``[clusters, columns]``, the sum over each cluster's items, less the column's mean for each item.
        sizes: ``[clusters]``, the number of items of each cluster.
    """

    sums: Array
    sizes: Array

    @classmethod
    def of(cls, rows: Array, codes: NDArray[np.intp]) -> ClusterSums:
        """Sums ``rows`` ([columns, items]) over clusters; ``codes`` holds each item's cluster, counted from 0."""
        centred = rows - rows.mean(axis=1, keepdims=True)
        sums = np.stack([np.bincount(codes, weights=row) for row in centred], axis=1)
        return cls(np.asarray(sums, dtype=np.float64), np.bincount(codes).astype(np.float64))

    def resampler(self, by_kind: bool = False) -> Work:
        """Returns the function of a generator and a number of resamples that gives the resampled deviations.

        Args:
            by_kind: Whether to look for clusters that are the same in size and in all columns, and to draw how
                many of each kind rather than which: the same distribution, and much less work for right or wrong.

        Returns:
            The function; what it returns is ``[resamples, columns]``, mean of a resample less mean of all items.
        """
        clusters = len(self.sizes)
        exponents = np.frexp(clusters * np.abs(self.sums).max(axis=0))[1] - 52
        table = np.column_stack([np.rint(np.ldexp(self.sums, -exponents)), self.sizes])
        totals = _totals(table)
        if by_kind and KIND_COST * len(np.unique(table[:, 0])) <= clusters:
            kinds, found = np.unique(table, axis=0, return_counts=True)
            if KIND_COST * len(kinds) <= clusters:
                totals = _totals_by_kind(kinds, found)

        def work(generator: np.random.Generator, resamples: int) -> Array:
            found = totals(generator, resamples)
            return np.asarray(np.ldexp(found[:, :-1], exponents) / found[:, -1:], dtype=np.float64)

        return work


def _totals(table: Array) -> Work:
    """Returns the function that adds up resamples of the rows of ``table`` ([clusters, columns and size])."""
    clusters = len(table)
    same_size = table[:, -1].min() == table[:, -1].max()
    columns = np.ascontiguousarray(table[:, : -1 if same_size else None].T)

    def work(generator: np.random.Generator, resamples: int) -> Array:
        if len(columns) > FEW_COLUMNS:
            found = draw_counts(generator, resamples, clusters) @ columns.T
        else:
            drawn = draw_clusters(generator, resamples, clusters)
            found = np.concatenate([np.take(columns, part, axis=1).sum(axis=2).T for part in drawn])
        if same_size:
            found = np.column_stack([found, np.full(resamples, clusters * table[0, -1])])
        return np.asarray(found, dtype=np.float64)

    return work


def _totals_by_kind(kinds: Array, found: NDArray[np.intp]) -> Work:
    """Returns the function that does so for ``kinds`` ([kinds, columns and size]) of which there are ``found``."""
    clusters = int(found.sum())
    return lambda generator, resamples: generator.multinomial(clusters, found / clusters, resamples) @ kinds


def in_blocks(work: Work, clusters: int, resamples: int, seed: int, threads: int) -> Array:
    """Returns what ``work(generator, count)`` gives for each block of resamples, joined in order.

    Args:
        work: Makes the rows of one block.
        clusters: The number of clusters, which with ``resamples`` alone decides the blocks.
        resamples: The number of resamples.
        seed: The seed; each block has a generator of its own.
        threads: How many blocks are worked on at once.

    Returns:
        ``[resamples, ...]``.
    """
    rows = min(BLOCK_ROWS, max(1, BLOCK_COUNTS // clusters))
    counts = [min(rows, resamples - start) for start in range(0, resamples, rows)]

    def block(place: int) -> Array:
        sequence = np.random.SeedSequence(seed, spawn_key=(place,))
        return work(np.random.Generator(np.random.SFC64(sequence)), counts[place])

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(block, range(len(counts)))))


def draw_counts(generator: np.random.Generator, resamples: int, clusters: int) -> Array:
    """Returns how often each cluster is drawn in as many draws with replacement, ``[resamples, clusters]``."""
    counts = np.empty((resamples, clusters))
    done = 0
    for drawn in draw_clusters(generator, resamples, clusters):
        places = drawn + clusters * np.arange(len(drawn))[:, None]
        found = np.bincount(places.ravel(), minlength=drawn.size)
        counts[done : done + len(drawn)] = found.reshape(drawn.shape)
        done += len(drawn)
    return counts


def draw_clusters(
    generator: np.random.Generator, resamples: int, clusters: int
) -> Iterator[NDArray[np.int64]]:
    """Yields the clusters drawn with replacement, ``[some resamples, clusters]``, until there are ``resamples``.

    Lemire's method on arrays ("Fast Random Integer Generation in an Interval", ACM TOMACS 29, 2019): the upper half
    of 32 random bits times ``clusters``, drawn anew in the few cases that would favour some clusters. It is the
    work of ``Generator.integers`` in less time. What is yielded is written over by the next.
    """
    rows = max(1, SLAB // clusters)
    wide, narrow = (np.empty(rows * clusters, dtype=kind) for kind in (np.uint64, np.uint32))
    unfair = (1 << 32) % clusters
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start) * clusters
        bits = generator.bit_generator.random_raw((size + 1) // 2).view(np.uint32)[:size]
        np.multiply(bits, np.uint64(clusters), out=wide[:size])
        drawn = np.right_shift(wide[:size], np.uint64(32), out=wide[:size]).view(np.int64)
        lower = np.multiply(bits, np.uint32(clusters), out=narrow[:size])
        if lower.min() < unfair:
            again = np.flatnonzero(lower < unfair)
            drawn[again] = generator.integers(clusters, size=len(again))
        yield drawn.reshape(-1, clusters)
