"""The sign-flip test against brute force, scipy and McNemar."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.compare.mcnemar import mcnemar
from suffice.proof.compare.sign_flip import sign_flip


def alone(count):
    return [str(place) for place in range(count)]


def brute_force(differences, clusters):
    """The p value by going through every flip of every cluster, those that differ or not."""
    names = sorted(set(clusters))
    sums = [sum(d for d, name in zip(differences, clusters, strict=True) if name == one) for one in names]
    totals = [
        sum(s * x for s, x in zip(signs, sums, strict=True))
        for signs in itertools.product([1, -1], repeat=len(sums))
    ]
    seen = sum(sums)
    return sum(abs(total) >= abs(seen) - 1e-9 for total in totals) / len(totals)


def test_hand_computed():
    # Differences 1, 2, 4: of the eight totals only 7 and -7 are as far out, so 2 / 8.
    found = sign_flip([1, 2, 4], [0, 0, 0], alone(3), seed=0)
    assert (found.p, found.flips, found.exact, found.nonzero) == (0.25, 8, True, 3)
    assert found.estimate == pytest.approx(7 / 3)
    # Differences 1, -2, 4, total 3: totals 7, 5, 3 and 1, each with both signs; three of four are as far out.
    assert sign_flip([1, 0, 4], [0, 2, 0], alone(3), seed=0).p == 0.75


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 0.1, 0.25, 0.7, 1]),
            st.sampled_from([0, 0.3, 0.7, 1]),
            st.sampled_from("abcdefg"),
        ),
        min_size=2,
        max_size=12,
    ).filter(lambda rows: len({name for *_, name in rows}) > 1)
)
def test_it_is_brute_force(rows):
    first, second, clusters = zip(*rows, strict=True)
    differences = np.subtract(first, second)
    found = sign_flip(first, second, clusters, seed=0)
    assert found.p == pytest.approx(brute_force(differences, clusters))
    assert found.estimate == pytest.approx(differences.mean())


def test_it_is_scipys_permutation_test_of_paired_samples():
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.4, 1, 9), rng.normal(0, 1, 9)
    expected = stats.permutation_test(
        (first, second),
        lambda a, b: a.mean() - b.mean(),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=False,
    )
    assert sign_flip(first, second, alone(9), seed=0).p == pytest.approx(expected.pvalue)


def test_right_or_wrong_items_alone_give_mcnemars_exact_test():
    first, second = [1] * 7 + [0] * 3 + [1] * 30, [0] * 7 + [1] * 3 + [1] * 30
    assert sign_flip(first, second, alone(40), seed=0).p == pytest.approx(mcnemar(first, second).p)


def test_sampled_flips_agree_with_all_flips(monkeypatch):
    rng = np.random.default_rng(6)
    first, second = rng.random(18) + 0.1, rng.random(18)
    exact = sign_flip(first, second, alone(18), seed=0)
    monkeypatch.setattr("suffice.proof.compare.sign_flip.EXACT", 5)
    sampled = sign_flip(first, second, alone(18), seed=0, flips=40_000)
    assert (exact.exact, sampled.exact, exact.flips, sampled.flips) == (True, False, 2**18, 40_000)
    # Four standard errors of the sampled share.
    assert sampled.p == pytest.approx(exact.p, abs=4 * math.sqrt(exact.p * (1 - exact.p) / 40_000))


def test_many_clusters_come_near_the_t_test_and_repeat_to_the_byte():
    rng = np.random.default_rng(7)
    first, second = rng.random(400) + 0.03, rng.random(400)
    found = sign_flip(first, second, alone(400), seed=3, flips=20_000)
    assert found.p == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.015)
    assert sign_flip(first, second, alone(400), seed=3, flips=20_000) == found
    assert sign_flip(first, second, alone(400), seed=4, flips=20_000).p != found.p


def test_a_sampled_p_counts_what_was_seen():
    found = sign_flip(np.ones(60), np.zeros(60), alone(60), seed=0, flips=999)
    assert found.p == 1 / 1000


def test_no_difference_gives_one():
    found = sign_flip([0.5, 0.5, 1], [0.5, 0.5, 1], alone(3), seed=0)
    assert (found.p, found.estimate, found.nonzero, found.flips) == (1.0, 0.0, 0, 1)
    # 0.1 + 0.2 and 0.3 differ by rounding only, and so do wordings that cancel out in a cluster.
    assert sign_flip([0.1 + 0.2, 0.3], [0.3, 0.1 + 0.2], alone(2), seed=0).nonzero == 0
    assert sign_flip([0.1, 0.2, 0, 1], [0, 0, 0.3, 1], list("aaab"), seed=0).p == 1.0


def test_equal_differences_count_by_their_number():
    # All of one sign: only the flips that keep or turn all are as far out.
    assert sign_flip(np.full(8, 0.6), np.full(8, 0.5), alone(8), seed=0).p == 2 / 2**8


def test_wordings_of_one_prompt_count_once():
    first, second = np.array([1, 0, 1, 1, 1.0]), np.array([0, 0, 0, 0, 1.0])
    once = sign_flip(first, second, alone(5), seed=0)
    thrice = sign_flip(np.repeat(first, 3), np.repeat(second, 3), np.repeat(alone(5), 3), seed=0)
    assert (thrice.p, thrice.clusters, thrice.estimate) == (once.p, 5, once.estimate)


def test_it_keeps_its_level_where_clusters_are_equal_but_items_are_not():
    rng = np.random.default_rng(9)
    clusters = np.repeat(alone(12), 4)
    hits = 0
    for _ in range(400):
        shared = np.repeat(rng.normal(0, 1, 12), 4)
        hits += sign_flip(shared + rng.normal(0, 0.3, 48), np.zeros(48), clusters, seed=0).p <= 0.05
    # 5 % of 400, and three standard errors (1.1 points each).
    assert hits / 400 < 0.083


@pytest.mark.parametrize(
    ("first", "second", "clusters", "message"),
    [
        (
            [1, 2],
            [1],
            ["a", "b"],
            (
                "there are scores of the shapes [2] and [1], with clusters for 2; "
                "give one of each for every item, items in the same order"
            ),
        ),
        (
            [1, 2],
            [1, 2],
            ["a"],
            (
                "there are scores of the shapes [2] and [2], with clusters for 1; "
                "give one of each for every item, items in the same order"
            ),
        ),
        (
            [1, math.nan],
            [1, 2],
            ["a", "b"],
            "the first model has the score nan at item 2; score every item with a finite number",
        ),
        (
            [1, 2],
            [-math.inf, 2],
            ["a", "b"],
            "the second model has the score -inf at item 1; score every item with a finite number",
        ),
        (
            [1, 2],
            [3, 4],
            ["a", "a"],
            "2 items in 1 cluster cannot show how much items vary; give two independent clusters of items or more",
        ),
        (
            [],
            [],
            [],
            "0 items in 0 clusters cannot show how much items vary; give two independent clusters of items or more",
        ),
    ],
)
def test_bad_scores_are_refused(first, second, clusters, message):
    with pytest.raises(UserError) as error:
        sign_flip(first, second, clusters, seed=0)
    assert str(error.value) == message


def test_bad_settings_are_refused():
    with pytest.raises(UserError) as error:
        sign_flip([1, 2], [0, 0], alone(2), seed=0, flips=0)
    assert str(error.value) == "0 flips cannot be sampled; sample one flip at least, such as 100000"
