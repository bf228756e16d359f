"""Plain lines come into the pool as they do when they are taken apart in full."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.data import plain
from suffice.data.containers.jsonl import parsed
from suffice.data.convert import Converter, Origin
from suffice.data.plain import has_plain_rows, take_lines
from suffice.data.rules import ignored_rules
from suffice.data.terms import Terms

ORIGIN = Origin("a.jsonl", "a", "messages")
LONG = "The words of a sentence that is long enough go on and on until the end of it is reached at last. "


def check(*lines, ignore=()):
    """Holds what comes of lines by the short way to what comes of them by the long one."""
    terms = Terms(ignored=ignored_rules(ignore))
    rows = [parsed(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    short, full = take_lines(lines, ORIGIN, terms), Converter(terms).taken(rows, ORIGIN)
    assert short.batch.equals(full.batch)
    assert short == full
    return short


def chat(*contents, first="user", **more):
    roles = ["user", "assistant"] * len(contents)
    turns = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]
    if first == "system":
        turns.insert(0, {"role": "system", "content": "Be brief."})
    return json.dumps({"messages": turns, **more}).encode()


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text('ab.!?,;`"\\/<[ \n\t\x7f\x85\u2028é\u4e2d\u0416\U0001f600', max_size=12),
    st.sampled_from(
        [
            LONG * 3,
            LONG * 8,
            LONG * 3 + "and the",
            LONG * 3 + "so,",
            LONG * 3 + "\u4e2d\u6587\u5b57\u6bcd.",
            LONG * 3 + "â€™",
            "ha " * 90 + ".",
            "```py",
            LONG + "x" * 700,
        ]
    ),
    st.builds(
        lambda tail, times, end: LONG + tail * times + end,
        st.sampled_from(['\n"a".' * 12, "\\\n" * 25 + ".", "\t." * 20, "é. " * 20]),
        st.integers(1, 5),
        st.sampled_from(["", " ", "\n"]),
    ),
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "human"]), "content": TEXTS},
    optional={"name": TEXTS},
)
EXCHANGES = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["made", " made ", "", 3, None, "ü"]),
        "license": st.sampled_from(["MIT", " ", None, 1]),
        "licence": st.sampled_from(["MIT", None]),
        "tools": st.sampled_from([None, [], [{"name": "f"}], ""]),
        "finish_reason": st.sampled_from([None, "stop", "length"]),
        "traj": st.sampled_from([None, []]),
        "reward": st.sampled_from([None, 0, 1]),
        "other": st.just({"a": [1]}),
    },
)


@st.composite
def chats(draw):
    turns = [{"role": "system", "content": "Be brief."}] if draw(st.booleans()) else []
    for asked, answered in draw(EXCHANGES):
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    row = {"messages": turns} | draw(MORE)
    return json.dumps(row, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@settings(max_examples=200)
@given(st.lists(chats(), min_size=1, max_size=3), st.sampled_from([(), ("W2",), ("W201",)]))
def test_exchanges(lines, ignore):
    check(*lines, ignore=ignore)


@settings(max_examples=150)
@given(st.lists(TURN, max_size=4), MORE)
def test_any_turns(turns, more):
    check(json.dumps({"messages": turns} | more).encode())


@settings(max_examples=200)
@given(st.integers(0, 260), st.binary(max_size=3), st.integers(0, 3))
def test_damaged_lines(place, added, removed):
    line = chat("Is it so?", LONG, source="made", other=[{"number": 1.5e3, "text": "a\nb", "none": None}])
    added = added.replace(b"\n", b"")
    check(b"", line[:place] + added + line[place + removed :], line)


@pytest.mark.parametrize(
    "line",
    [
        chat("Is it so?", "Yes."),
        chat("Is it so?", LONG * 2 + "So it is.", source="made", license="MIT"),
        chat("Is it so?", "Yes.", 'And\tso\n"on"?', "No \\ more.", first="system"),
        chat("Est-ce vrai ?", "Oui, c\u2019est vrai \U0001f600."),
        chat("q", LONG * 4 + "and"),
        chat("q", "<|im_end|>"),
        b'{"source":"made","messages" : [ {"content" : "Is it?" , "role":"user"},{"role":"assistant","content":"Yes."}]}\r\n',
        b'{"messages": [], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
        b'{"messages": [{"role": "user", "content": "a\\/b"}, {"role": "assistant", "content": "a"}]}',
    ],
)
def test_plain_lines_are_known(line, monkeypatch):
    monkeypatch.setattr(plain, "parsed", None)
    assert len(check(line).batch) == 1


@pytest.mark.parametrize(
    "line",
    [
        chat("Is it so?", "Yes.", tools=[{"name": "f"}]),
        chat("Is it so?"),
        chat(" ", "Yes."),
        chat("q", ""),
        chat("q", "a", finish_reason="length"),
        chat("q", "a", source=3),
        b'{"messages": [{"role": "user", "content": "q", "content": null}, {"role": "assistant", "content": "a"}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}, {"role": "assistant", "content": "a"}]}',
        b'{"messages": "none"}',
        b"[]",
        b"{",
    ],
)
def test_others_are_taken_apart(line, monkeypatch):
    apart = []
    monkeypatch.setattr(plain, "parsed", lambda *given: apart.append(given) or parsed(*given))
    check(line)
    assert apart == [(1, line)]


def test_both_ways_are_put_together_in_order():
    others = chat("q", "a", source=3), chat("q", ""), chat("q", LONG * 4 + "and", source=3)
    taken = check(chat("q", LONG * 4 + "so,"), others[0], b" ", others[1], chat("r", "b"), others[2])
    assert taken.batch["line"].to_pylist() == [1, 2, 5, 6]
    assert [row.line for row in taken.rejected] == [4]
    assert [line for line, _ in taken.cautions] == [1, 6]


def test_only_where_columns_and_licences_are_free():
    assert has_plain_rows(ORIGIN, Terms())
    assert not has_plain_rows(ORIGIN._replace(usual="alpaca"), Terms())
    assert not has_plain_rows(ORIGIN, Terms(columns={"messages": "turns"}))
    assert not has_plain_rows(ORIGIN, Terms(licenses=frozenset({"mit"})))
