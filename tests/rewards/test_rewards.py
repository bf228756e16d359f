"""What each reward pays, what it refuses, and what is missing."""

import json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.rewards.answers import EXTRACTORS, extract
from suffice.rewards.blocks import last_block
from suffice.rewards.controls import Nothing, Random, RandomSettings
from suffice.rewards.function import Function, FunctionSettings
from suffice.rewards.json_schema import JsonSchema, JsonSchemaSettings
from suffice.rewards.judge import Judge
from suffice.rewards.match import Choice, Exact, LastLine, Number
from suffice.rewards.mathematics import Math
from suffice.rewards.pattern import Format, FormatSettings, Regex
from suffice.rewards.protocol import NotTold, Rollout

ASKED = ({"role": "user", "content": "How many?"},)


def rollout(reply, answer="", **more):
    return Rollout(ASKED, reply, answer, **more)


def judged(reward, *pairs, **terms):
    with Judge(reward, **terms) as judge:
        return judge([rollout(reply, answer) for reply, answer in pairs])


@pytest.mark.parametrize(
    ("reward", "reply", "answer", "worth"),
    [
        (Number(), "so 1,018.50 in all", "#### 1018.5", 1),
        (Number(), "so 7", "#### 8", 0),
        (Number(), "no idea", "#### 8", 0),
        (Exact(), " the  cat\n", "the cat", 1),
        (Exact(), "The cat", "the cat", 0),
        (Choice(), "The answer is (B).", "B", 1),
        (Choice(), "B or C", "B", 0),
        (LastLine(), "3 + 4 = 7\nAnswer: 7", "7 it is\nAnswer: 7", 1),
        (Regex(), "call 555-0199 now", r"\d{3}-\d{4}", 1),
        (Regex(), "call me", r"\d{3}-\d{4}", 0),
        (Format(), r"so \boxed{1}", "2", 1),
        (Format(), r"so \boxed{}", "2", 0),
        (Format(FormatSettings(r"Answer: \d+", "last_line")), "x\nAnswer: 12", "", 1),
        (Format(FormatSettings(r"Answer: \d+", "last_line")), "Answer: 12\nx", "", 0),
        (Format(FormatSettings(r"a+", "whole")), "aab", "", 0),
        (Nothing(), "anything", "anything", 0),
    ],
)
def test_what_a_reply_is_worth(reward, reply, answer, worth):
    reward.check(answer)
    assert reward(rollout(reply, answer)) == worth


@pytest.mark.parametrize("extractor", EXTRACTORS)
@given(reply=st.text(), answer=st.text())
@settings(derandomize=True, max_examples=50, deadline=None)
def test_matching_agrees_with_the_extractor_and_never_pays_for_nothing(extractor, reply, answer):
    reward = registry.load("rewards", extractor)()
    wanted = extract(extractor, answer)
    assert reward(rollout(reply, answer)) == (wanted is not None and extract(extractor, reply) == wanted)


@pytest.mark.parametrize(
    ("reply", "answer", "worth"),
    [
        (r"Thus \boxed{\frac{4}{3}}.", r"\frac{4}{3}", 1),
        (r"Thus \boxed{1.3333}.", r"\frac{4}{3}", 0),
        (r"Thus \boxed{12.8}.", "12.8", 1),
        (r"Thus \boxed{12.7}.", "12.8", 0),
        (r"\boxed{\frac{64}{5}}", "12.8", 1),
        (r"first \boxed{3}, then \boxed{(3, \frac{\pi}{2})}", r"\left( 3, \frac{\pi}{2} \right)", 1),
        (r"\boxed{24}, no: \boxed{25}", "24", 0),
        ("The answer is $24$.", "24", 1),
        ("I do not know", "24", 0),
    ],
)
def test_equal_values_in_other_words_are_equal(reply, answer, worth):
    Math().check(answer)
    assert Math()(rollout(reply, answer)) == worth


def test_mathematics_that_takes_for_ever_is_missing_and_the_next_reply_is_judged():
    with Judge(Math(), seconds=3.0) as judge:
        slow = r"\boxed{7^{7^{7^{7^{7}}}}}"
        told = judge([rollout(slow, "2"), rollout(r"\boxed{2}", "2")])
    assert told == [None, 1.0]
    assert judge.missing == {"time": 1}


def test_an_expression_that_takes_for_ever_is_missing():
    with Judge(Regex(), seconds=2.0) as judge:
        told = judge([rollout("a" * 40 + "!", "(a+)+$"), rollout("aa", "a+")])
    assert (told, judge.missing, judge.judged) == ([None, 1.0], {"time": 1}, 2)


class Raising:
    paper, place = "", "here"

    def __call__(self, rollout):
        match rollout.reply:
            case "raise":
                raise ZeroDivisionError
            case "cannot":
                raise NotTold("none")
            case "nan":
                return float("nan")
            case _:
                return 0.5


def test_what_raises_is_missing_and_counted_and_never_zero():
    with Judge(Raising()) as judge:
        told = judge([rollout(reply) for reply in ("raise", "cannot", "nan", "good", "raise")])
    assert told == [None, None, None, 0.5, None]
    assert judge.missing == {"ZeroDivisionError": 2, "none": 1, "no number": 1}
    assert judge.judged == 5


def test_a_reply_that_does_not_stop_is_worth_nothing_where_that_is_asked():
    with Judge(Raising(), require_stop=True) as judge:
        assert judge([rollout("raise", stopped=False), rollout("good", stopped=True)]) == [0.0, 0.5]
    assert not judge.missing


def test_the_coin_is_the_same_for_the_same_number_and_fair():
    coin = Random(RandomSettings(share=0.25, seed=3))
    told = [coin(rollout("x", number=i)) for i in range(2000)]
    assert told == [coin(rollout("y", number=i)) for i in range(2000)]
    assert 0.22 < sum(told) / len(told) < 0.28
    assert told != [Random(RandomSettings(share=0.25, seed=4))(rollout("x", number=i)) for i in range(2000)]


SCHEMA = json.dumps({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}})


@pytest.mark.parametrize(
    ("reply", "worth"),
    [
        ('{"n": 3}', 1),
        ('Here:\n```json\n{"n": 3}\n```\nDone.', 1),
        ('```\n{"n": 3}\n```\n```json\n{"n": "3"}\n```', 0),
        ('{"m": 3}', 0),
        ("n: 3", 0),
        ("", 0),
    ],
)
def test_json_of_the_schema(reply, worth):
    JsonSchema().check(SCHEMA)
    assert JsonSchema()(rollout(reply, SCHEMA)) == worth


def test_a_schema_in_a_file_serves_all_items(tmp_path):
    (tmp_path / "schema.json").write_text(SCHEMA)
    reward = JsonSchema(JsonSchemaSettings(str(tmp_path / "schema.json")))
    reward.check("whatever")
    assert [reward(rollout('{"n": 1}', "x")), reward(rollout("[]", "x"))] == [1, 0]


def test_a_schema_that_points_elsewhere_fetches_nothing_and_is_missing():
    schema = json.dumps({"$ref": "http://127.0.0.1:9/schema.json"})
    with Judge(JsonSchema(), seconds=20) as judge:
        assert judge([rollout("{}", schema)]) == [None]
    assert list(judge.missing) == ["_WrappedReferencingError"]


def test_json_nested_too_deep_is_missing():
    with Judge(JsonSchema(), seconds=20) as judge:
        assert judge([rollout("[" * 200_000, SCHEMA)]) == [None]
    assert list(judge.missing) == ["RecursionError"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Number().check("none"), "the reward 'number' finds no answer in the reference 'none'; mend the row or name another reward"),
        (lambda: Math().check(""), "the reward 'math' reads no answer in the reference ''; mend the row or name another reward"),
        (lambda: Regex().check("("), "'(' is no regular expression: missing ), unterminated subpattern at position 0; mend the pattern"),
        (lambda: Format(FormatSettings("[")), "'[' is no regular expression: unterminated character set at position 0; mend the pattern"),
        (lambda: JsonSchema().check("[1]"), "the reference '[1]' is no JSON schema: a schema is an object; mend the schema"),
        (lambda: JsonSchema().check('{"type": 3}'), "the reference '{\"type\": 3}' is no JSON schema: 3 is not valid under any of the given schemas; mend the schema"),
        (lambda: Function(), "the reward 'function' has the name ''; name a function as module:function (--set name=…)"),
        (lambda: Function(FunctionSettings("os:no_such")), "the reward 'os:no_such' cannot be imported: AttributeError: module 'os' has no attribute 'no_such'; check the name and that the module can be imported from the current folder"),
        (lambda: Function(FunctionSettings("os:sep")), "the reward 'os:sep' is no function; name a function"),
    ],
)  # fmt: skip
def test_mistakes_of_the_user(make, text):
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        make()


def test_a_missing_schema_file():
    with pytest.raises(UserError, match=r"the schema nowhere\.json cannot be read"):
        JsonSchema(JsonSchemaSettings("nowhere.json")).check("")


def test_a_function_of_the_user_runs_apart_under_the_time_limit(tmp_path, monkeypatch):
    (tmp_path / "my_rewards.py").write_text(
        "import os, time\n"
        "def length(reply, answer, prompt):\n"
        "    if reply == 'sleep': time.sleep(60)\n"
        "    if reply == 'die': os._exit(1)\n"
        "    if reply == 'raise': raise KeyError(1)\n"
        "    if reply == 'pass': return None\n"
        "    return len(reply) + len(answer) + len(prompt[0]['content'])\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    replies = ["abc", "sleep", "die", "raise", "pass", "abcd"]
    with Judge(Function(FunctionSettings("my_rewards:length")), seconds=2.0) as judge:
        told = judge([rollout(reply, "x") for reply in replies])
    assert told == [13.0, None, None, None, None, 14.0]
    assert judge.missing == {"time": 1, "died": 1, "KeyError": 1, "none": 1}


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("x = 1", "x = 1"),
        ("a\n```python\nx = 1\n```\nb\n```\ny = 2\n```", "y = 2\n"),
        ("```python\nx = '```'\n```", "x = '```'\n"),
        ("```python\nunfinished", "```python\nunfinished"),
    ],
)
def test_the_last_block(text, block):
    assert last_block(text) == block


def test_every_reward_is_registered_and_says_where_it_comes_from():
    names = registry.names("rewards")
    assert {"math", "number", "exact", "choice", "last_line", "regex", "format", "json_schema"} <= set(names)
    assert {"unit_tests", "function", "random", "none"} <= set(names)
    for name in names:
        assert registry.load("rewards", name).place in ("here", "apart", "threads")
