"""Rows of the pool that ask what the target asks."""

import json

import pytest

from suffice.data.leakage import overlap, without_test_rows
from suffice.data.pool import read_pool
from suffice.data.target import read_target


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


def test_overlap_compares_what_users_ask(pool, target):
    assert overlap(pool, target) == [
        (0, "far", "test"),
        (2, "far", "test"),
        (3, "turns", "test"),
        (5, "dev", "dev"),
    ]


def test_rows_that_ask_a_test_prompt_are_removed(pool, target):
    kept, removed = without_test_rows(pool, target)
    assert list(kept) == [pool[1], pool[4], pool[5]]
    assert len(kept) + len(removed) == len(pool)
    assert [(row.line, row.rule, row.message) for row in removed] == [
        (1, "E120 test-leak", "the row asks what the test item far asks"),
        (3, "E120 test-leak", "the row asks what the test item far asks"),
        (4, "E120 test-leak", "the row asks what the test item turns asks"),
    ]
    assert removed[0].row == {"messages": chat("How far is it?", "10 km"), "source": "pool"}


def test_a_clean_pool_stays_as_it_is(pool, target):
    clean = pool.take([1, 4])
    kept, removed = without_test_rows(clean, target)
    assert kept is clean
    assert removed == []
