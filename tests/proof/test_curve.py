"""The budget curve: order of the tests, where it stops, and what it never claims."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.proof.arms import ArmScores
from suffice.proof.curve import budget_curve
from suffice.proof.intervals import difference_interval

ITEMS = 500
ALONE = [str(i) for i in range(ITEMS)]


def arm(kind, *solved):
    return ArmScores(
        kind, kind, np.array([[100.0 * (item < count) for item in range(ITEMS)] for count in solved])
    )


FULL = arm("full", 450, 451, 449)
GOOD, OPEN, BAD = (449, 450, 451), (430, 445, 460), (100, 101, 99)


def curve(*levels, full=FULL):
    arms = [(10 ** (place + 1), arm("selected", *level)) for place, level in enumerate(levels)]
    return budget_curve("embedding", arms, full, ALONE, margin=2.0)


def test_the_smallest_budget_shown_and_the_largest_refuted():
    found = curve(BAD, BAD, OPEN, GOOD, GOOD)
    assert (found.refuted, found.shown, found.monotone) == (100, 10_000, True)
    assert (
        found.sentence
        == "embedding: 10,000 rows are enough, 100 are too few (margin 2 against the full pool)."
    )
    assert [point.rows for point in found.points] == [10, 100, 1_000, 10_000, 100_000]


def test_a_failure_at_a_larger_budget_ends_the_sequence():
    found = curve(GOOD, OPEN, GOOD)
    assert (found.refuted, found.shown) == (None, 1_000)
    assert curve(GOOD, GOOD, OPEN).shown is None
    assert curve(OPEN, BAD, GOOD).refuted is None


def test_nothing_shown_and_nothing_refuted():
    found = curve(OPEN, OPEN)
    assert found.sentence == (
        "embedding: no budget is shown to be enough, none is shown to be too small (margin 2 against the full pool)."
    )


def test_without_the_full_pool_nothing_is_claimed():
    found = curve(GOOD, BAD, full=None)
    assert (found.refuted, found.shown, found.monotone) == (None, None, False)
    assert found.sentence == (
        "embedding: the full pool was not trained on, so no budget can be held against it."
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([GOOD, OPEN, BAD]), min_size=1, max_size=5))
def test_the_sequences_match_a_brute_force(levels):
    found = curve(*levels)
    differences = [difference_interval(arm("selected", *level), FULL, ALONE) for level in levels]
    enough = list(itertools.takewhile(lambda i: differences[i].low > -2, reversed(range(len(levels)))))
    small = list(itertools.takewhile(lambda i: differences[i].high < -2, range(len(levels))))
    assert found.shown == (10 ** (enough[-1] + 1) if enough else None)
    assert found.refuted == (10 ** (small[-1] + 1) if small else None)


def test_budgets_must_differ():
    with pytest.raises(UserError) as caught:
        budget_curve("length", [(5, FULL), (5, FULL)], FULL, ALONE, margin=2.0)
    assert str(caught.value) == (
        "the budgets of 'length' are [5, 5]; give each budget once, and at least one"
    )
