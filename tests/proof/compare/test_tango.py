"""Tango's interval against published tables, a plain search of the likelihood, and its exact coverage."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from suffice.common.errors import UserError
from suffice.proof.compare.tango import score, score_interval, tango


def answers(b, c, both=0, none=0):
    """The answers of two models with ``b`` and ``c`` discordant items."""
    first = [1] * b + [0] * c + [1] * both + [0] * none
    second = [0] * b + [1] * c + [1] * both + [0] * none
    return first, second


# Intervals in print, each checked by the packages ratesci or contingencytables for R in their own tests.
@pytest.mark.parametrize(
    ("b", "c", "items", "alpha", "low", "high", "digits"),
    [
        (9, 3, 32, 0.05, -0.027, 0.390, 3),  # Tango 1998
        (0, 1, 44, 0.10, -0.096, 0.037, 3),  # Tango 1998: 43 of 44 pairs agree
        (16, 8, 86, 0.05, -0.020, 0.207, 3),  # Agresti and Min 2005
        (1, 7, 21, 0.05, -0.517, -0.026, 3),  # Fagerland, Lydersen and Laake 2014, table V
        (6, 16, 161, 0.05, -0.1240, -0.0054, 4),  # the same authors 2017, chapter 8
        (3, 1, 14, 0.05, -0.1670, 0.4327, 4),  # Tang et al. 2010
        (25, 2, 102, 0.05, 0.139, 0.321, 3),  # Chang et al. 2024
    ],
)
def test_published_intervals(b, c, items, alpha, low, high, digits):
    found = tango(*answers(b, c, items - b - c), alpha=alpha)
    assert (round(found.low, digits), round(found.high, digits)) == (low, high)
    assert (found.b, found.c, found.items) == (b, c, items)
    assert found.estimate == pytest.approx((b - c) / items)


def searched(b, c, items, difference):
    """The score from a plain search for the most likely share of items that only the second answers rightly."""

    def loss(share):
        cells = ((b, share + difference), (c, share), (items - b - c, 1 - 2 * share - difference))
        return -sum(special.xlogy(count, max(cell, 1e-300)) for count, cell in cells)

    ends = (max(0.0, -difference), (1 - difference) / 2)
    share = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    return (b - c - items * difference) / math.sqrt(items * (2 * share + difference - difference**2))


@pytest.mark.parametrize(("b", "c", "items"), [(9, 3, 32), (1, 7, 21), (4, 4, 10), (2, 1, 4), (30, 1, 40)])
def test_the_score_uses_the_most_likely_share(b, c, items):
    for difference in (-0.9, -0.3, -0.02, 0.01, 0.25, 0.7):
        assert score(b, c, items, difference) == pytest.approx(searched(b, c, items, difference), abs=1e-5)


def test_at_zero_it_is_mcnemars_statistic():
    assert score(9, 3, 32, 0.0) == pytest.approx(6 / math.sqrt(12))
    assert tango(*answers(9, 3)).p == pytest.approx(stats.norm.sf(6 / math.sqrt(12)))


def test_no_difference_at_all_keeps_its_width():
    # Without discordant items the score at D is √(n D / (1 - D)), so the ends are z² / (n + z²).
    square = stats.norm.isf(0.025) ** 2
    found = tango([1, 1, 0], [1, 1, 0])
    assert (found.estimate, found.p) == (0, 0.5)
    assert found.high == -found.low == pytest.approx(square / (3 + square))
    assert tango([1] * 300, [1] * 300, margin=0.02).low == pytest.approx(-square / (300 + square))


def test_every_item_for_one_side():
    # All n for the first: the score at D is √(n (1 - D) / (1 + D)).
    square = stats.norm.isf(0.025) ** 2
    found = tango([1] * 10, [0] * 10)
    assert (found.estimate, found.high) == (1, 1)
    assert found.low == pytest.approx((10 - square) / (10 + square))
    assert score(10, 0, 10, 1.0) == 0
    assert score(9, 0, 10, 1.0) == -math.inf


def test_an_end_goes_on_smoothly_to_the_closed_cases():
    assert score_interval(999, 1, 1000)[0] == pytest.approx(score_interval(1000, 0, 1000)[0], abs=0.004)
    assert score_interval(1, 1, 10**6)[1] == pytest.approx(score_interval(0, 0, 10**6)[1], abs=4e-6)


@pytest.mark.parametrize("items", [1, 2, 5, 12])
def test_the_score_falls_with_the_difference(items):
    grid = np.linspace(-1, 1, 201)
    for b in range(items + 1):
        for c in range(items + 1 - b):
            scores = [score(b, c, items, difference) for difference in grid]
            assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(scores))


def test_more_for_the_first_moves_both_ends_up():
    ends = [score_interval(b, 5, 60) for b in range(40)]
    for (low, high), (next_low, next_high) in itertools.pairwise(ends):
        assert next_low > low
        assert next_high > high


counts = st.integers(1, 400).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(counts, st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_the_interval_holds_its_estimate_and_mirrors(table, alpha):
    b, c, items = table
    low, high = score_interval(b, c, items, alpha)
    assert -1 <= low <= (b - c) / items <= high <= 1
    assert low < high
    back = score_interval(c, b, items, alpha)
    assert back == (-high, -low)
    wide = score_interval(b, c, items, alpha / 2)
    assert wide[0] <= low
    assert wide[1] >= high
    z = stats.norm.isf(alpha / 2)
    assert high == 1 or score(b, c, items, high) == pytest.approx(-z, rel=1e-6)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(counts, st.floats(0, 0.99), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_test_and_the_interval_agree(table, margin, alpha):
    b, c, items = table
    found = tango(*answers(b, c, items - b - c), margin=margin, alpha=alpha)
    if abs(found.low + margin) > 1e-9:
        assert (found.p <= alpha / 2) == (found.low >= -margin)


def coverage(items, alpha=0.05):
    """The exact probability that the interval holds the true difference, over a grid of true shares."""
    table = [
        (b, c, *score_interval(b, c, items, alpha)) for b in range(items + 1) for c in range(items + 1 - b)
    ]
    b, c, low, high = (np.array(column) for column in zip(*table, strict=True))
    ways = special.gammaln(items + 1) - sum(special.gammaln(x + 1) for x in (b, c, items - b - c))
    for one in np.linspace(0.02, 0.6, 30):
        for other in np.linspace(0.02, 0.38, 19):
            chance = np.exp(
                ways + b * np.log(one) + c * np.log(other) + (items - b - c) * np.log(1 - one - other)
            )
            yield chance[(low <= one - other) & (one - other <= high)].sum()


@pytest.mark.parametrize("items", [10, 30])
def test_it_covers_near_its_level_by_exact_enumeration(items):
    found = list(coverage(items))
    assert min(found) > 0.93
    assert 0.945 < np.mean(found) < 0.975


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": 2.0}, "the margin is 2.0; give it as a share from 0 to below 1, such as 0.02"),
        ({"margin": -0.1}, "the margin is -0.1; give it as a share from 0 to below 1, such as 0.02"),
        ({"margin": math.nan}, "the margin is nan; give it as a share from 0 to below 1, such as 0.02"),
        ({"alpha": 1.0}, "alpha is 1.0; give an alpha between 0 and 1, such as 0.05"),
    ],
)
def test_bad_settings_are_refused(wrong, message):
    with pytest.raises(UserError) as error:
        tango([1, 0], [0, 0], **wrong)
    assert str(error.value) == message


def test_bad_scores_and_counts_are_refused():
    with pytest.raises(UserError) as error:
        tango([1, 0, math.nan], [0, 0, 1])
    assert str(error.value) == (
        "the first model has the score nan at item 3, where only 0 and 1 can be counted; "
        "score every item right (1) or wrong (0), or use the sign-flip test for graded scores"
    )
    with pytest.raises(UserError) as error:
        score_interval(3, 2, 4)
    assert str(error.value) == (
        "3 and 2 discordant items of 4 cannot be; give counts that add up to the items or fewer"
    )
    with pytest.raises(UserError) as error:
        score(3, 1, 4, -1.5)
    assert str(error.value) == "the difference to test is -1.5; give it as a share from -1 to 1"
