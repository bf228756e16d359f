"""Plain lines come into the pool as they do when they are taken apart in full."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.data.batches import PlainRow
from suffice.data.containers.jsonl import parsed
from suffice.data.convert import Converter, Origin
from suffice.data.plain import PlainReader, has_plain_rows
from suffice.data.terms import Terms

ORIGIN = Origin("a.jsonl", "a", "messages")
LONG = "The words of a sentence that is long enough go on and on until the end of it is reached at last. "


def both(line):
    """Returns what comes of a line by the short way and by the long one."""
    converter = Converter(Terms())
    (short,) = converter.take([PlainReader(ORIGIN)(3, line)], ORIGIN)
    (full,) = converter.take([parsed(3, line)], ORIGIN)
    return short, full


def is_plain(line):
    return isinstance(PlainReader(ORIGIN)(1, line).value, PlainRow)


def chat(*contents, first="user", **more):
    roles = ["user", "assistant"] * len(contents)
    turns = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]
    if first == "system":
        turns.insert(0, {"role": "system", "content": "Be brief."})
    return json.dumps({"messages": turns, **more}).encode()


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text('ab.!?,;`"\\/<[ \n\t\x7f', max_size=12),
    st.sampled_from(
        [
            LONG * 3,
            LONG * 8,
            LONG * 3 + "and the",
            LONG * 3 + "so,",
            "ha " * 90 + ".",
            "```py",
            LONG + "x" * 700,
        ]
    ),
    st.builds(
        lambda tail, times: LONG + tail * times,
        st.sampled_from(['\n"a".' * 12, "\\\n" * 25 + ".", "\t." * 20]),
        st.integers(1, 5),
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


@settings(max_examples=600)
@given(EXCHANGES, st.booleans(), MORE, st.booleans())
def test_exchanges(exchanges, system, more, ascii_only):
    turns = [{"role": "system", "content": "Be brief."}] if system else []
    for asked, answered in exchanges:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    line = json.dumps({"messages": turns} | more, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    short, full = both(line)
    assert short == full


@settings(max_examples=300)
@given(st.lists(TURN, max_size=4), MORE)
def test_any_turns(turns, more):
    short, full = both(json.dumps({"messages": turns} | more).encode())
    assert short == full


@settings(max_examples=300)
@given(st.integers(0, 200), st.binary(max_size=3), st.integers(0, 3))
def test_damaged_lines(place, added, removed):
    line = chat("Is it so?", LONG * 3, source="made")
    short, full = both(line[:place] + added.replace(b"\n", b"") + line[place + removed :])
    assert short == full


@pytest.mark.parametrize(
    "line",
    [
        chat("Is it so?", "Yes."),
        chat("Is it so?", LONG * 2 + "So it is.", source="made", license="MIT"),
        chat("Is it so?", "Yes.", 'And\tso\n"on"?', "No \\ more.", first="system"),
        b'{"source":"made","messages" : [ {"content" : "Is it?" , "role":"user"},{"role":"assistant","content":"Yes."}]}\r\n',
        b'{"messages": [], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
    ],
)
def test_plain_lines_are_known(line):
    assert is_plain(line)
    short, full = both(line)
    assert short == full
    assert len(short.batch) == 1


@pytest.mark.parametrize(
    "line",
    [
        chat("Is it so?", "Yes.", tools=[{"name": "f"}]),
        chat("Is it so?"),
        chat(" ", "Yes."),
        chat("q", ""),
        chat("q", "<|im_end|>"),
        chat("q", "ü"),
        chat("q", LONG * 4 + "and"),
        chat(
            "q",
            "Say it again, and again, and once more, my friend.\n" * 5
            + "Say it again, and again, and once more, my friend.",
        ),
        chat("q", "a", finish_reason="length"),
        b'{"messages": [{"role": "user", "content": "q", "content": null}, {"role": "assistant", "content": "a"}]}',
        b'{"messages": [{"role": "user", "content": "a\\/b"}, {"role": "assistant", "content": "a"}]}',
        b'{"messages": "none"}',
        b"[]",
        b"{",
    ],
)
def test_others_are_taken_apart(line):
    assert not is_plain(line)
    short, full = both(line)
    assert short == full


def test_only_where_columns_and_licences_are_free():
    assert has_plain_rows(ORIGIN, Terms())
    assert not has_plain_rows(ORIGIN._replace(usual="alpaca"), Terms())
    assert not has_plain_rows(ORIGIN, Terms(columns={"messages": "turns"}))
    assert not has_plain_rows(ORIGIN, Terms(licenses=frozenset({"mit"})))
