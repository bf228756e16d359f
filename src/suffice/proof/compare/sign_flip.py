"""The sign-flip test: could the mean difference of two fixed models have come from chance over items?

Where neither model is better, the two may change places in any cluster of items, which flips the sign of the sum of the
cluster's differences. The test compares the total that was seen with the totals under all flips, or under
a seeded sample of them (Fisher 1935, *The Design of Experiments*, section 21; for sampled flips Phipson and Smyth
2010, Statistical Applications in Genetics and Molecular Biology 9, 39). It is valid for scores of any kind and for any
size of cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suffice.common.errors import UserError
from suffice.proof.arms import ROUNDING

Array = NDArray[np.float64]

# With this many clusters that differ, or fewer, all flips are gone through: 2**20 of them at most.
EXACT = 20

# Signs held in memory at a time.
BLOCK = 1 << 22


@dataclass(frozen=True)
class SignFlip:
    """The result of a sign-flip test.

    Attributes:
        p: The p value, from 0 to 1. It is 1 where no cluster differs: then nothing speaks against equality.
        estimate: The mean difference first - second over items, in units of the scores.
        clusters: The number of clusters.
        nonzero: The clusters whose sum of differences is not zero; the others cannot flip.
        flips: The flips gone through.
        exact: Whether those were all flips there are.
    """

    p: float
    estimate: float
    clusters: int
    nonzero: int
    flips: int
    exact: bool


def sign_flip(
    first: ArrayLike, second: ArrayLike, clusters: Sequence[str], *, seed: int, flips: int = 100_000
) -> SignFlip:
    """Tests whether two models score the same on average, two-sided, on the same items.

    ``p`` is the share of flips whose absolute total is at least the one seen; where flips are sampled,
    ``(k + 1) / (flips + 1)`` with k such flips. With k clusters that differ, no p below ``2^(1-k)`` can come out.

    Args:
        first: The scores of the first model, ``[items]``, in any unit.
        second: The scores of the second, items in the same order.
        clusters: The cluster of each item: items that share a prompt or a document share one.
        seed: The seed of the sampled flips; it plays no part where 20 clusters or fewer differ.
        flips: The number of flips to sample.

    Returns:
        The result.

    Raises:
        UserError: If scores and clusters do not fit together, a score is not a number, or there are fewer than
            two clusters.
    """
    differences, codes = _checked(first, second, clusters)
    return _test(differences, codes, seed, flips)


def _checked(first: ArrayLike, second: ArrayLike, clusters: Sequence[str]) -> tuple[Array, NDArray[np.intp]]:
    """Returns ``first - second``, and the cluster of each item as an integer from 0, both ``[items]``."""
    ours = np.asarray(first, dtype=np.float64)
    theirs = np.asarray(second, dtype=np.float64)
    if ours.ndim != 1 or ours.shape != theirs.shape or len(clusters) != len(ours):
        raise UserError(
            f"there are scores of the shapes {list(ours.shape)} and {list(theirs.shape)}, "
            f"with clusters for {len(clusters)}",
            "give one of each for every item, items in the same order",
        )
    for name, scores in (("first", ours), ("second", theirs)):
        wrong = np.flatnonzero(~np.isfinite(scores))
        if wrong.size:
            raise UserError(
                f"the {name} model has the score {scores[wrong[0]]} at item {wrong[0] + 1}",
                "score every item with a finite number",
            )
    names, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if names.size < 2:
        raise UserError(
            f"{ours.size} items in {names.size} cluster{'' if names.size == 1 else 's'} "
            "cannot show how much items vary",
            "give two independent clusters of items or more",
        )
    differences = ours - theirs
    differences[np.abs(differences) <= ROUNDING * np.maximum(np.abs(ours), np.abs(theirs))] = 0.0
    return differences, codes.reshape(-1)


def _sums(differences: Array, codes: NDArray[np.intp]) -> Array:
    """Returns the sum of each cluster's differences; zero where only rounding is left."""
    sums: Array = np.bincount(codes, weights=differences).astype(np.float64)
    sums[np.abs(sums) <= ROUNDING * np.bincount(codes, weights=np.abs(differences))] = 0.0
    return sums


def _test(differences: Array, codes: NDArray[np.intp], seed: int, flips: int) -> SignFlip:
    """Runs the test on the cluster sums of the differences."""
    if flips < 1:
        raise UserError(f"{flips} flips cannot be sampled", "sample one flip at least, such as 100000")
    sums = _sums(differences, codes)
    able = sums[sums != 0]
    exact = able.size <= EXACT
    bound = abs(sums.sum()) - ROUNDING * np.abs(sums).sum()
    if exact:
        totals = _all_totals(able)
        count = int(np.count_nonzero(np.abs(totals) >= bound))
        p = count / totals.size
    else:
        p = (_sampled(able, bound, seed, flips) + 1) / (flips + 1)
    return SignFlip(
        p=p,
        estimate=float(differences.mean()),
        clusters=int(codes.max()) + 1,
        nonzero=int(able.size),
        flips=2 ** int(able.size) if exact else flips,
        exact=exact,
    )


def _all_totals(sums: Array) -> Array:
    """Returns the totals of ``sums`` ([k]) under all ``2^k`` flips."""
    totals = np.zeros(1)
    for one in sums:
        totals = np.concatenate([totals + one, totals - one])
    return totals


def _sampled(sums: Array, bound: float, seed: int, flips: int) -> int:
    """Returns how many of ``flips`` sampled totals of ``sums`` ([k]) reach ``bound`` either way, block by block."""
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // sums.size)
    count = 0
    for start in range(0, flips, rows):
        kept = rng.integers(0, 2, size=(min(rows, flips - start), sums.size), dtype=np.bool_)
        totals = 2 * (kept @ sums) - sums.sum()
        count += int(np.count_nonzero(np.abs(totals) >= bound))
    return count
