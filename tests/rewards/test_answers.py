"""Extractors: what each finds, and what it does not."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.rewards.answers import EXTRACTORS, extract

GSM8K = Path(__file__).parents[2] / "../shared/data/targets/gsm8k_test.jsonl"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18", "18"),
        ("#### 5\nno, wait\n#### 7 dollars, not 8", "7"),
        ("16 eggs\n#### none", None),
        ("The total is 18.0", "18"),
        ("The total is 18.", "18"),
        ("It costs $1,018.50.", "1018.5"),
        ("It costs $2.", "2"),
        ("-3", "-3"),
        ("\u22123", "-3"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("Answer: -0", "0"),
        ("5-3", "3"),
        ("(7)-3", "3"),
        ("25%", "25"),
        ("007", "7"),
        (".50", "0.5"),
        ("0.5", "0.5"),
        ("1, 2, 3", "3"),
        ("1,2,3", "3"),
        ("12,345,678", "12345678"),
        ("10,0000", "0"),
        ("100000000000000000000000000000000001", "100000000000000000000000000000000001"),
        ("12kg", "12"),
        ("2 + 3 = 5\nAnswer: 5", "5"),
        ("no number", None),
        ("-", None),
        ("\u0661\u0662", None),
        ("", None),
    ],
)
def test_number(text, answer):
    assert extract("number", text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("B", "B"),
        ("A", "A"),
        ("(B)", "B"),
        ("B) Paris", "B"),
        ("**C**", "C"),
        ("Answer: B", "B"),
        ("The answer is (D). I am sure, vitamin C or not.", "D"),
        ("Answer: B. No, the correct answer is: C", "C"),
        ("ANSWER:\nJ", "J"),
        ("Option A, since A dog barks", "A"),
        ("Answer: A dog", None),
        ("I am not sure. A dog, I'd say.", None),
        ("Either A or B.", "B"),
        ("The answer is K", None),
        ("the answer is b", None),
        ("BAD A-level", None),
        ("", None),
    ],
)
def test_choice(text, answer):
    assert extract("choice", text) == answer


@pytest.mark.parametrize(
    ("text", "exact", "last_line"),
    [
        ("It is so.\n Answer:  in 1887 \n\n", "It is so. Answer: in 1887", "Answer: in 1887"),
        ("one\ttwo", "one two", "one two"),
        ("Paris", "Paris", "Paris"),
        (" \n\t ", None, None),
        ("", None, None),
    ],
)
def test_exact_and_last_line(text, exact, last_line):
    assert extract("exact", text) == exact
    assert extract("last_line", text) == last_line


@settings(max_examples=100, derandomize=True)
@given(st.sampled_from(EXTRACTORS), st.text())
def test_an_extracted_answer_is_its_own_answer(extractor, text):
    answer = extract(extractor, text)
    assert answer is None or extract(extractor, answer) == answer


@settings(max_examples=100, derandomize=True)
@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(
        ["{:d}", "{:,d}", "{:d}.0", "{:,d}.00", "${:,d}.", "so {:d}%", "1 and 2\n#### {:,d}", "{:d} "]
    ),
)
def test_a_number_is_found_in_any_dress(value, dress):
    assert extract("number", dress.format(value)) == str(value)


@settings(max_examples=60, derandomize=True)
@given(st.sampled_from(["number", "choice"]), st.integers(10_000, 20_000), st.sampled_from("-,.1A# "))
def test_long_replies_take_no_long_time(extractor, length, sign):
    extract(extractor, sign * length)


def test_an_unknown_extractor_is_refused_with_a_guess():
    with pytest.raises(UserError) as caught:
        extract("numbers", "1")
    assert str(caught.value) == "unknown extractor 'numbers'; did you mean 'number'?"


@pytest.mark.skipif(not GSM8K.is_file(), reason="the GSM8K target is not on this machine")
def test_every_reference_of_gsm8k_has_its_number():
    references = [json.loads(line)["answer"] for line in GSM8K.read_text(encoding="utf-8").splitlines()]
    assert len(references) == 1319
    for text in references:
        assert extract("number", text) == text.rsplit("#### ")[-1].replace(",", "")
