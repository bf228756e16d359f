"""Rows of the pool that ask what the target asks."""

import io
import json
import random
from itertools import chain

import pytest
from msgspec.structs import replace
from rich.console import Console

from made_data import make_example
from suffice.common.progress import Terminal
from suffice.data import asked
from suffice.data.leakage import COMMON, Leak, find_leaks, without_test_rows
from suffice.data.pool import Pool, read_pool
from suffice.data.target import Target, TargetItem, read_target
from suffice.data.words import words


def chat(*texts):
    roles = ("user", "assistant") * len(texts)
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def pool(tmp_path):
    conversations = [
        chat("How far is it?", "10 km"),
        chat("something else", "yes"),
        chat("hello", "hi", "HOW  far is\nit?", "10 km"),
        chat("one", "1", "two", "2", "three", "3"),
        chat("two", "2", "one", "1"),
        chat("a dev question", "a"),
    ]
    return read_pool([write(tmp_path / "pool.jsonl", [{"messages": c} for c in conversations])]).pool


@pytest.fixture
def target(tmp_path):
    rows = [
        {"id": "far", "prompt": " how far is it? ", "answer": "10", "split": "test"},
        {"id": "turns", "messages": chat("one", "1", "two"), "answer": "2", "split": "test"},
        {"id": "dev", "prompt": "a dev question", "answer": "a", "split": "dev"},
        {"id": "part", "prompt": "How far", "answer": "10", "split": "test"},
    ]
    return read_target(write(tmp_path / "target.jsonl", rows))


def test_short_prompts_are_matched_whole(pool, target):
    found = [(leak.row, leak.item, leak.split, leak.how, leak.span) for leak in find_leaks(pool, target)]
    assert found == [
        (0, "far", "test", "whole", "how far is it"),
        (2, "far", "test", "whole", "how far is it"),
        (3, "turns", "test", "whole", "one two"),
        (5, "dev", "dev", "whole", "a dev question"),
    ]


def test_rows_that_ask_a_test_prompt_are_removed(pool, target):
    kept, removed, dev = without_test_rows(pool, target)
    assert dev == 1
    assert list(kept) == [pool[1], pool[4], pool[5]]
    assert len(kept) + len(removed) == len(pool)
    assert [(row.line, row.rule, row.message) for row in removed] == [
        (1, "E120 test-leak", "the row asks what the test item far asks: “how far is it”"),
        (3, "E120 test-leak", "the row asks what the test item far asks: “how far is it”"),
        (4, "E120 test-leak", "the row asks what the test item turns asks: “one two”"),
    ]
    assert removed[0].row == {"messages": chat("How far is it?", "10 km"), "source": "pool"}


def test_a_clean_pool_stays_as_it_is(pool, target):
    clean = pool.take([1, 4])
    assert without_test_rows(clean, target) == (clean, [], 0)
    assert without_test_rows(clean, target).pool is clean


LONG = "The old ferry takes twelve cars over the river in nine minutes and comes back empty every time it has landed"


def item(name, text, split="test"):
    return TargetItem(name, ({"role": "user", "content": text},), "42", "all", split, name)


def leaks(rows, *items):
    examples = [make_example(tuple(chat(*row)), line) for line, row in enumerate(rows, start=1)]
    return list(find_leaks(Pool.from_examples(examples), Target(items)))


def again(rows, *items):
    """Leaks where the k-th row of the same content has an id that ends in -k, as reading makes it."""
    first, *others = (make_example(tuple(chat(*row)), 1) for row in rows)
    named = [replace(row, id=f"{row.id}-{place}") for place, row in enumerate(others, start=2)]
    return list(find_leaks([first, *named], Target(items)))


def test_a_passage_is_found_in_any_turn_and_told_as_far_as_it_goes():
    passage = " ".join(LONG.split()[2:18])
    found = leaks([("Say something", f"Well: {passage.upper()}, so they say.")], item("ferry", LONG))
    assert [(leak.row, leak.item, leak.how, leak.size) for leak in found] == [(0, "ferry", "run", 16)]
    assert found[0].span == passage.lower()
    assert (
        found[0].message
        == f"the row has 16 words in a row of what the test item ferry asks: “{passage.lower()}”"
    )
    twelve = " ".join(LONG.split()[:12])
    assert leaks([("Say something", twelve)], item("ferry", LONG)) == []


def test_a_prompt_with_another_word_is_nearly_the_same():
    text = f"{LONG} and why is that so, if you please, in a few plain words?"
    (found,) = leaks([(text.replace("nine", "ten"), "Yes.")], item("ferry", text))
    assert (found.how, found.similarity) == ("near", pytest.approx(29 / 35))
    assert found.message.startswith(
        "the row asks nearly what the test item ferry asks (similarity 0.83): “the old"
    )
    assert found.span.endswith("few plain words")
    short = "one two three four five six seven eight nine ten eleven twelve"
    assert leaks([(f"{short} more", "Yes.")], item("short", short)) == []


def test_what_many_rows_have_is_a_template_and_does_not_count():
    template = "You are given a text and have to write down in one word how the writer feels about it"
    rows = [(f"{template}: text {number} x{number}", "good") for number in range(COMMON + 1)]
    target = item("feeling", f"{template}: a quite different text that nobody has read before, about boats")
    assert len(leaks(rows[:COMMON], target)) == COMMON
    assert leaks(rows, target) == []
    assert len(again([rows[0]] * (COMMON + 5), target)) == COMMON + 5  # the same row again is no template
    assert [leak.row for leak in leaks([*rows, (target.messages[0]["content"], "good")], target)] == [
        len(rows)
    ]


def test_dev_is_told_and_stays():
    rows = [("a b", "1"), ("c d", "2"), ("e f", "3")]
    pool = Pool.from_examples(make_example(tuple(chat(*row)), 1) for row in rows)
    heard = io.StringIO()
    told = Terminal(Console(file=heard, width=200))
    kept, removed, dev = without_test_rows(pool, Target((item("a", "A b?", "dev"), item("c", "c, d"))), told)
    assert (kept.ids, len(removed), dev) == ([pool.ids[0], pool.ids[2]], 1, 1)
    said = "1 row overlaps with test items and is left out; 1 overlaps with dev and stays"
    assert heard.getvalue().startswith(f"leakage    {said}  (")


def test_nothing_to_look_for_or_in():
    assert leaks([], item("a", "a")) == []
    assert leaks([("a", "b")]) == []
    assert leaks([("?", "b")], item("none", "?!")) == []  # no word to go by


def naive(rows, items):
    """Every run of every row against every run of every item, by plain tuples."""

    def runs(text, size, **how):
        found = words(text, **how)
        return [tuple(found[at : at + size]) for at in range(len(found) - size + 1)]

    def shingles(text):
        return set(runs(text, asked.SHINGLE)) or {tuple(words(text))}

    has = [{run for text in row for run in runs(text, asked.RUN, signs=False)} for row in rows]
    found = {}
    for row, (question, *_) in enumerate(rows):
        for place, (name, text) in enumerate(items):
            one, other = shingles(question), shingles(text)
            similarity = len(one & other) / len(one | other)
            own = set(runs(text, asked.RUN, signs=False))
            shared = {run for run in own & has[row] if sum(run in other for other in has) <= COMMON}
            if words(question) == words(text):
                found[row, place] = (name, "whole", 1)
            elif similarity >= asked.NEAR and len(words(text)) >= asked.RUN:
                found[row, place] = (name, "near", pytest.approx(similarity))
            elif shared:
                found[row, place] = (name, "run", 1)
    return [(key[0], *found[key]) for key in sorted(found)]


@pytest.mark.parametrize("seed", range(4))
def test_leaks_are_those_of_a_naive_search(seed):
    rng = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(30)] + ["+", "é"]

    def text(size):
        return " ".join(rng.choices(vocabulary, k=size))

    items = [(f"i{number}", text(rng.randint(1, 30))) for number in range(25)]
    rows = [(text(rng.randint(1, 30)), text(rng.randint(1, 30))) for _ in range(60)]
    for number in range(60):
        found = rng.choice(items)[1].split()
        match rng.randint(0, 3):
            case 0:
                found[rng.randrange(len(found))] = rng.choice(vocabulary)
            case 1:
                found = [*text(3).split(), *found[: rng.randint(1, 30)], *text(3).split()]
            case 2:
                found.append("?")
        question, answer = " ".join(found).upper(), f"answer {number}"
        rows.append((question, answer) if rng.random() < 0.7 else (f"ask {number}", question))
    rows += [(f"{items[0][1]} {items[1][1]} {number} z{number}", "ok") for number in range(COMMON + 2)]
    found = leaks(rows, *(item(*one) for one in items))
    told = [(leak.row, leak.item, leak.how, leak.similarity) for leak in found]
    assert told == naive(rows, items)
    assert {leak.how for leak in found} == {"whole", "near", "run"}
    for leak in found:
        if leak.how == "run":
            texts = [" ".join(words(turn, signs=False)) for turn in rows[leak.row]]
            assert any(leak.span.removesuffix(" …") in one for one in texts)
            assert leak.size >= asked.RUN


def test_the_pool_is_gone_through_once_as_a_stream(pool, target):
    stream = iter(list(pool))
    assert list(find_leaks(chain(stream), target)) == list(find_leaks(pool, target))
    assert next(stream, None) is None
    assert all(isinstance(leak, Leak) for leak in find_leaks(pool, target))
