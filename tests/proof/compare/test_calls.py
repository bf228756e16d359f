"""The call on a difference, at every side of its boundaries."""

import pytest

from suffice.proof.compare.calls import call, claim_of
from suffice.proof.intervals import Interval


def found(low, high):
    return Interval((low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("wide", "narrow", "margin", "differs", "expected"),
    [
        ((0.5, 3), (0.7, 2.8), 2, True, "superior"),
        ((0.5, 1.5), (0.6, 1.4), 2, True, "superior"),  # equivalent as well; the first in order is the call
        ((-1, 1), (-0.8, 0.8), 2, False, "equivalent"),
        ((-2.1, 1), (-1.9, 0.8), 2, False, "equivalent"),  # by the 90 % interval
        ((-1, 3), (-0.8, 2.8), 2, False, "non-inferior"),
        ((-1.5, -0.5), (-1.4, -0.6), 2, True, "equivalent"),  # worse than zero, but within the margin
        ((-3, -0.5), (-2.8, -0.6), 2, True, "inconclusive"),  # worse than zero, not shown against the margin
        ((-5, -2.5), (-4.9, -2.6), 2, True, "inferior"),
        ((-5, 5), (-4, 4), 2, False, "inconclusive"),
        ((0.5, 3), (0.7, 2.8), 0, True, "superior"),
        ((-3, -0.5), (-2.8, -0.7), 0, True, "inferior"),
        ((-1, 1), (-0.5, 0.5), 0, False, "inconclusive"),
    ],
)
def test_calls(wide, narrow, margin, differs, expected):
    assert call(found(*wide), found(*narrow), margin, differs=differs) == expected


def test_without_an_interval_nothing_is_shown():
    nothing = Interval(3.0, None, None)
    assert call(nothing, nothing, 2, differs=False) == "inconclusive"


def test_the_claim_follows_from_the_margin():
    assert (claim_of(0), claim_of(0.5)) == ("superiority", "non-inferiority")
