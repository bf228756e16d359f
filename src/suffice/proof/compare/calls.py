"""What one difference shows: the call on it, from its intervals and a margin fixed beforehand."""

from __future__ import annotations

from typing import Literal

from suffice.proof.comparison import Claim
from suffice.proof.intervals import Interval

Call = Literal["superior", "equivalent", "non-inferior", "inferior", "inconclusive"]


def claim_of(margin: float) -> Claim:
    """Returns what is to be shown: being better, or, with a margin, not being worse by it."""
    return "non-inferiority" if margin > 0 else "superiority"


def call(found: Interval, narrow: Interval, margin: float, *, differs: bool) -> Call:
    """Returns the call on a difference of which more is better.

    ``superior``: shown to be above 0. ``equivalent``: the narrow interval lies inside (-margin, margin), which is
    two one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15, 657). ``non-inferior``: the lower end is
    above -margin. ``inferior``: the upper end is below -margin, or, without a margin, shown to be below 0. Anything
    else is ``inconclusive``. Where several hold, the first of this order is the call.

    Args:
        found: The interval at the level of the claim, such as 95 %.
        narrow: The interval at twice the error, such as 90 %.
        margin: In the unit of the scores; 0 or more.
        differs: Whether the test for zero rejects at that level.

    Returns:
        The call.
    """
    if differs and found.estimate > 0:
        return "superior"
    if margin == 0:
        return "inferior" if differs and found.estimate < 0 else "inconclusive"
    if narrow.above(-margin) and narrow.below(margin):
        return "equivalent"
    if found.above(-margin):
        return "non-inferior"
    return "inferior" if found.below(-margin) else "inconclusive"
