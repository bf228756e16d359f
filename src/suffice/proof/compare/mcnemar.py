"""McNemar's exact test: do two fixed models answer a different share of the items rightly?

Only the items that one model answers rightly and the other wrongly count; where both models are equally good, each of
those is a fair coin. Items must be independent of each other: where several share a prompt or a document, use
the sign-flip test over clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from suffice.common.errors import UserError


@dataclass(frozen=True)
class McNemar:
    """The result of McNemar's test.

    Attributes:
        p: The two-sided p value, from 0 to 1; 1 where no item is discordant.
        b: Items that the first model alone answers rightly.
        c: Items that the second model alone answers rightly.
        items: All items.
    """

    p: float
    b: int
    c: int
    items: int


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Tests whether two models are right equally often, on the same items.

    Args:
        first: 1 where the first model is right and 0 where it is wrong, ``[items]``.
        second: The same of the second model, items in the same order.

    Returns:
        The p value and the counts.

    Raises:
        UserError: If the scores are not 0 or 1, or not of the same items.
    """
    b, c, items = discordant(first, second)
    return McNemar(p=mcnemar_p(b, c), b=b, c=c, items=items)


def mcnemar_p(b: int, c: int) -> float:
    """Returns the exact two-sided p value of McNemar's test from its counts.

    With X ~ Binomial(b + c, 1/2) and m the smaller of b and c, it is ``min(1, 2 P(X <= m))`` (McNemar 1947,
    Psychometrika 12, 153). The test never errs more often than it says.

    Args:
        b: Items that the first model alone answers rightly, 0 or more.
        c: Items that the second model alone answers rightly, 0 or more.

    Returns:
        The p value, from 0 to 1; 1 where both counts are 0.
    """
    return min(1.0, 2 * float(stats.binom.cdf(min(b, c), b + c, 0.5)))


def discordant(first: ArrayLike, second: ArrayLike) -> tuple[int, int, int]:
    """Returns the items that only the first model, and only the second, answers rightly, and the number of items.

    Args:
        first: 1 where the first model is right and 0 where it is wrong, ``[items]``.
        second: The same of the second model, items in the same order.

    Returns:
        b, c and the number of items.

    Raises:
        UserError: If there are no items, a score is missing or not 0 or 1, or the two differ in length.
    """
    ours = np.asarray(first, dtype=np.float64)
    theirs = np.asarray(second, dtype=np.float64)
    if ours.ndim != 1 or ours.shape != theirs.shape or not ours.size:
        raise UserError(
            f"the scores of two models have the shapes {list(ours.shape)} and {list(theirs.shape)}",
            "give each model one score for every item, items in the same order",
        )
    for name, scores in (("first", ours), ("second", theirs)):
        wrong = np.flatnonzero((scores != 0) & (scores != 1))
        if wrong.size:
            raise UserError(
                f"the {name} model has the score {scores[wrong[0]]:g} at item {wrong[0] + 1}, "
                "where only 0 and 1 can be counted",
                "score every item right (1) or wrong (0), or use the sign-flip test for graded scores",
            )
    b = int(np.count_nonzero(ours > theirs))
    c = int(np.count_nonzero(ours < theirs))
    return b, c, int(ours.size)
