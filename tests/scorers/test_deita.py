"""Complexity and quality by a scorer model here; those by an endpoint are in test_endpoint.py."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.scorers import deita
from suffice.scorers.complexity import Complexity
from suffice.scorers.deita import DeitaSettings, read_rating
from suffice.scorers.digits import digit_ids, mean_digit
from suffice.scorers.evol import Evol, EvolSettings
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.quality import Quality

# As in the public code, blanks and all.
COMPLEXITY = (
    "You are a helpful assistant. Please identify the complexity score of the following user query. \n"
    "##Query: {instruction}  \n##Complexity: "
)
QUALITY = (
    "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n"
    " #Question#:\n{instruction}\n#Response#:\n{output} \n##Quality: "
)


def by_hand(model, prompt):
    """The definition: the network over one prompt, the logits of six tokens, a softmax and a mean."""
    tokenizer = model.tokenizer
    tokens = [tokenizer.convert_tokens_to_ids(digit) for digit in "123456"]
    assert None not in tokens
    with torch.no_grad():
        logits = model.network(torch.tensor([tokenizer.encode(prompt)])).logits[0, -1].double()
    shares = torch.softmax(logits[tokens], -1)
    return float(shares @ torch.arange(1, 7, dtype=torch.float64))


def test_the_mean_digit():
    logits = dict(zip("123456", (math.log(n) for n in (1, 1, 2, 4, 1, 1)), strict=True))
    assert mean_digit(logits) == pytest.approx((1 + 2 + 6 + 16 + 5 + 6) / 10)
    shifted = {digit: value - 7.5 for digit, value in logits.items()}  # logits or log-probabilities
    assert mean_digit(shifted | {"x": 0.0}) == pytest.approx(3.6)
    assert mean_digit(dict.fromkeys("12345", -math.inf) | {"6": -2.0}) == 6


def test_digits_that_are_not_there_are_no_three():
    with pytest.raises(ValueError, match=r"^the likeliest tokens lack 2, 6$"):
        mean_digit(dict.fromkeys("1345", -1.0))
    with pytest.raises(ValueError, match=r"^no digit is possible$"):
        mean_digit(dict.fromkeys("123456", -math.inf))


@pytest.mark.parametrize("turns", ["per_token", "sum"])
@pytest.mark.parametrize(("scorer", "prompt"), [(Complexity, COMPLEXITY), (Quality, QUALITY)])
def test_each_turn_by_hand(scorer, prompt, turns, tiny_model, tiny_model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(deita, "SHARD_ROWS", 2)
    talk = (*chat("Add {2} and 3.", "5"), *chat("And {instruction} 4?", "It is 9, all in all."))
    rows = [
        make_example(talk, 1),
        make_example(chat("Who?", "Ada Lane."), 2),
        make_example(chat("x", " "), 3),
    ]
    settings = DeitaSettings(model=str(tiny_model_folder), turns=turns)
    scores = scorer(settings).score(Pool.from_examples(rows), ScoringContext(tmp_path))
    values = []
    for asked, answered in (
        ("Add {2} and 3.", "5"),
        ("And {instruction} 4?", "It is 9, all in all."),
        ("Who?", "Ada Lane."),
    ):
        text = prompt.replace("{instruction}", "\0").replace("{output}", answered).replace("\0", asked)
        values.append(by_hand(tiny_model, text))
    long = [len(tiny_model.tokenizer.encode(text)) for text in ("5", "It is 9, all in all.")]
    mean = (values[0] * long[0] + values[1] * long[1]) / sum(long)
    first = values[0] + values[1] if turns == "sum" else mean
    np.testing.assert_allclose(scores.values, [first, values[2], np.nan], rtol=1e-5)
    assert {name: scores.notes[name] for name in ("exchanges", "rows_unanswered", "unit")} == {
        "exchanges": 3,
        "rows_unanswered": 1,
        "unit": "tokens",
    }


def test_a_prompt_longer_than_the_window_is_told_and_has_no_score(tiny_model_folder, tmp_path):
    long = make_example(chat("Count.", " ".join(str(i) for i in range(300))), 5)
    pool = Pool.from_examples([long, make_example(chat("Who?", "Ada."), 6)])
    scores = Quality(DeitaSettings(model=str(tiny_model_folder))).score(pool, ScoringContext(tmp_path))
    assert np.isnan(scores.values).tolist() == [True, False]
    assert scores.notes["exchanges_without_value"] == 1
    (line,) = (tmp_path / "quality-failures.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "id": long.id,
        "file": "made.jsonl",
        "line": 5,
        "exchange": 1,
        "reason": "the prompt is longer than the window of 256 tokens",
    }


def test_no_failures_no_file(tiny_model_folder, tmp_path):
    Complexity(DeitaSettings(model=str(tiny_model_folder))).score(make_pool(5), ScoringContext(tmp_path))
    assert not (tmp_path / "complexity-failures.jsonl").exists()


class Sentencepiece:
    """A tokenizer that puts a blank's token first, as Llama's does."""

    def __init__(self, tokens):
        self._tokens = tokens

    def __call__(self, text, add_special_tokens):
        assert not add_special_tokens
        return {"input_ids": self._tokens[text]}

    def decode(self, ids):
        return {29871: " ", **{i: str(i - 100) for i in range(101, 107)}, 7: "12"}[ids[0]]


class Named:
    name = "m"

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer


def test_tokens_of_digits():
    tokens = {str(digit): [29871, 100 + digit] for digit in range(1, 7)}
    assert digit_ids(Named(Sentencepiece(tokens))) == [101, 102, 103, 104, 105, 106]
    with pytest.raises(UserError) as caught:
        digit_ids(Named(Sentencepiece(tokens | {"2": [7]})))
    assert str(caught.value) == (
        "the tokenizer of 'm' has no token for the digit 2 by itself; give a scorer whose tokenizer has one"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            DeitaSettings(),
            (
                "the scorer 'complexity' needs a trained scorer; give --set model=FOLDER, or --set endpoint=URL --set "
                "model=NAME"
            ),
        ),
        (
            DeitaSettings(model="m", reply="text"),
            "the scorer 'complexity' has only an endpoint rate in words; give --set endpoint=URL",
        ),
    ],
)
def test_what_it_needs(settings, message, tmp_path):
    with pytest.raises(UserError) as caught:
        Complexity(settings).score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1] Score: 4", 4),
        ("[1] Score: 4\n[2] Score: 1", 4),
        (" \n[1]: score 6 ", 6),
        ("Score: 2", 2),
        ("Score 2.", 2),
        ("5", 5),
        ("3/5", 3),
    ],
)
def test_ratings_in_words(text, value):
    assert read_rating(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "7",
        "Score: 10",
        "[2] Score: 4",
        "4.5",
        "four",
        "I give it 4",
        "4 or 5",
        "-3",
        "[1] Score: _",
        "45",
    ],
)
def test_words_that_are_no_rating(text):
    with pytest.raises(ValueError, match=r"^the reply's first line is no score from 1 to 6$"):
        read_rating(text)


@given(st.text())
def test_any_text_is_a_rating_or_is_refused(text):
    with suppress(ValueError):
        assert read_rating(text) in range(1, 7)


@pytest.mark.parametrize("turns", ["per_token", "sum"])
def test_the_product_is_made_turn_by_turn(turns, tiny_model, tiny_model_folder, tmp_path):
    talk = (*chat("Add 2 and 3.", "5"), *chat("And 4?", "It is 9, all in all."))
    long = make_example(chat("Count.", " ".join(str(i) for i in range(300))), 2)
    pool = Pool.from_examples([make_example(talk, 1), long])
    scores = Evol(EvolSettings(model=str(tiny_model_folder), turns=turns)).score(
        pool, ScoringContext(tmp_path)
    )
    values = [
        by_hand(tiny_model, COMPLEXITY.format(instruction=asked))
        * by_hand(tiny_model, QUALITY.format(instruction=asked, output=answered))
        for asked, answered in (("Add 2 and 3.", "5"), ("And 4?", "It is 9, all in all."))
    ]
    sizes = [len(tiny_model.tokenizer.encode(text)) for text in ("5", "It is 9, all in all.")]
    wanted = sum(values) if turns == "sum" else np.average(values, weights=sizes)
    np.testing.assert_allclose(scores.values, [wanted, np.nan], rtol=1e-5)
    (line,) = (tmp_path / "evol-failures.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "quality: the prompt is longer than the window of 256 tokens"
