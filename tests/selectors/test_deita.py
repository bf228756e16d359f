"""DEITA's filter: against the rule word for word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_selections import NAN, request_of, units, vectors_of
from suffice.common.errors import UserError
from suffice.selectors import deita
from suffice.selectors.constraints import Constraints
from suffice.selectors.deita import Deita


def plain_filter(vectors, values, threshold):
    """Every row by falling score that is not too much like one taken before, and how many were passed over."""
    able = [i for i in range(len(values)) if values[i] == values[i] and vectors[i][0] == vectors[i][0]]
    taken, passed = [], []
    skipped = 0
    for i in sorted(able, key=lambda i: (-values[i], i)):
        if any(units(vectors)[i] @ units(vectors)[j] > threshold for j in taken):
            skipped += 1
            continue
        taken.append(i)
        passed.append(skipped)
        skipped = 0
    return taken, passed


@settings(max_examples=40)
@given(
    st.integers(0, 1000),
    st.sampled_from([0.3, 0.7, 0.9]),
    st.lists(st.one_of(st.integers(0, 9).map(float), st.just(NAN)), min_size=40, max_size=40),
)
def test_it_is_the_rule(seed, threshold, values):
    vectors = vectors_of(40, 3, seed, missing=[5, 6])
    wanted, passed = plain_filter(vectors, values, threshold)
    if not wanted:
        return
    for together in (4, 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deita, "_TOGETHER", together)
            request = request_of(vectors, len(wanted), values=values)
            choices = Deita(threshold).select(request)
        assert [choice.index for choice in choices] == wanted
        assert [choice.evidence["passed"] for choice in choices] == passed
        for turn, choice in enumerate(choices[1:], 1):
            cosines = [units(vectors)[choice.index] @ units(vectors)[i] for i in wanted[:turn]]
            assert choice.evidence["cosine"] == pytest.approx(max(cosines), abs=1e-5)
            assert choice.evidence["nearest"] == request.pool.ids[wanted[int(np.argmax(cosines))]]


TWINS = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [-1, 0]], np.float32)


def test_why_rows_were_taken():
    first, second, third = Deita().select(request_of(TWINS, 3, values=[5, 4, 3, 2, 1]))
    assert first.reason == "score 5, rank 1"
    assert second.reason == (
        'score 3, rank 3; most like "Question 0", cosine 0.00; 1 above it passed over as too much alike'
    )
    assert third.reason == (
        'score 1, rank 5; most like "Question 2", cosine 0.00; 1 above it passed over as too much alike'
    )
    assert first.evidence == {"score": 5.0, "rank": 1, "nearest": "", "cosine": 0.0, "passed": 0}


def test_pinned_rows_come_first_and_rows_like_them_are_passed_over():
    request = request_of(TWINS, 3, values=[5, 4, 3, 2, 1])
    pins = Constraints(pin=(request.pool.ids[1],))
    choices = Deita().select(request_of(TWINS, 3, values=[5, 4, 3, 2, 1], constraints=pins))
    assert [choice.index for choice in choices] == [1, 2, 4]
    assert choices[0].reason == "pinned; score 4, rank 2"


def test_too_few_rows_are_unlike_each_other():
    with pytest.raises(UserError) as caught:
        Deita().select(request_of(TWINS, 4, values=[5, 4, 3, 2, 1]))
    assert str(caught.value) == (
        "only 3 rows are as little alike as a cosine of 0.9 and within the constraints, fewer than the budget of 4; "
        "give --budget 3 or less, or reject twins first"
    )


def test_rows_need_a_score_and_a_vector():
    with pytest.raises(UserError) as caught:
        Deita().select(request_of(TWINS, 4, values=[5, NAN, 3, NAN, 1]))
    assert str(caught.value) == (
        "the budget of 4 rows is larger than the 3 rows that have a score and a vector (2 of 5 have none); "
        "give --budget 3 or less"
    )
