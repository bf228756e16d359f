"""The budget curve: order of the tests, where it stops, and what it never claims."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.proof.arms import ArmScores
from suffice.proof.curve import budget_curve, curve_yardstick
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
    assert found.sentence == "embedding: 10,000 rows are enough, 100 are too few (margin 2 against full)."
    assert [point.rows for point in found.points] == [10, 100, 1_000, 10_000, 100_000]


def test_one_row_is_told_as_one():
    found = budget_curve("embedding", [(1, arm("selected", *GOOD))], FULL, ALONE, margin=2.0)
    assert found.sentence.startswith("embedding: 1 row is enough, none is")
    found = budget_curve("embedding", [(1, arm("selected", *BAD))], FULL, ALONE, margin=2.0)
    assert found.sentence.startswith("embedding: no budget is shown to be enough, 1 is too few (")


def test_a_failure_at_a_larger_budget_ends_the_sequence():
    found = curve(GOOD, OPEN, GOOD)
    assert (found.refuted, found.shown) == (None, 1_000)
    assert curve(GOOD, GOOD, OPEN).shown is None
    assert curve(OPEN, BAD, GOOD).refuted is None


def test_nothing_shown_and_nothing_refuted():
    found = curve(OPEN, OPEN)
    assert found.sentence == (
        "embedding: no budget is shown to be enough, none is shown to be too small (margin 2 against full)."
    )


def test_a_full_pool_that_is_no_better_than_base_gives_way_to_the_best_arm():
    arms = [arm("selected", *GOOD), arm("random", *BAD)]
    base, poor = arm("base", 440), arm("full", 440, 441, 439)
    assert curve_yardstick(arms, FULL, arm("base", 50), ALONE) is FULL
    assert curve_yardstick(arms, FULL, None, ALONE) is FULL
    assert curve_yardstick(arms, poor, base, ALONE) is arms[0]
    assert curve_yardstick(arms, None, base, ALONE) is arms[0]


def test_a_yardstick_on_the_curve_is_level_with_itself():
    best = ArmScores("selected-100", "selected", arm("selected", *GOOD).scores)
    found = budget_curve("selected", [(100, best), (10, arm("selected", *BAD))], best, ALONE, margin=2.0)
    assert (found.refuted, found.shown) == (10, 100)
    assert found.sentence.endswith("(margin 2 against the best arm of the curve, selected-100).")


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


def test_a_picked_yardstick_refutes_less():
    arms = [(10, arm("selected", 437, 438, 436)), (100, arm("selected", *GOOD))]
    alone_, picked = (
        budget_curve("selected", arms, FULL, ALONE, margin=0.5, candidates=candidates)
        for candidates in (1, 40)
    )
    assert (alone_.refuted, picked.refuted) == (10, None)
    assert alone_.shown == picked.shown


def test_the_smooth_line_stays_between_neighbouring_means():
    found = curve(BAD, BAD, (200, 201, 199), OPEN, GOOD)
    rows, scores = np.array(found.smooth).T
    means = [point.score.estimate for point in found.points]
    budgets = [point.rows for point in found.points]
    assert (rows[0], rows[-1]) == pytest.approx((10, 100_000))
    assert (np.diff(scores) >= 0).all()
    for low, high, (least, most) in zip(budgets, budgets[1:], itertools.pairwise(means), strict=False):
        within = scores[(rows >= low * (1 - 1e-9)) & (rows <= high * (1 + 1e-9))]
        assert (within.min(), within.max()) == pytest.approx((least, most))
    # A third of the way from 1,000 to 10,000: Hermite's cubic with Fritsch and Carlson's slopes, which over equal
    # steps are the harmonic means of the slopes on both sides.
    steps = np.diff(means)
    one, other = (2 * left * right / (left + right) for left, right in itertools.pairwise(steps[1:]))
    by_hand = (20 * means[2] + 4 * one + 7 * means[3] - 2 * other) / 27
    assert (rows[35], scores[35]) == pytest.approx((1_000 * 10 ** (1 / 3), by_hand))


def test_no_smooth_line_where_the_curve_falls_or_is_short():
    assert curve(BAD, GOOD, OPEN).smooth == ()
    assert curve(BAD, GOOD).smooth == ()
