from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.models.batching import pad, token_batches


@settings(max_examples=60, derandomize=True)
@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200))
def test_each_row_is_in_one_batch_and_no_batch_of_several_exceeds_the_budget(lengths, budget):
    batches = token_batches(lengths, budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_longest_first_and_equal_lengths_in_order():
    assert token_batches([3, 5, 3, 5, 1], 10) == [[1, 3], [0, 2, 4]]


def test_a_row_over_the_budget_has_a_batch_of_its_own():
    assert token_batches([9, 2, 2], 4) == [[0], [1, 2]]


def test_pad_on_either_side():
    ids, mask = pad([[5, 6, 7], [8]])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    ids, mask = pad([[5, 6, 7], [8]], left=True)
    assert ids.tolist() == [[5, 6, 7], [0, 0, 8]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]
