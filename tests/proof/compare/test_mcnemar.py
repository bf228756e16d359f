"""McNemar's test against enumeration, published tables and hand-computed values."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.proof.compare.mcnemar import McNemar, discordant, mcnemar, mcnemar_p


def answers(b, c, both=0, none=0):
    """The answers of two models with ``b`` and ``c`` discordant items."""
    first = [1] * b + [0] * c + [1] * both + [0] * none
    second = [0] * b + [1] * c + [1] * both + [0] * none
    return first, second


def enumerated(b, c):
    """The exact p value from every way the discordant items can fall."""
    n = b + c
    tails = [sum(flips) for flips in itertools.product([0, 1], repeat=n)]
    return min(1, 2 * sum(x <= min(b, c) for x in tails) / 2**n)


@pytest.mark.parametrize(("b", "c"), [(b, c) for b in range(6) for c in range(6)])
def test_it_is_the_enumeration(b, c):
    found = mcnemar(*answers(b, c, 2, 3)).p
    assert found == pytest.approx(enumerated(b, c), abs=1e-12)
    assert mcnemar_p(b, c) == found


def test_hand_computed():
    # 1 of 8 discordant items: 2 (1 + 8) / 256.
    assert mcnemar(*answers(1, 7, 1, 12)) == McNemar(18 / 256, 1, 7, 21)
    assert mcnemar_p(1, 7) == 18 / 256


def test_published_table():
    # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), chapter 8, complete response
    # before and after consolidation (Cavo et al. 2012), as printed by their package contingencytables.
    assert mcnemar(*answers(6, 16, 59, 80)).p == pytest.approx(0.052479, abs=1e-6)


def test_no_discordant_item_gives_one():
    assert mcnemar([1, 0, 1], [1, 0, 1]).p == 1.0
    assert mcnemar([1], [1]).p == 1.0
    assert mcnemar_p(0, 0) == 1.0


def test_three_items_cannot_show_anything():
    assert mcnemar([1, 1, 1], [0, 0, 0]).p == 0.25


def test_large_counts_are_exact():
    n, m = 2000, 940
    tail = sum(comb(n, x) for x in range(m + 1))
    assert mcnemar(*answers(m, n - m)).p == pytest.approx(2 * tail / 2**n, rel=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_models_may_change_places(pairs):
    first, second = np.array(pairs).T
    found, back = mcnemar(first, second), mcnemar(second, first)
    assert (found.p, found.b, found.c) == (back.p, back.c, back.b)
    assert 0 < found.p <= 1
    assert discordant(first, second) == (found.b, found.c, len(pairs))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            [1, 0, 1],
            [1, 0],
            (
                "the scores of two models have the shapes [3] and [2]; "
                "give each model one score for every item, items in the same order"
            ),
        ),
        (
            [],
            [],
            (
                "the scores of two models have the shapes [0] and [0]; "
                "give each model one score for every item, items in the same order"
            ),
        ),
        (
            [[1, 0]],
            [[1, 0]],
            (
                "the scores of two models have the shapes [1, 2] and [1, 2]; "
                "give each model one score for every item, items in the same order"
            ),
        ),
        (
            [1, float("nan")],
            [1, 0],
            (
                "the first model has the score nan at item 2, where only 0 and 1 can be counted; "
                "score every item right (1) or wrong (0), or use the sign-flip test for graded scores"
            ),
        ),
        (
            [1, 0],
            [0.5, 0],
            (
                "the second model has the score 0.5 at item 1, where only 0 and 1 can be counted; "
                "score every item right (1) or wrong (0), or use the sign-flip test for graded scores"
            ),
        ),
    ],
)
def test_bad_scores_are_refused(first, second, message):
    with pytest.raises(UserError) as error:
        mcnemar(first, second)
    assert str(error.value) == message
