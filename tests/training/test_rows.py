"""Tokens, labels and order of a training run."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.data.example import Example
from suffice.models import load_model
from suffice.training.rows import encode_rows, micro_batch, row_order


def example(question: str, *answers: str) -> Example:
    messages = []
    for answer in answers:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Example(question[:16], tuple(messages), None, "test", None, "file", 1)


@pytest.fixture(scope="module")
def model(tiny_model_folder):
    return load_model(tiny_model_folder, device="cpu")


def test_labels_are_the_answers_and_their_ends(model):
    rows = encode_rows(model, [example("What is two?", "Two is 2.", "Still 2.")], 256)
    [ids], [labels] = rows.ids, rows.labels
    assert model.tokenizer.decode(ids).count("<|user|>") == 2
    assert (
        model.tokenizer.decode([label for label in labels if label != -100])
        == "Two is 2.<|end|>Still 2.<|end|>"
    )
    assert all(label in (-100, i) for i, label in zip(ids, labels, strict=True))
    assert (rows.refused, rows.dropped, rows.cut) == (0, 0, 0)


def test_rows_past_the_window_are_cut_or_dropped_and_counted(model):
    long_answer, long_question = example("Hi", "word " * 100), example("word " * 100, "Hi")
    rows = encode_rows(model, [long_answer, long_question, example("Hi", "Ho")], 40)
    assert [len(ids) for ids in rows.ids] == [40, len(model.chat.encode(example("Hi", "Ho").messages).ids)]
    assert (rows.refused, rows.dropped, rows.cut) == (0, 1, 1)


@settings(max_examples=50, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    batch=st.integers(1, 12),
    steps=st.integers(1, 9),
    seed=st.integers(0, 3),
)
def test_every_pass_sees_every_row_once(lengths, batch, steps, seed):
    batch = min(batch, len(lengths))
    order = row_order(lengths, batch, steps, seed)
    seen = Counter(order)
    assert len(order) == batch * steps
    whole = len(order) // len(lengths)
    assert all(whole <= seen[row] <= whole + 1 for row in range(len(lengths)))
    for step in range(steps):
        taken = [lengths[row] for row in order[step * batch : (step + 1) * batch]]
        assert taken == sorted(taken, reverse=True)


def test_the_order_is_the_seeds_on_every_machine():
    assert row_order([1] * 6, 3, 3, seed=0) == row_order([1] * 6, 3, 3, seed=0)
    assert row_order([1] * 6, 3, 3, seed=0) != row_order([1] * 6, 3, 3, seed=1)
    assert row_order([1] * 6, 3, 3, seed=0) == [2, 4, 0, 3, 5, 1, 0, 1, 3]


@pytest.mark.parametrize(
    ("batch", "longest", "budget", "rows"),
    [(32, 50, 1024, 16), (32, 50, 10_000, 32), (32, 5000, 1024, 1), (30, 10, 120, 10)],
)
def test_micro_batches_fit_the_budget(batch, longest, budget, rows):
    assert micro_batch(batch, longest, budget) == rows
