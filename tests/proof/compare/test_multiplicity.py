"""Holm's method against closed testing by brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.compare.multiplicity import holm

p_values = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.0125, 0.025, 0.05, 1.0])), min_size=1, max_size=6
)


def closed_testing(values):
    """Adjusted p values from every set of hypotheses, each set tested by Bonferroni."""
    count = len(values)
    sets = [s for size in range(1, count + 1) for s in itertools.combinations(range(count), size)]
    return [
        max(min(1.0, len(s) * min(values[i] for i in s)) for s in sets if one in s) for one in range(count)
    ]


def test_hand_computed():
    found = holm([0.04, 0.01, 0.03, 0.005], alpha=0.05)
    # Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04, running maximum 0.02 0.03 0.06 0.06.
    assert found.adjusted == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert found.rejected.tolist() == [False, True, False, True]
    assert found.levels == pytest.approx([0.025, 0.05 / 3, 0.025, 0.0125])


def test_all_rejected_and_none_rejected():
    every = holm([0.001, 0.002], alpha=0.05)
    assert every.levels == pytest.approx([0.025, 0.05])
    none = holm([0.5, 0.2, 0.9], alpha=0.05)
    assert none.levels == pytest.approx([0.05 / 3] * 3)
    single = holm([0.05], alpha=0.05)
    assert (single.adjusted.tolist(), single.rejected.tolist(), single.levels.tolist()) == (
        [0.05],
        [True],
        [0.05],
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(p_values)
def test_holm_is_closed_testing_with_bonferroni(values):
    assert holm(values).adjusted == pytest.approx(closed_testing(values), abs=1e-15)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(-8, 8), min_size=1, max_size=6), st.sampled_from([0.01, 0.025, 0.2]))
def test_an_interval_at_its_level_excludes_zero_where_the_test_is_rejected(scores, alpha):
    found = holm(2 * stats.norm.sf(np.abs(scores)), alpha=alpha)
    reach = stats.norm.isf(found.levels / 2)
    near = np.isclose(np.abs(scores), reach, atol=1e-9)
    excludes = np.abs(scores) > reach
    assert (excludes == found.rejected)[~near].all()
    assert (found.rejected == (found.adjusted <= alpha)).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(p_values, st.randoms(use_true_random=False))
def test_order_does_not_matter(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = [values[i] for i in order]
    assert holm(shuffled).adjusted.tolist() == holm(values).adjusted[order].tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "the p values have the shape [0]; give a list of one or more"),
        ([[0.1]], "the p values have the shape [1, 1]; give a list of one or more"),
        (
            [0.1, math.nan],
            "test 2 of 2 has the p value nan; give a number from 0 to 1 for every test of the family",
        ),
        ([1.5], "test 1 of 1 has the p value 1.5; give a number from 0 to 1 for every test of the family"),
    ],
)
def test_bad_p_values_are_refused(values, message):
    with pytest.raises(UserError) as error:
        holm(values)
    assert str(error.value) == message


def test_a_bad_alpha_is_refused():
    with pytest.raises(UserError) as error:
        holm([0.1], alpha=5)
    assert str(error.value) == "alpha is 5; give an alpha between 0 and 1, such as 0.05"
