"""Pairwise judging: swaps, agreement and win rates by hand, and how well the interval covers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.judging.judges import agreement, swapped, win_rate


def alone(count):
    return [str(place) for place in range(count)]


verdicts = st.sampled_from([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("one", "other", "points"),
    [(1, 1, 1), (0, 0, 1), (0.5, 0.5, 1), (1, 0.5, 0.5), (0.5, 0, 0.5), (1, 0, 0), (0, 1, 0)],
)
def test_agreement_has_the_points_of_lima(one, other, points):
    assert agreement([one, one], [other, other], alone(2)).estimate == points


def test_agreement_is_the_mean_of_the_points():
    found = agreement([1, 1, 0.5, 0], [1, 0, 0.5, 0.5], alone(4))
    assert (found.estimate, found.pairs, found.clusters) == (2.5 / 4, 4, 4)


def test_a_tie_is_half_a_win():
    assert win_rate([1, 0.5, 0, 1], alone(4)).estimate == 2.5 / 4


def test_one_pair_a_prompt_gives_the_t_interval():
    values = np.random.default_rng(0).choice([0, 0.5, 1], 40)
    found = win_rate(values, alone(40), alpha=0.1)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_pairs_of_one_prompt_count_once():
    values = np.random.default_rng(1).choice([0, 0.5, 1], 30)
    once = win_rate(values, alone(30))
    thrice = win_rate(np.repeat(values, 3), np.repeat(alone(30), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_the_clustered_interval_by_hand():
    # Clusters (1, 1), (0), (1, 0, 0), ...: deviation sums from the mean 1/2 are 1, -1/2, -1/2, 0, 0, 0, 0 over 14 pairs.
    values = [1, 1, 0, 1, 0, 0, *[0.5, 0.5] * 4]
    clusters = list("aabccc") + list("ddeeffgg")
    mean = 7 / 14
    sums = [1, -0.5, -0.5, 0, 0, 0, 0]
    error = math.sqrt(7 / 6 * sum(x * x for x in sums)) / 14
    found = win_rate(values, clusters)
    assert found.estimate == mean
    # Three clusters only differ, so the rule of three holds instead: 1 - 0.025^(1/7) of what is left.
    share = 1 - 0.025 ** (1 / 7)
    assert found.high - mean == pytest.approx(max(share / 2, stats.t.ppf(0.975, 6) * error))


def test_a_clean_sweep_is_not_certain():
    found = win_rate(np.ones(3), alone(3))
    assert (found.estimate, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 3))
    assert win_rate(np.ones(300), alone(300)).low == pytest.approx(0.025 ** (1 / 300))


def test_swapped_verdicts_by_hand():
    # Same, same, first shown wins, second shown wins, a tie once, tie.
    first, second = [1, 0, 1, 0, 1, 0.5], [1, 0, 0, 1, 0.5, 0.5]
    found = swapped(first, second, alone(6))
    assert found.combined.tolist() == [1, 0, 0.5, 0.5, 0.5, 0.5]
    assert found.wins.estimate == 0.5
    assert found.consistency.estimate == 3 / 6
    # Preference for what is shown first, less one half: 0, 0, 1/2, -1/2, 1/4, 0.
    assert found.bias.estimate == pytest.approx(0.25 / 6)
    assert found.bias.low < 0 < found.bias.high


def test_a_judge_that_takes_what_comes_first_decides_nothing():
    found = swapped(np.ones(50), np.zeros(50), alone(50))
    assert (found.wins.estimate, found.consistency.estimate, found.bias.estimate) == (0.5, 0, 0.5)
    assert found.bias.high == 0.5
    assert 0.4 < found.bias.low < 0.5


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(verdicts, verdicts, st.sampled_from("abcde")), min_size=2, max_size=14))
def test_models_may_change_places(rows):
    u, v, clusters = (np.array(column) for column in zip(*rows, strict=True))
    if len(set(clusters)) < 2:
        return
    found, back = swapped(u, v, clusters), swapped(1 - v, 1 - u, clusters)
    assert back.wins.estimate == pytest.approx(1 - found.wins.estimate)
    assert (back.wins.low, back.wins.high) == pytest.approx((1 - found.wins.high, 1 - found.wins.low))
    assert back.consistency == found.consistency
    assert back.bias.estimate == pytest.approx(found.bias.estimate)
    for rate, least, most in ((found.wins, 0, 1), (found.consistency, 0, 1), (found.bias, -0.5, 0.5)):
        assert least <= rate.low <= rate.estimate <= rate.high <= most
        assert rate.low < rate.high
    assert agreement(u, v, clusters) == agreement(v, u, clusters)


def test_the_interval_covers_with_pairs_in_prompts():
    rng = np.random.default_rng(5)
    clusters = np.repeat(alone(60), 3)
    hits = 0
    for _ in range(600):
        chance = np.repeat(rng.beta(2, 1.5, 60), 3)
        found = win_rate((rng.random(180) < chance).astype(float), clusters)
        hits += found.low <= 2 / 3.5 <= found.high
    # The Monte Carlo standard error is 0.9 points.
    assert 0.92 < hits / 600 < 0.98


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: win_rate([1, 2], alone(2)),
            "the verdict of pair 2 is 2.0; give a number from 0 (second model) to 1 (first)",
        ),
        (
            lambda: win_rate([1, math.nan], alone(2)),
            "the verdict of pair 2 is nan; give a number from 0 (second model) to 1 (first)",
        ),
        (
            lambda: win_rate([[1, 0]], alone(1)),
            "the values of each verdict have the shape [1, 2]; give one for every pair",
        ),
        (lambda: win_rate([1, 0], alone(3)), "there are 2 pairs and 3 clusters; give every pair one cluster"),
        (
            lambda: win_rate([1, 0], ["a", "a"]),
            (
                "2 pairs in 1 cluster cannot show how much prompts vary; "
                "give two independent clusters of pairs or more"
            ),
        ),
        (
            lambda: win_rate([], []),
            (
                "0 pairs in 0 clusters cannot show how much prompts vary; "
                "give two independent clusters of pairs or more"
            ),
        ),
        (
            lambda: win_rate([1, 0], alone(2), alpha=0),
            "alpha is 0; give an alpha between 0 and 1, such as 0.05",
        ),
        (
            lambda: agreement([1, 0.7], [1, 0], alone(2)),
            "the first judge's verdict of pair 2 is 0.7; a verdict is 1 (first model), 0 (second) or 0.5 (tie)",
        ),
        (
            lambda: agreement([1, 0], [1, 0, 0], alone(2)),
            "one list has 2 pairs and the other 3; give the same pairs to both",
        ),
        (
            lambda: swapped([1, 0], [1, math.nan], alone(2)),
            (
                "the verdict after the swap of pair 2 is nan; "
                "a verdict is 1 (first model), 0 (second) or 0.5 (tie)"
            ),
        ),
    ],
)
def test_bad_verdicts_are_refused(call, message):
    with pytest.raises(UserError) as error:
        call()
    assert str(error.value) == message
