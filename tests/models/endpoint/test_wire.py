from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.models.endpoint.wire import Answer, chat_request, first_token_request, read_answer

USAGE = {"prompt_tokens": 7, "completion_tokens": 2}
CHAT = {"choices": [{"message": {"role": "assistant", "content": "4\n"}, "logprobs": None}], "usage": USAGE}
PLAIN = {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": -0.1, " x": -3}]}}]}


def test_what_is_sent():
    request = chat_request("http://h/v1/", "m", [{"role": "user", "content": "é" * 5}], {"max_tokens": 9})
    assert request.url == "http://h/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "é" * 5}],
        "max_tokens": 9,
    }
    assert (request.tokens_in, request.tokens_out) == (3, 9)  # ten bytes
    first = first_token_request("http://h/v1", "m", "Score: ")
    assert first.url == "http://h/v1/completions"
    assert first.body == {
        "model": "m",
        "prompt": "Score: ",
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": 20,
    }
    assert (first.tokens_in, first.tokens_out) == (2, 1)


def test_the_key_is_of_all_that_decides_the_answer():
    turns = [{"role": "user", "content": "a"}]
    keys = {
        chat_request(base, model, [{"role": "user", "content": text}], {"max_tokens": limit}).key
        for base in ("http://a/v1", "http://b/v1")
        for model in ("m", "n")
        for text in ("a", "b")
        for limit in (1, 2)
    }
    assert len(keys) == 16
    assert chat_request("http://a/v1/", "m", turns, {"max_tokens": 1}).key in keys


def test_what_comes_back():
    assert read_answer(CHAT) == Answer("4\n", {}, 7, 2)
    assert read_answer(PLAIN) == Answer("4", {"4": -0.1, " x": -3.0}, None, None)
    assert read_answer({"choices": [{"text": "", "logprobs": None}]}) == Answer("")
    assert Answer(**json.loads(json.dumps(read_answer(PLAIN).as_json()))) == read_answer(PLAIN)
    impossible = {"choices": [{"text": "", "logprobs": {"top_logprobs": [{"4": -math.inf}]}}]}
    assert read_answer(impossible).first == {"4": -math.inf}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "4",
        {},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": "4"}]},
        {"choices": [{"text": 4}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": "-1"}]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": True}]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": math.nan}]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": 0.5}]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": [{"4": -(10**400)}]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": ["4"]}}]},
        {"choices": [{"text": "4", "logprobs": {"top_logprobs": []}}], "usage": 3},
        {"choices": [{"text": "4"}], "usage": {"prompt_tokens": -1}},
        {"choices": [{"text": "4"}], "usage": {"prompt_tokens": 1.5}},
        {"choices": [{"text": "4"}], "usage": {"completion_tokens": True}},
        {"error": {"message": "no"}},
    ],
)
def test_what_is_no_completion(value):
    with pytest.raises(ValueError, match=r"^the reply is no completion$"):
        read_answer(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "text", "logprobs", "top_logprobs", "usage", "4"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_is_an_answer_or_is_refused(value):
    with suppress(ValueError):
        answer = read_answer(value)
        assert isinstance(answer.text, str)
        assert all(number <= 0.01 for number in answer.first.values())
