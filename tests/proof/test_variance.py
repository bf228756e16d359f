"""The variance components against hand-computed numbers, brute force and scipy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from suffice.proof.arms import ArmScores
from suffice.proof.variance import of_difference, of_mean


def alone(count):
    return [str(place) for place in range(count)]


def brute_force(scores, clusters):
    """The two-way layout in plain loops: the variance of run means and its residual part."""
    runs, items = len(scores), len(scores[0])
    grand = sum(map(sum, scores)) / runs / items
    run_means = [sum(row) / items for row in scores]
    item_means = [sum(row[i] for row in scores) / runs for i in range(items)]
    names = sorted(set(clusters))
    residual = 0.0
    for row, run_mean in zip(scores, run_means, strict=True):
        for name in names:
            members = [i for i in range(items) if clusters[i] == name]
            residual += sum(row[i] - run_mean - item_means[i] + grand for i in members) ** 2
    groups = len(names)
    residual *= groups / (groups - 1) / items**2 / (runs - 1)
    square = sum((mean - grand) ** 2 for mean in run_means) / (runs - 1)
    return square, residual


def test_hand_computed_two_runs_of_two_items():
    # Run means 0.75 and 0.25, their variance 0.125. Item means 0.5 and 0.5, every residual 0.
    arm = ArmScores("selected", "selected", np.array([[0.75, 0.75], [0.25, 0.25]]))
    parts = of_mean(arm, ["a", "b"])
    assert parts.mean == 0.5
    assert parts.item_square == 0
    assert parts.arms[0].square == pytest.approx(0.125)
    assert parts.arms[0].residual == 0
    assert parts.variance == pytest.approx(0.0625)
    assert parts.degrees == 1


def test_hand_computed_residual_is_not_counted_twice():
    # Run means 0.5 and 0.5; item means 0.5 and 0.5; every residual is 0.5 or -0.5, so the residual mean square is
    # 4 * 0.25 / 1 = 1 and its part in the variance of a run's mean is 1 / 2 items. Runs vary less than that: 0.
    arm = ArmScores("selected", "selected", np.array([[1.0, 0.0], [0.0, 1.0]]))
    parts = of_mean(arm, ["a", "b"])
    assert parts.arms[0].square == 0
    assert parts.arms[0].residual == pytest.approx(0.5)
    assert parts.arms[0].component == 0
    assert parts.run_variance == 0


@pytest.mark.parametrize("clusters", [alone(7), list("aabbbcd"), list("aaaaaab")])
def test_run_variance_matches_brute_force(clusters):
    scores = np.random.default_rng(3).random((4, 7))
    found = of_mean(ArmScores("full", "full", scores), clusters).arms[0]
    square, residual = brute_force(scores.tolist(), clusters)
    assert found.square == pytest.approx(square)
    assert found.residual == pytest.approx(residual)
    assert found.component == pytest.approx(max(0, square - residual))


def test_item_variance_is_the_clustered_variance_of_paired_differences():
    rng = np.random.default_rng(5)
    a, b = rng.random((3, 6)), rng.random((2, 6))
    clusters = list("aabbbc")
    parts = of_difference(ArmScores("a", "selected", a), ArmScores("b", "full", b), clusters)
    difference = a.mean(axis=0) - b.mean(axis=0)
    deviation = difference - difference.mean()
    expected = sum(
        deviation[i] * deviation[j]
        for i, j in itertools.product(range(6), repeat=2)
        if clusters[i] == clusters[j]
    )
    assert parts.item_square == pytest.approx(expected / 36 * 3 / 2)
    assert parts.clusters == 3
    assert parts.mean == pytest.approx(a.mean() - b.mean())


def test_wordings_of_one_fact_count_once():
    scores = np.random.default_rng(6).random((3, 8))
    once = of_mean(ArmScores("full", "full", scores), alone(8))
    twice = of_mean(ArmScores("full", "full", np.repeat(scores, 2, axis=1)), np.repeat(alone(8), 2).tolist())
    assert twice.variance == pytest.approx(once.variance)
    assert twice.degrees == pytest.approx(once.degrees)


def test_without_item_variance_it_is_welch():
    a, b = np.array([0.3, 0.4, 0.6]), np.array([0.1, 0.15, 0.1, 0.3])
    parts = of_difference(
        ArmScores("a", "selected", np.repeat(a[:, None], 5, axis=1)),
        ArmScores("b", "full", np.repeat(b[:, None], 5, axis=1)),
        alone(5),
    )
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert parts.degrees == pytest.approx(welch.df)
    assert parts.mean / parts.variance**0.5 == pytest.approx(welch.statistic)


def test_a_single_run_leaves_the_run_variance_unknown_but_for_a_greedy_base():
    items = np.array([[0.0, 1.0, 1.0]])
    parts = of_difference(ArmScores("one", "selected", items), ArmScores("base", "base", items), alone(3))
    assert parts.single == ("one",)
    assert parts.arms == ()


def test_a_base_with_several_runs_counts_as_any_arm():
    scores = np.random.default_rng(1).random((3, 4))
    assert of_mean(ArmScores("base", "base", scores), alone(4)).arms[0].runs == 3


def test_growing_follows_the_expected_mean_squares():
    # Ten times the runs and items of a large layout with known components.
    rng = np.random.default_rng(8)
    runs, items = 400, 400
    layout = (
        0.5
        + rng.normal(0, 0.02, (runs, 1))
        + rng.normal(0, 0.05, (1, items))
        + rng.normal(0, 0.05, (runs, items))
    )
    parts = of_mean(ArmScores("full", "full", layout.clip(0, 1)), alone(items))
    assert parts.arms[0].component == pytest.approx(0.02**2, rel=0.3)
    assert parts.arms[0].residual == pytest.approx(0.05**2 / items, rel=0.1)
    grown = parts.grown(runs=runs, items=items)
    assert (grown.items, grown.clusters, grown.arms[0].runs) == (2 * items, 2 * items, 2 * runs)
    expected = 0.05**2 / (2 * items) + 0.05**2 / (4 * runs * items) + 0.02**2 / (2 * runs)
    assert grown.variance == pytest.approx(expected, rel=0.3)
    assert grown.variance < parts.variance


def test_growing_by_nothing_changes_nothing():
    scores = np.add.outer([0.1, 0.4, 0.7], [0.0, 0.1, 0.2, 0.05, 0.1]) + np.eye(3, 5) * 0.01
    parts = of_mean(ArmScores("full", "full", scores), alone(5))
    assert parts.grown().variance == pytest.approx(parts.variance)
    assert parts.grown().degrees == pytest.approx(parts.degrees)


def test_differences_too_small_to_square_are_no_variance():
    scores = np.array([[0.0], [1e-120]])
    parts = of_mean(ArmScores("full", "full", scores), ["a"])
    assert parts.degrees == 1
