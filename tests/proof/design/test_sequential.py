"""Planned looks, against other simulations, multivariate normal probabilities and published boundaries."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.design.sequential import Looks, _run_looks, item_looks, run_looks, spend, verdict_level

SPENDINGS = ["obrien-fleming", "pocock"]


def boundaries(looks):
    return [float(stats.norm.isf(level / 2)) for level in looks.nominal_alpha]


@pytest.mark.parametrize(
    ("looks", "spending", "known"),
    [
        # Two-sided 0.05; Jennison and Turnbull (2000), Group Sequential Methods, chapter 7, spend alpha so.
        (2, "obrien-fleming", [2.963, 1.969]),
        (3, "obrien-fleming", [3.710, 2.511, 1.993]),
        (5, "obrien-fleming", [4.877, 3.357, 2.680, 2.290, 2.031]),
        (2, "pocock", [2.157, 2.201]),
        (3, "pocock", [2.279, 2.295, 2.296]),
        (5, "pocock", [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_item_looks_have_the_published_boundaries(looks, spending, known):
    found = item_looks([100 * (look + 1) for look in range(looks)], 0.05, spending)
    assert boundaries(found) == pytest.approx(known, abs=0.0006)


def test_the_nominal_levels_of_two_looks():
    assert item_looks([100, 200]).nominal_alpha == pytest.approx([0.00305, 0.0490], abs=5e-5)


@pytest.mark.parametrize("spending", SPENDINGS)
@pytest.mark.parametrize("items", [(100, 250), (50, 200, 250), (8, 90, 92, 400)])
def test_item_looks_spend_alpha_by_another_integral(items, spending):
    """The probability of staying between all bounds is that of a box under a multivariate normal."""
    found = item_looks(items, 0.05, spending)
    times = np.array(items) / items[-1]
    covariance = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    for count, spent in enumerate(found.spent, start=1):
        bounds = np.array(boundaries(found)[:count])
        inside = stats.multivariate_normal.cdf(
            bounds, cov=covariance[:count, :count], lower_limit=-bounds, abseps=1e-6, releps=1e-6, rng=0
        )
        assert 1 - inside == pytest.approx(spent, abs=2e-5)


@pytest.mark.parametrize("spending", SPENDINGS)
def test_many_runs_are_the_normal_theory(spending):
    runs = run_looks([1000, 2000, 3000], 0.05, spending, paths=200_000)
    # The levels of later looks are simulated; four of their standard errors of 0.0003 at most.
    assert runs.nominal_alpha == pytest.approx(
        item_looks([1000, 2000, 3000], 0.05, spending).nominal_alpha, abs=0.0012
    )


@lru_cache
def p_values(runs, studies, seed, *, arms=2, pooled=True):
    """The p values [looks, studies] of studies drawn run by run, by scipy's own t tests."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, studies, runs[-1]))
    if arms == 1:
        return np.stack([stats.ttest_1samp(a[:, :count], 0, axis=1).pvalue for count in runs])
    return np.stack(
        [stats.ttest_ind(a[:, :count], b[:, :count], axis=1, equal_var=pooled).pvalue for count in runs]
    )


@pytest.mark.parametrize("spending", SPENDINGS)
@pytest.mark.parametrize(("runs", "arms"), [((3, 5, 8), 2), ((2, 4, 8), 2), ((3, 6, 10), 1)])
def test_all_looks_together_keep_alpha(runs, arms, spending):
    # 30,000 studies: a Monte Carlo standard error of 0.0013. Three of them.
    looks = run_looks(runs, 0.05, spending, arms=arms)
    values = p_values(runs, 30_000, seed=9, arms=arms)
    crossed = (values <= np.array(looks.nominal_alpha)[:, None]).any(axis=0)
    assert crossed.mean() == pytest.approx(0.05, abs=0.0038)
    assert (values <= 0.05).any(axis=0).mean() > 0.08  # what looking at plain intervals would do


def test_each_look_spends_what_it_may():
    looks = run_looks((3, 5, 8), 0.1, "pocock", seed=4, paths=100_000)
    values = p_values((3, 5, 8), 30_000, seed=9)
    crossed = np.logical_or.accumulate(values <= np.array(looks.nominal_alpha)[:, None], axis=0)
    assert crossed.mean(axis=1) == pytest.approx(looks.spent, abs=0.0052)


@pytest.mark.parametrize("spending", SPENDINGS)
def test_the_interval_that_does_not_pool_errs_no_more(spending):
    """Welch's test is what `difference_interval` comes to where runs dominate."""
    looks = run_looks((3, 5, 8), 0.05, spending)
    values = p_values((3, 5, 8), 30_000, seed=11, pooled=False)
    crossed = (values <= np.array(looks.nominal_alpha)[:, None]).any(axis=0)
    assert 0.03 < crossed.mean() < 0.0538


@pytest.mark.parametrize("spending", SPENDINGS)
def test_a_single_look_gives_alpha_back(spending):
    assert run_looks([5], 0.05, spending).nominal_alpha == (0.05,)
    assert run_looks([5], 0.05, spending).level_at(0) == 0.05
    assert item_looks([100], 0.01, spending).nominal_alpha == (0.01,)


def test_same_seed_same_levels():
    first, other = (run_looks([3, 5, 8], paths=100_000, seed=seed) for seed in (1, 2))
    _run_looks.cache_clear()
    assert run_looks([3, 5, 8], paths=100_000, seed=1) == first
    assert other.nominal_alpha != first.nominal_alpha
    assert other.nominal_alpha == pytest.approx(first.nominal_alpha, abs=0.001)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.4), st.sampled_from(SPENDINGS))
def test_spending_rises_from_zero_to_alpha(first, second, alpha, spending):
    low, high = sorted([first, second])
    assert 0 <= spend(low, alpha, spending) <= spend(high, alpha, spending) <= alpha
    assert spend(0, alpha, spending) == 0
    assert spend(1, alpha, spending) == alpha


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(2, 120), min_size=1, max_size=6, unique=True).map(sorted),
    st.floats(0.001, 0.3),
    st.sampled_from(SPENDINGS),
)
def test_levels_lie_between_what_is_newly_spent_and_what_is_spent_so_far(planned, alpha, spending):
    for looks in (run_looks(planned, alpha, spending, paths=2000), item_looks(planned, alpha, spending)):
        new = np.diff(looks.spent, prepend=0.0)
        most = [share * (1 + 1e-9) + 2e-12 for share in looks.spent]
        assert all(0 < level <= bound for level, bound in zip(looks.nominal_alpha, most, strict=True))
        assert all(level >= share - 1e-12 for level, share in zip(looks.nominal_alpha, new, strict=True))


def test_looks_that_spend_nothing_keep_an_interval():
    looks = item_looks([1, 2, 3, 100, 200][1:], 0.001)
    assert looks.nominal_alpha[0] == 1e-12
    assert np.isfinite(stats.t.ppf(1 - looks.nominal_alpha[0] / 2, 3))


def test_a_verdict_only_at_a_look():
    looks = Looks((3, 5, 8), "runs", 0.05, "pocock", (0.02, 0.03, 0.05), (0.02, 0.015, 0.021))
    assert [verdict_level(looks, runs) for runs in range(1, 9)] == [
        None, None, 0.02, None, 0.015, None, None, 0.021,
    ]  # fmt: skip
    with pytest.raises(UserError) as error:
        verdict_level(looks, 9)
    assert str(error.value) == (
        "there are 9 runs and the last planned look was at 8; judge by the last look, or plan a new study"
    )
    with pytest.raises(UserError) as error:
        looks.level_at(3)
    assert str(error.value) == "there is no look 3 among 3; count the planned looks from 0"


@pytest.mark.parametrize(
    ("planned", "text"),
    [
        ([], "looks at no runs cannot be planned"),
        ([1, 3], "looks at 1, 3 runs cannot be planned"),
        ([3, 3], "looks at 3, 3 runs cannot be planned"),
        ([5, 3], "looks at 5, 3 runs cannot be planned"),
        (list(range(2, 23)), f"looks at {', '.join(map(str, range(2, 23)))} runs cannot be planned"),
    ],
)
def test_looks_that_cannot_be(planned, text):
    with pytest.raises(UserError) as error:
        run_looks(planned)
    assert (
        str(error.value)
        == f"{text}; give 1 to 20 rising numbers of runs, the first 2 or more, such as 3, 5, 8"
    )


def test_other_mistakes():
    for call, text in (
        (
            lambda: item_looks([500, 501, 1000]),
            "looks at 500, 501, 1000 items are too close together; leave 0.5 % of the last between them",
        ),
        (lambda: run_looks([3], 0.5), "alpha is 0.5; give an alpha between 0 and 0.5, such as 0.05"),
        (
            lambda: run_looks([3], spending="pockock"),
            "unknown spending function 'pockock'; did you mean 'pocock'?",
        ),
        (
            lambda: run_looks([3], arms=3),
            "looks for 3 arms cannot be computed; compare two arms, or one with a fixed model",
        ),
    ):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value) == text
