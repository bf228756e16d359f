"""The linear datamodeling score against scipy's Spearman, subset by subset."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from suffice.common.errors import UserError
from suffice.proof.datamodel import correlations, foretold, linear_datamodeling_score, reliability

ROWS, TARGETS, SUBSETS = 20, 5, 30


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(ROWS, TARGETS))
    subsets = generator.random((SUBSETS, ROWS)) < 0.5
    return generator, scores, subsets


def test_what_is_foretold_is_the_sum_over_a_subset(drawn):
    _, scores, subsets = drawn
    wanted = np.zeros((TARGETS, SUBSETS))
    for target in range(TARGETS):
        for subset in range(SUBSETS):
            for row in range(ROWS):
                if subsets[subset, row]:
                    wanted[target, subset] += scores[row, target]
    np.testing.assert_allclose(foretold(scores, subsets), wanted)
    np.testing.assert_allclose(foretold(scores[:, 0], subsets), wanted[:1])


def test_a_row_without_a_score_counts_as_the_mean(drawn):
    _, scores, subsets = drawn
    scores[3, 1] = np.nan
    filled = scores.copy()
    filled[3, 1] = np.mean([scores[row, 1] for row in range(ROWS) if row != 3])
    np.testing.assert_allclose(foretold(scores, subsets), foretold(filled, subsets))
    scores[:, 2] = np.nan
    with pytest.raises(UserError) as caught:
        foretold(scores, subsets)
    assert str(caught.value) == (
        "no row has a score, so that nothing is foretold; look at the notes of the scores"
    )


def test_correlations_are_those_of_scipy_with_ties_too(drawn):
    generator, *_ = drawn
    x, y = generator.integers(4, size=(2, 6, 25)).astype(float)
    wanted = [spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(correlations(x, y), wanted)
    assert correlations(np.ones((1, 5)), y[:1, :5]).tolist() == [0]


def test_scores_and_differences_by_hand(drawn):
    generator, scores, subsets = drawn
    exact, vague = foretold(scores, subsets), foretold(scores[:, 0], subsets)
    outcomes = exact + generator.normal(size=(2, TARGETS, SUBSETS))
    found = linear_datamodeling_score(
        {"exact": exact, "vague": vague}, outcomes, yardstick="exact", resamples=200
    )
    mean = outcomes.mean(axis=0)
    wanted = [spearmanr(exact[i], mean[i]).statistic for i in range(TARGETS)]
    other = [spearmanr(vague[0], mean[i]).statistic for i in range(TARGETS)]
    np.testing.assert_allclose(found.by_target["exact"], wanted)
    np.testing.assert_allclose(found.by_target["vague"], other)
    assert found.scores["exact"].value == pytest.approx(np.mean(wanted))
    assert found.differences["vague"].value == pytest.approx(np.mean(wanted) - np.mean(other))
    assert list(found.differences) == ["vague"]
    for each in (*found.scores.values(), *found.differences.values()):
        assert each.low < each.value < each.high
        assert each.error > 0


def test_the_bootstrap_draws_subsets_and_targets_anew_the_same_for_every_method(drawn):
    generator, scores, subsets = drawn
    predictions = {"a": foretold(scores, subsets), "b": foretold(scores[:, ::-1], subsets)}
    outcomes = generator.normal(size=(1, TARGETS, SUBSETS))
    found = linear_datamodeling_score(predictions, outcomes, yardstick="a", resamples=50, seed=7)
    draws = np.random.default_rng(7)
    means = np.zeros((50, 2))
    for i in range(50):
        columns, rows = draws.integers(SUBSETS, size=SUBSETS), draws.integers(TARGETS, size=TARGETS)
        for j, table in enumerate(predictions.values()):
            each = [spearmanr(table[row, columns], outcomes[0, row, columns]).statistic for row in rows]
            means[i, j] = np.mean(each)
    assert found.scores["a"].error == pytest.approx(means[:, 0].std(ddof=1))
    assert found.differences["b"].error == pytest.approx((means[:, 0] - means[:, 1]).std(ddof=1))
    assert found.differences["b"].low == pytest.approx(np.quantile(means[:, 0] - means[:, 1], 0.025))
    assert found.scores["a"].high == pytest.approx(np.quantile(means[:, 0], 0.975))
    same = linear_datamodeling_score(
        predictions | {"c": predictions["a"]}, outcomes, yardstick="a", resamples=50
    )
    assert same.differences["c"].error == 0


def test_reliability_is_the_agreement_of_two_halves_of_the_seeds_stepped_up(drawn):
    generator, scores, subsets = drawn
    signal = foretold(scores, subsets)
    outcomes = signal + generator.normal(scale=2, size=(2, TARGETS, SUBSETS))
    half = np.mean([spearmanr(outcomes[0, i], outcomes[1, i]).statistic for i in range(TARGETS)])
    assert reliability(outcomes) == pytest.approx(2 * half / (1 + half))
    assert reliability(outcomes[:1]) is None
    assert reliability(np.stack([signal, -signal])) == 0


def test_too_little_and_numbers_that_are_none_are_refused(drawn):
    generator, scores, subsets = drawn
    outcomes = generator.normal(size=(1, TARGETS, SUBSETS))
    with pytest.raises(UserError) as caught:
        linear_datamodeling_score({"a": foretold(scores, subsets)[:, :2]}, outcomes[:, :, :2], yardstick="a")
    assert str(caught.value) == "2 subsets show no correlation; give three or more"
    outcomes[0, 0, 0] = np.inf
    with pytest.raises(UserError) as caught:
        linear_datamodeling_score({"a": foretold(scores, subsets)}, outcomes, yardstick="a")
    assert str(caught.value) == "an outcome or a prediction is not a finite number; leave that target out"
