"""Intervals against scipy, at the edges, and their coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from suffice.proof.arms import UNBOUNDED
from suffice.proof.arms import ArmScores as Arm
from suffice.proof.intervals import difference_interval, family_intervals, mean_interval, unseen


def ArmScores(name, kind, scores):
    """An arm whose scores are shares."""
    return Arm(name, kind, 100 * scores)


def alone(count):
    return [str(place) for place in range(count)]


def test_two_fixed_models_give_the_paired_t_interval():
    rng = np.random.default_rng(0)
    a, b = rng.random(30), rng.random(30)
    found = difference_interval(ArmScores("a", "base", a[None]), ArmScores("b", "base", b[None]), alone(30))
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((100 * expected.low, 100 * expected.high))
    assert found.estimate == pytest.approx(100 * (a - b).mean())


def test_one_run_gives_no_interval():
    found = mean_interval(ArmScores("full", "full", np.ones((1, 4))), alone(4))
    assert (found.estimate, found.low, found.high) == (100, None, None)
    assert not found.above(-200)
    assert not found.below(200)


@pytest.mark.parametrize(("count", "share"), [(1, 0.975), (3, 0.7076), (300, 0.01222)])
def test_no_change_at_all_is_bounded_by_the_rule_of_three(count, share):
    assert unseen(count, 0.05) == pytest.approx(share, abs=1e-4)
    arm = ArmScores("full", "full", np.ones((3, count)))
    found = difference_interval(arm, arm, alone(count))
    assert (found.low, found.high) == pytest.approx((-100 * share, 100 * share), abs=0.01)
    mean = mean_interval(arm, alone(count))
    assert (mean.low, mean.high) == pytest.approx((100 - 100 * share, 100), abs=0.01)


def test_the_bound_is_the_exact_binomial_one():
    assert unseen(50, 0.05) == pytest.approx(stats.binomtest(0, 50).proportion_ci(0.95, "exact").high)


def test_one_change_does_not_make_the_interval_narrower_than_none():
    none, one = np.zeros((1, 300)), np.zeros((1, 300))
    one[0, 0] = 1
    base = ArmScores("base", "base", none)
    same = difference_interval(base, base, alone(300))
    changed = difference_interval(ArmScores("other", "base", one), base, alone(300))
    assert changed.high >= same.high
    assert changed.high - changed.low >= same.high - same.low


def test_graded_scores_that_all_differ_are_not_widened():
    values = 0.5 + np.random.default_rng(0).normal(0, 0.001, (1, 300))
    found = difference_interval(
        ArmScores("a", "base", values), ArmScores("b", "base", np.full((1, 300), 0.5)), alone(300)
    )
    assert found.high - found.low < 0.1


def test_without_bounds_too_few_differences_give_no_interval():
    few = np.zeros((1, 300))
    few[0, :4] = 1
    base = Arm("a", "model", np.zeros((1, 300)), UNBOUNDED)
    found = difference_interval(Arm("b", "model", few, UNBOUNDED), base, alone(300))
    assert (found.estimate, found.low, found.high) == (pytest.approx(4 / 300), None, None)
    few[0, 4] = 1
    found = difference_interval(Arm("b", "model", few, UNBOUNDED), base, alone(300))
    assert found.low < 5 / 300 < found.high


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_the_unit_of_the_scores_makes_no_difference(unit):
    rng = np.random.default_rng(2)
    arms = [Arm(kind, kind, rng.normal(0, 1, (3, 40)), UNBOUNDED) for kind in ("selected", "full")]
    plain = difference_interval(*arms, alone(40))
    scaled = difference_interval(
        *(Arm(arm.name, arm.kind, unit * arm.scores, UNBOUNDED) for arm in arms), alone(40)
    )
    assert (scaled.low, scaled.high) == pytest.approx((unit * plain.low, unit * plain.high))


def test_families_have_intervals_of_their_own():
    arm = ArmScores("full", "full", np.array([[1, 0, 1, 1], [1, 0, 1, 0.0]]))
    found = family_intervals(arm, alone(4), ["sum", "fact", "sum", "fact"])
    assert list(found) == ["sum", "fact"]
    assert found["sum"].estimate == 100
    assert found["fact"] == mean_interval(Arm("full", "full", arm.scores[:, [1, 3]]), ["1", "3"])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.data())
def test_an_interval_holds_its_estimate_and_stays_in_range(data):
    items = data.draw(st.integers(1, 6))
    values = st.one_of(st.sampled_from([0.0, 1.0, 1 / 3]), st.floats(0, 1))
    shapes = [(data.draw(st.integers(2, 4)), items) for _ in range(2)]
    a, b = (
        ArmScores(name, "full", data.draw(arrays(float, shape, elements=values)))
        for name, shape in zip("ab", shapes, strict=True)
    )
    clusters = data.draw(st.lists(st.sampled_from("xyz"), min_size=items, max_size=items))
    found = difference_interval(a, b, clusters)
    back = difference_interval(b, a, clusters)
    assert -100 <= found.low <= found.estimate <= found.high <= 100
    assert found.low < found.high
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def covered(runs, run_sd, item_sd, residual_sd, replications, seed):
    """The share of simulated studies whose interval holds the true difference of 0."""
    rng = np.random.default_rng(seed)
    items = 60
    hits = 0
    for _ in range(replications):
        common = rng.normal(0.5, item_sd, items)
        a, b = (
            common
            + rng.normal(0, 0.7 * item_sd, items)
            + rng.normal(0, run_sd, (runs, 1))
            + rng.normal(0, residual_sd, (runs, items))
            for _ in range(2)
        )
        found = difference_interval(
            ArmScores("a", "selected", a.clip(0, 1)), ArmScores("b", "full", b.clip(0, 1)), alone(items)
        )
        hits += found.low <= 0 <= found.high
    return hits / replications


# 400 replications have a Monte Carlo standard error of 1.1 points at 95 %.
@pytest.mark.parametrize("runs", [3, 5])
@pytest.mark.parametrize(
    "spread", [(0.04, 0.02, 0.05), (0.002, 0.12, 0.05), (0.002, 0.02, 0.12)], ids=["run", "item", "residual"]
)
def test_intervals_cover_the_truth(runs, spread):
    assert 0.92 <= covered(runs, *spread, replications=400, seed=runs) <= 0.995


def test_counting_items_alone_would_not_cover():
    # The same studies, the runs averaged away: the reason for counting runs.
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        a, b = (0.5 + rng.normal(0, 0.04, (3, 1)) + rng.normal(0, 0.05, (3, 60)) for _ in range(2))
        interval = stats.ttest_rel(a.mean(axis=0), b.mean(axis=0)).confidence_interval(0.95)
        hits += interval.low <= 0 <= interval.high
    assert hits / 200 < 0.4
