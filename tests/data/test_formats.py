"""Each format on a row of its own, and the rules that a row can break."""

import json

import pytest

from suffice.common import registry
from suffice.data.conversation import check_answers, check_turns
from suffice.data.formats import load_formats
from suffice.data.rules import RULES, RowError

FORMATS = load_formats()


def checked(format_, row):
    conversation = format_.convert(row)
    check_turns(conversation.messages)
    check_answers(conversation.messages)
    return conversation


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def call(name, arguments, **more):
    return {**more, "type": "function", "function": {"name": name, "arguments": arguments}}


SEARCH = {"name": "search", "description": "Searches.", "parameters": {"type": "object", "properties": {}}}
WRAPPED = {"type": "function", "function": SEARCH}

ROWS = [
    ("messages", {"messages": [user("q"), assistant("a")]}, [user("q"), assistant("a")], None),
    (
        "messages",
        {
            "messages": [
                {"role": "developer", "content": "be kind"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "search", "arguments": '{"x": 1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "name": "search", "content": "found"},
                {"role": "assistant", "content": "a", "weight": 1},
            ],
            "tools": [WRAPPED],
        },
        [
            system("be kind"),
            user("one two"),
            assistant("", tool_calls=[call("search", {"x": 1}, id="c1")]),
            {"role": "tool", "content": "found", "tool_call_id": "c1", "name": "search"},
            assistant("a"),
        ],
        [WRAPPED],
    ),
    (
        "messages",
        {"messages": [user("q"), {"role": "assistant", "function_call": {"name": "f", "arguments": ""}}]},
        [user("q"), assistant("", tool_calls=[call("f", {})])],
        None,
    ),
    (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "q"},
                {"from": "function_call", "value": '{"name": "search", "arguments": {"x": 1}}'},
                {"from": "observation", "value": "found"},
                {"from": "gpt", "value": "a"},
            ],
            "system": "be kind",
            "tools": json.dumps([SEARCH]),
        },
        [
            system("be kind"),
            user("q"),
            assistant("", tool_calls=[call("search", {"x": 1})]),
            {"role": "tool", "content": "found"},
            assistant("a"),
        ],
        [WRAPPED],
    ),
    (
        "sharegpt",
        {"conversations": [user("q"), {"from": "bard", "value": "a"}], "tools": "", "system": ""},
        [user("q"), assistant("a")],
        None,
    ),
    (
        "alpaca",
        {"instruction": "i", "input": "in", "output": "o", "system": "s", "history": [["q", "a"]]},
        [system("s"), user("q"), assistant("a"), user("i\n\nin"), assistant("o")],
        None,
    ),
    ("alpaca", {"instruction": "i", "input": "", "output": "o"}, [user("i"), assistant("o")], None),
    ("alpaca", {"instruction": "i", "input": None, "output": "o"}, [user("i"), assistant("o")], None),
    ("prompt_completion", {"prompt": "p", "completion": "c"}, [user("p"), assistant("c")], None),
    (
        "prompt_completion",
        {"prompt": [system("s"), user("p")], "completion": [assistant("c")]},
        [system("s"), user("p"), assistant("c")],
        None,
    ),
    ("question_answer", {"question": "q", "answer": "#### 1"}, [user("q"), assistant("#### 1")], None),
    ("instruction_response", {"instruction": "i", "response": "r"}, [user("i"), assistant("r")], None),
    ("instruction_response", {"prompt": "p", "response": "r"}, [user("p"), assistant("r")], None),
    (
        "instruction_response",
        {"instruction": "i", "context": "c", "response": "r"},
        [user("i\n\nc"), assistant("r")],
        None,
    ),
]


@pytest.mark.parametrize(("name", "row", "messages", "tools"), ROWS)
def test_a_row_becomes_the_conversation_it_is(name, row, messages, tools):
    assert next(known for known, format_ in FORMATS.items() if format_.detect(row)) == name
    assert checked(FORMATS[name], row) == (messages, tools)


@pytest.mark.parametrize(("name", "row", "messages", "tools"), ROWS)
def test_a_converted_row_read_again_stays_as_it_is(name, row, messages, tools):
    again = FORMATS["messages"].convert({"messages": messages, "tools": tools})
    assert (again.messages, again.tools) == (messages, tools)


def test_formats_are_tried_in_the_documented_order():
    assert list(FORMATS) == [
        "messages",
        "sharegpt",
        "tau_bench",
        "transcript",
        "preference",
        "prompt_completion",
        "alpaca",
        "question_answer",
        "instruction_response",
        "turns",
    ]


def test_formats_of_other_packages_are_tried_last(monkeypatch):
    class Other:
        pass

    names, load = registry.names, registry.load
    monkeypatch.setattr(registry, "names", lambda kind: ["a_first", *names(kind)])
    monkeypatch.setattr(registry, "load", lambda kind, name: Other if name == "a_first" else load(kind, name))
    found = load_formats.__wrapped__()
    assert list(found) == [*FORMATS, "a_first"]
    assert isinstance(found["a_first"], Other)


TOOL_CALL = assistant("", tool_calls=[{"id": "c1", "function": {"name": "f", "arguments": {}}}])

BAD = [
    # row, rule, message
    ({"messages": []}, "E102 no-assistant-turn", "no turn is the assistant's"),
    ({"messages": "hello"}, "E107 bad-content", "`messages` is no list of turns"),
    ({"messages": ["hello"]}, "E107 bad-content", "`messages[0]` is no turn"),
    ({"messages": [{"content": "q"}]}, "E112 unknown-role", "`messages[0]` has the role 'None'"),
    (
        {"messages": [{"role": ["user"], "content": "q"}]},
        "E112 unknown-role",
        "`messages[0]` has the role \"['user']\"",
    ),
    (
        {"messages": [{"role": "narrator", "content": "q"}]},
        "E112 unknown-role",
        "`messages[0]` has the role 'narrator'",
    ),
    ({"messages": [user(7), assistant("a")]}, "E107 bad-content", "`messages[0].content` is no text"),
    (
        {"messages": [user({"text": "q"}), assistant("a")]},
        "E107 bad-content",
        "`messages[0].content` is no text",
    ),
    (
        {"messages": [user([{"type": "image_url", "image_url": {}}]), assistant("a")]},
        "E107 bad-content",
        "`messages[0].content` has a part that is no text ('image_url')",
    ),
    (
        {"messages": [user(["q"]), assistant("a")]},
        "E107 bad-content",
        "`messages[0].content` has a part that is no text ('q')",
    ),
    ({"messages": [user("q")]}, "E102 no-assistant-turn", "no turn is the assistant's"),
    (
        {"messages": [user("q"), assistant(" \n")]},
        "E101 empty-answer",
        "turn 2, of the assistant, has no text",
    ),
    (
        {"messages": [user("q"), assistant(None)]},
        "E101 empty-answer",
        "turn 2, of the assistant, has no text",
    ),
    (
        {"messages": [user("q"), assistant(""), user("r"), assistant("a")]},
        "E101 empty-answer",
        "turn 2, of the assistant, has no text",
    ),
    ({"messages": [user(" "), assistant("a")]}, "E111 empty-prompt", "turn 1, of the user, has no text"),
    (
        {"messages": [assistant("a")]},
        "E103 roles-do-not-alternate",
        "the conversation begins with an assistant turn (turn 1)",
    ),
    (
        {"messages": [user("q"), user("q"), assistant("a")]},
        "E103 roles-do-not-alternate",
        "after a user turn comes a user turn (turn 2)",
    ),
    (
        {"messages": [user("q"), assistant("a"), assistant("b")]},
        "E103 roles-do-not-alternate",
        "after an assistant turn comes an assistant turn (turn 3)",
    ),
    (
        {"messages": [user("q"), assistant("a"), system("s")]},
        "E103 roles-do-not-alternate",
        "after an assistant turn comes a system turn (turn 3)",
    ),
    (
        {"messages": [user("q"), TOOL_CALL, user("r")]},
        "E103 roles-do-not-alternate",
        "after a tool call comes a user turn (turn 3)",
    ),
    (
        {"messages": [user("q"), {"role": "tool", "content": "x"}, assistant("a")]},
        "E104 tool-result-without-call",
        "turn 2 is the result of a call that was not made",
    ),
    (
        {
            "messages": [
                user("q"),
                TOOL_CALL,
                {"role": "tool", "tool_call_id": "c2", "content": "x"},
                assistant("a"),
            ]
        },
        "E104 tool-result-without-call",
        "turn 3 is the result of a call that was not made",
    ),
    (
        {"messages": [user("q"), assistant("", tool_calls=[{"function": {"arguments": "{}"}}])]},
        "E113 bad-tools",
        "a function in `messages[1]` has no name",
    ),
    (
        {"messages": [user("q"), assistant("", tool_calls=[{"function": {"name": "f", "arguments": "{"}}])]},
        "E105 arguments-are-not-json",
        "`arguments` in `messages[1]` is no JSON",
    ),
    (
        {
            "messages": [
                user("q"),
                assistant("", tool_calls=[{"function": {"name": "f", "arguments": "[1]"}}]),
            ]
        },
        "E113 bad-tools",
        "`arguments` in `messages[1]` is no object",
    ),
    ({"messages": [user("q"), assistant("a")], "tools": "[{"}, "E113 bad-tools", "`tools` is no JSON"),
    (
        {"messages": [user("q"), assistant("a")], "tools": {"name": "f"}},
        "E113 bad-tools",
        "`tools` is no list",
    ),
    (
        {"messages": [user("q"), assistant("a")], "tools": [7]},
        "E113 bad-tools",
        "a function in `tools[0]` has no name",
    ),
    ({"conversations": "hi"}, "E107 bad-content", "`conversations` is no list of turns"),
    (
        {"conversations": [{"from": None, "value": "q"}]},
        "E112 unknown-role",
        "`conversations[0]` has the role 'None'",
    ),
    (
        {"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": "f(x)"}]},
        "E113 bad-tools",
        "the call in `conversations[1]` is no JSON",
    ),
    ({"instruction": "i", "output": ""}, "E101 empty-answer", "turn 2, of the assistant, has no text"),
    ({"instruction": "", "output": "o"}, "E111 empty-prompt", "turn 1, of the user, has no text"),
    ({"instruction": "i", "output": 4}, "E107 bad-content", "`output` is no text"),
    ({"instruction": "i", "input": float("nan"), "output": "o"}, "E107 bad-content", "`input` is no text"),
    (
        {"instruction": "i", "output": "o", "history": "q"},
        "E107 bad-content",
        "`history` is no list of pairs",
    ),
    (
        {"instruction": "i", "output": "o", "history": [["q"]]},
        "E107 bad-content",
        "`history[0]` is no pair of texts",
    ),
    ({"prompt": {}, "completion": "c"}, "E107 bad-content", "`prompt` is no text"),
    ({"question": "q", "answer": None}, "E101 empty-answer", "turn 2, of the assistant, has no text"),
]


@pytest.mark.parametrize(("row", "rule", "message"), BAD)
def test_a_bad_row_names_its_rule(row, rule, message):
    format_ = next(format_ for format_ in FORMATS.values() if format_.detect(row))
    with pytest.raises(RowError) as caught:
        checked(format_, row)
    assert (str(caught.value.rule), caught.value.message) == (rule, message)
    assert caught.value.remedy


def test_a_conversation_may_end_with_a_question_or_a_call():
    for last in ([user("r")], [user("r"), TOOL_CALL]):
        checked(FORMATS["messages"], {"messages": [user("q"), assistant("a"), *last]})


def test_rules_have_codes_and_names_of_their_own():
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.meaning.endswith(".") and rule.remedy for rule in RULES)


def test_parallel_calls_and_their_results():
    calls = [{"id": f"c{i}", "function": {"name": "f", "arguments": {}}} for i in (1, 2)]
    results = [{"role": "tool", "tool_call_id": f"c{i}", "content": "x"} for i in (1, 2)]
    row = {"messages": [user("q"), assistant("", tool_calls=calls), *results]}
    messages, _ = checked(FORMATS["messages"], row)
    assert [made["id"] for made in messages[1]["tool_calls"]] == ["c1", "c2"]


EXAMPLES = [(name, row) for name, format_ in FORMATS.items() for row in format_.examples]


@pytest.mark.parametrize(("name", "row"), EXAMPLES)
def test_the_examples_of_a_format_are_of_it(name, row):
    assert next(known for known, format_ in FORMATS.items() if format_.detect(row)) == name
    messages, _ = checked(FORMATS[name], row)
    assert messages[-1]["role"] in ("assistant", "user")
    if isinstance(row, dict):
        assert set(row) & set(FORMATS[name].fields)
    assert FORMATS[name].reason


def first(row):
    return next(format_ for format_ in FORMATS.values() if format_.detect(row)).convert(row)


def test_thoughts_are_kept_apart_from_the_answer():
    parts = [{"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": "a"}]
    for turn in (
        {"content": "a", "reasoning_content": "hm"},
        {"content": "a", "thinking": "hm"},
        {"content": parts},
    ):
        messages, _ = first({"messages": [user("q"), {"role": "assistant", **turn}]})
        assert messages[1] == assistant("a", reasoning_content="hm")


def test_roles_have_many_names():
    names = [("Human", "GPT"), ("prompter", "claude"), (" user ", "Model"), ("human", "ai")]
    for asks, answers in names:
        messages, _ = first(
            {"conversations": [{"from": asks, "value": "q"}, {"from": answers, "value": "a"}]}
        )
        assert messages == [user("q"), assistant("a")]


def test_a_call_joins_the_words_before_it():
    turns = [
        {"from": "human", "value": "q"},
        {"from": "gpt", "value": "I look."},
        {"from": "function_call", "value": '{"name": "f", "arguments": {}}'},
        {"from": "function_call", "value": '{"name": "g", "arguments": {}}'},
        {"from": "observation", "value": "1"},
        {"from": "gpt", "value": "a"},
    ]
    messages, _ = checked(FORMATS["sharegpt"], {"conversations": turns})
    assert messages[1] == assistant("I look.", tool_calls=[call("f", {}), call("g", {})])
    assert [turn["role"] for turn in messages] == ["user", "assistant", "tool", "assistant"]


def test_turns_may_be_json_text():
    row = {"messages": json.dumps([user("q"), assistant("a")]), "tools": json.dumps([SEARCH])}
    assert first(row) == ([user("q"), assistant("a")], [WRAPPED])
    with pytest.raises(RowError, match="`messages` is text that is no JSON"):
        first({"messages": "[{"})


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"prompt": "p", "chosen": "c", "rejected": "r"}, [user("p"), assistant("c")]),
        (
            {"prompt": "p", "chosen": [assistant("c")], "rejected": [assistant("r")]},
            [user("p"), assistant("c")],
        ),
        (
            {"prompt": [system("s"), user("p")], "chosen": [assistant("c")], "rejected": []},
            [system("s"), user("p"), assistant("c")],
        ),
        (
            {"prompt": "p", "chosen": [user("p"), assistant("c")], "rejected": []},
            [user("p"), assistant("c")],
        ),
        (
            {"chosen": "\n\nHuman: p\n\nAssistant: c\n\nHuman: q\n\nAssistant: d", "rejected": ""},
            [user("p"), assistant("c"), user("q"), assistant("d")],
        ),
        ({"dialogue": [user("q"), assistant("a")]}, [user("q"), assistant("a")]),
        (
            {"messages_display": "system: s\nuser: q\nmore\nassistant: a"},
            [system("s"), user("q\nmore"), assistant("a")],
        ),
    ],
)
def test_the_other_forms(row, messages):
    assert first(row).messages == messages


def test_questions_by_turns_are_no_conversation():
    assert not any(format_.detect({"turns": ["one?", "two?"]}) for format_ in FORMATS.values())
    assert not any(
        format_.detect(row) for format_ in FORMATS.values() for row in ([], [1, 2], ["q"], "q", None, 7)
    )


@pytest.mark.parametrize(
    ("row", "rule", "message"),
    [
        (
            {"chosen": "c", "rejected": "r"},
            "E107",
            "the row has no `prompt`, and `chosen` is no list of turns",
        ),
        (
            {"messages_display": "user: q\nassistant: None\ntool: x"},
            "E104",
            "turn 2 was a tool call, and the transcript leaves out what was called",
        ),
        ({"messages_display": "hello\nuser: q"}, "E107", "`messages_display` begins with nobody's words"),
        ({"messages_display": 7}, "E107", "`messages_display` is no text"),
        ({"traj": 7}, "E107", "`traj` is no list of turns"),
    ],
)
def test_a_bad_row_of_the_other_forms(row, rule, message):
    with pytest.raises(RowError) as caught:
        first(row)
    assert (caught.value.rule.code, caught.value.message) == (rule, message)
