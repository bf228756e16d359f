"""Completing questions from their beginnings: the split, what is compared, what is left out."""

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.evaluation import completion
from suffice.evaluation.completion import complete, split
from suffice.evaluation.rouge_l import rouge_l
from suffice.models.generation import Reply

KNOWN = [
    "Who was born in 1871 and lived in Harwick by the river?",
    "Add two and three,\nthen  take four away: what is left?",
    "Write a short story about a dog who learns to count to ten.",
]


def item(number, question):
    return TargetItem(
        f"i{number}", ({"role": "user", "content": question},), "a", "all", "test", f"c{number}"
    )


@pytest.mark.parametrize(
    ("text", "fraction", "parts"),
    [
        ("a b c d e", 0.6, ("a b c", "d e")),
        ("  a\tb  c\nd e f g h i j ", 0.7, ("  a\tb  c\nd e f g", "h i j")),
        ("a b c d e f g", 0.6, ("a b c d", "e f g")),
        ("a b c d e", 0.01, ("a", "b c d e")),
        ("a b c d e", 0.99, ("a b c d", "e")),
        ("a b c d", 0.6, None),
        ("", 0.6, None),
    ],
)
def test_the_split(text, fraction, parts):
    assert split(text, fraction) == parts


@given(st.text(st.sampled_from("ab \n\té"), max_size=24), st.floats(0.01, 0.99))
def test_no_word_is_lost_or_twice(text, fraction):
    parts = split(text, fraction)
    if parts is None:
        assert len(text.split()) < 5
    else:
        prefix, rest = parts
        assert text.startswith(prefix)
        assert prefix.split() + rest.split() == text.split()
        assert prefix.split()
        assert rest.split()


def test_rouge_l_by_hand():
    written, wanted = ["the", "cat", "sat", "on", "the", "mat"], ["the", "cat", "on", "a", "mat"]
    assert rouge_l(written, wanted) == pytest.approx(800 / 11)  # the cat on mat
    assert rouge_l(["a"], ["a"]) == 100
    assert rouge_l(["a"], ["A"]) == rouge_l([], ["a"]) == rouge_l([], []) == 0


words = st.lists(st.sampled_from("abc"), max_size=7)


@given(words, words)
def test_rouge_l_against_the_definition(one, other):
    @cache
    def longest(i, j):
        if not i or not j:
            return 0
        same = longest(i - 1, j - 1) + 1 if one[i - 1] == other[j - 1] else 0
        return max(same, longest(i - 1, j), longest(i, j - 1))

    total = len(one) + len(other)
    assert rouge_l(one, other) == pytest.approx(200 * longest(len(one), len(other)) / total if total else 0)


@pytest.fixture
def reciting(monkeypatch):
    """Stands for a model that knows the first two questions, and goes on after them."""

    def generate(model, prompts, *, max_new_tokens):
        assert all(len(prompt) + max_new_tokens <= model.window for prompt in prompts)
        texts = []
        for prompt in prompts:
            text = model.tokenizer.decode(prompt)
            known = next((one for one in KNOWN[:2] if one.startswith(text)), text + " and so on")
            ids = model.tokenizer(known[len(text) :] + "\n\nAnswer: 5")["input_ids"]
            texts.append(model.tokenizer.decode(ids[:max_new_tokens]))
        return [Reply(text, 0, False, 0) for text in texts]

    monkeypatch.setattr(completion, "generate", generate)


def test_what_is_recited_is_told_from_what_is_not(tiny_model, reciting):
    done = []
    asked = [*KNOWN, "Too short, this.", "word " * 300]
    found = complete(tiny_model, [item(i, text) for i, text in enumerate(asked)], on_done=done.append)
    assert [(row.item, row.exact) for row in found.rows] == [("i0", True), ("i1", True), ("i2", False)]
    assert [row.rouge_l for row in found.rows] == [100, 100, pytest.approx(0)]
    assert found.rows[1].rest == found.rows[1].written == "four away: what is left?"
    assert found.rows[2].written == "and so on Answer: 5"
    assert (found.short, found.long, sum(done)) == (1, 1, 5)


def test_long_and_short_beginnings_do_not_share_a_batch_that_has_no_room(tiny_model, reciting):
    questions = ["w " * 110 + "end"] + ["a b c d " + "x" * 110 + f" {i}" for i in range(3)]
    found = complete(tiny_model, [item(i, text) for i, text in enumerate(questions)])
    assert len(found.rows) == 4  # the stand-in above checks that each keeps its room


def test_a_real_model_completes_raw_text(tiny_model):
    one, two = (complete(tiny_model, [item(0, KNOWN[0])]).rows[0] for _ in range(2))
    assert one == two
    assert not one.exact


NONE_LEFT = (
    "of 1 questions 1 have fewer than 5 words and 0 do not fit into the window of '{}', so that none can be completed; "
    "give questions of more words, with blanks between them, or a model of a larger window"
)


@pytest.mark.parametrize(
    ("questions", "fraction", "text"),
    [
        (KNOWN, 1.0, "the fraction is 1; give one between 0 and 1, such as 0.6: the share that is shown"),
        (["What?"], 0.6, NONE_LEFT),
    ],
)  # fmt: skip
def test_mistakes_of_the_user(tiny_model, questions, fraction, text):
    with pytest.raises(UserError, match=f"^{re.escape(text.format(tiny_model.name))}$"):
        complete(tiny_model, [item(0, text) for text in questions], fraction)
