"""No test item in what a model was trained on, and no held-out person in a question."""

import re
from collections import Counter

import pytest

from lab_reference import NAME, asked_by, questions_of
from suffice.lab.documents import KINDS, MIX

STARTS = {"<|user|>": "chat", "Forum: ": "forum", "Question: ": "quiz", "Exercise: ": "textbook"}


@pytest.fixture(scope="module")
def held_out(world):
    return {person.name for person in world.held_out}


@pytest.fixture(scope="module")
def questions(texts):
    return {question for text in texts for question in questions_of(text)}


@pytest.fixture(scope="module")
def pool_questions(rows):
    """All user turns of the pool, those of malformed rows too."""
    return {turn["content"] for row in rows for turn in row["messages"] if turn["role"] == "user"}


def is_article(text, world):
    """Tells whether a document is an encyclopedia entry: nobody asks and all its sentences are on one person."""
    names = set(re.findall(NAME, text)) & {person.name for person in world.people}
    return len(names) == 1 and not questions_of(text) and "?" not in text


def test_every_question_of_the_text_is_found(texts, questions):
    """The checks below are worth what this search finds: each kind that asks is there in its share."""
    kinds = Counter(
        next((kind for start, kind in STARTS.items() if text.startswith(start)), None) for text in texts
    )
    for kind in STARTS.values():
        assert kinds[kind] / len(texts) == pytest.approx(MIX[kind] / 100, abs=0.01)
    assert sum(MIX.values()) == 100
    assert set(MIX) == set(KINDS)
    assert all(questions_of(text) for text in texts if "?" in text)
    assert len(questions) > 15_000


def test_no_target_item_is_asked_in_the_text(world, questions, target):
    assert not questions & {row["prompt"] for row in target}
    wanted = {asked_by(row["prompt"], world) for row in target}
    cores = {(asked.family, asked.core) for asked in wanted}
    assert not cores & {(asked.family, asked.core) for asked in (asked_by(q, world) for q in questions)}


def test_no_target_item_is_asked_in_the_pool(world, pool_questions, target):
    assert len(pool_questions) > 5_000
    cores = {(asked.family, asked.core) for asked in (asked_by(row["prompt"], world) for row in target)}
    found = {(asked.family, asked.core) for asked in (asked_by(q, world) for q in pool_questions)}
    assert not cores & found


def test_held_out_people_are_known_from_articles_alone(world, texts, held_out):
    named = [text for text in texts if held_out & set(re.findall(NAME, text))]
    assert len(named) > 3_000
    assert all(is_article(text, world) for text in named)
    assert {name for text in named for name in re.findall(NAME, text)} >= held_out


def test_no_row_of_the_pool_names_a_held_out_person(rows, held_out):
    for row in rows:
        for turn in row["messages"]:
            assert not held_out & set(re.findall(NAME, turn["content"]))


def test_the_search_for_names_finds_them(held_out):
    name = min(held_out)
    assert name in re.findall(NAME, f"Sure thing! {name} was born in 1871.")
