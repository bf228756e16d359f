"""What would settle a comparison, against a plain search and against data that really grew."""

import numpy as np
import pytest

from suffice.proof.arms import ArmScores
from suffice.proof.intervals import interval
from suffice.proof.settle import settling
from suffice.proof.variance import Components, RunVariance, of_difference


def comparison(mean=0.0, item_sd=30, run_sd=1, items=400, runs=3):
    """A comparison without item x run noise, so that its variance can be written down."""
    arm = RunVariance(runs, run_sd**2, 0.0)
    return Components(mean, items, items, item_sd**2 / items, (arm, arm), (), items, (-100.0, 100.0))


@pytest.mark.parametrize("mean", [-0.3, -3.6])
def test_the_numbers_are_the_smallest(mean):
    parts = comparison(mean, item_sd=15, run_sd=0.6)
    found = settling(parts, -2.0, 0.05)

    def settled(**more):
        there = interval(parts.grown(**more), 0.05)
        return there.above(-2.0) or there.below(-2.0)

    for name, count in (("runs", found.runs), ("items", found.items)):
        assert count is not None
        assert settled(**{name: count})
        assert not any(settled(**{name: fewer}) for fewer in range(max(1, count - 50), count))


def test_no_number_of_items_helps_where_runs_dominate():
    found = settling(comparison(run_sd=3, item_sd=5), -2.0, 0.05)
    assert found.items is None
    assert found.runs is not None


def test_no_number_of_runs_helps_where_items_dominate():
    found = settling(comparison(run_sd=0, item_sd=50, items=100), -2.0, 0.05)
    assert found.runs is None
    # With a variance of 2,500 an item: (1.96 * 50 / 2)^2 = 2,401 items in all, a few more for the t.
    assert found.items == pytest.approx(2301, abs=10)


def test_a_difference_on_the_boundary_is_never_settled():
    found = settling(comparison(mean=-2), -2.0, 0.05)
    assert (found.runs, found.items) == (None, None)


def test_three_identical_items_need_many_more():
    same = ArmScores("a", "base", np.full((1, 3), 100.0))
    found = settling(of_difference(same, same, ["a", "b", "c"]), -2.0, 0.05)
    # 1 - 0.025^(1/n) < 0.02 first at n = 183.
    assert (found.runs, found.items) == (None, 180)
