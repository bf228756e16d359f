"""No test item in what a model was trained on, and nobody who is held out in a question."""

import re
from collections import Counter

import pytest

from lab_orders import read_order
from lab_reference import asked_by, questions_of
from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES
from suffice.lab.pool import good_rows
from suffice.lab.problem import NEW_WORDING, reserved
from suffice.lab.tool.task import draw_task

SAID_IN_THE_NEW_WORDING_ALONE = "Sure thing"
ARTICLES = 0.29  # of the documents


def words_of(text):
    return set(re.findall(r"[A-Za-z]+", text))


def last_names(people):
    return {person.name.split()[1] for person in people}


def asked_in(questions, world):
    """Returns what questions ask, whatever their wording, and leaves orders out."""
    found = (asked_by(question, world) for question in questions if not read_order(question))
    return {(asked.family, asked.core) for asked in found}


@pytest.fixture(scope="module")
def questions(texts):
    """All questions and orders of the text."""
    return {question for text in texts for question in questions_of(text)}


@pytest.fixture(scope="module")
def trained_on(questions, rows, hard_rows, oracle_rows, world):
    """All that is asked where a model learns, by the place; of the pools the user turns of malformed rows too."""
    oracle = oracle_rows + [
        row
        for family in FAMILIES
        for row in good_rows(world, 100, seed=1, family=family, wording=NEW_WORDING)
    ]
    pools = {"plain pool": rows, "hard pool": hard_rows, "oracle": oracle}
    turns = {
        name: {turn["content"] for row in pool for turn in row["messages"] if turn["role"] == "user"}
        for name, pool in pools.items()
    }
    return {"text": questions, **turns}


@pytest.fixture(scope="module")
def asked(trained_on, world):
    """What is asked where a model learns, whatever the wording, by the place."""
    return {place: asked_in(questions, world) for place, questions in trained_on.items()}


PLACES = ("text", "plain pool", "hard pool", "oracle")


def test_every_question_of_the_text_is_found(texts, questions, asked):
    """The checks below are worth what this search finds: whatever asks is found and understood."""
    assert all(questions_of(text) for text in texts if "?" in text or text.startswith("<|user|>"))
    families = Counter(family for family, _ in asked["text"])
    assert set(families) == set(FAMILIES)
    assert min(families.values()) > 250
    assert sum(read_order(question) is not None for question in questions) > 1_000


@pytest.mark.parametrize("place", PLACES)
def test_no_target_item_is_asked(world, target, trained_on, asked, place):
    assert len(trained_on[place]) > 2_500
    prompts = [row["prompt"] for row in target]
    assert not trained_on[place] & set(prompts)
    assert len(asked_in(prompts, world)) == len(target)
    assert not asked[place] & asked_in(prompts, world)


@pytest.mark.parametrize("place", PLACES)
def test_nobody_asks_about_people_and_words_that_are_held_out(world, trained_on, place):
    hidden = last_names(person for person in world.people if person.held_out) | set(world.held_out_words)
    named = set().union(*map(words_of, trained_on[place]))
    assert not named & hidden
    assert len(named & (last_names(world.seen) | set(world.seen_words))) > 300


def test_no_row_names_people_or_words_that_are_held_out(world, rows, hard_rows, oracle_rows):
    hidden = last_names(person for person in world.people if person.held_out) | set(world.held_out_words)
    for row in rows + hard_rows + oracle_rows:
        for turn in row["messages"]:
            assert not words_of(turn["content"]) & hidden


def test_held_out_people_are_known_from_articles_alone(world, texts):
    """Elsewhere their names are only copied, two by two and without a word on them."""
    hidden = {name.split()[1]: name for name in (p.name for p in world.people if p.held_out)}
    articles = Counter()
    copied = re.compile(r"(\w+ \w+ and \w+ \w+) -> \1")
    for text in texts:
        if all(map(copied.fullmatch, text.splitlines())):
            continue
        for last in words_of(text) & hidden.keys():
            assert is_article(text, hidden[last]), text
            articles[last] += 1
    assert sum(articles.values()) > 1_000
    assert articles.keys() >= last_names(world.held_out)


def is_article(text, name):
    """Tells whether a document is an entry on one person: nobody asks, and every sentence or line is on them."""
    if text.startswith(f"{name}\n"):
        return len(text.splitlines()) == 6
    sentences = text.removesuffix(".").split(". ")
    return len(sentences) == 5 and all(name in sentence for sentence in sentences) and "?" not in text


def test_people_are_in_articles_as_often_as_their_fame_says(world, texts):
    lasts = {person.name.split()[1]: person for person in world.people}
    found = Counter()
    for text in texts:
        people = words_of(text) & lasts.keys()
        if len(people) == 1 and is_article(text, lasts[next(iter(people))].name):
            person = lasts[next(iter(people))]
            found[person.fame, person.held_out] += 1
    usual = len(texts) * ARTICLES / sum(person.fame for person in world.people)
    for fame, held_out, people in (
        (1, False, 300),
        (1, True, 200),
        (0.2, True, 20),
        (0.1, True, 20),
        (0.05, True, 20),
    ):
        expected = usual * fame * people
        assert abs(found[fame, held_out] - expected) < 3 * expected**0.5
    assert len(found) == 5


WORDS = r"[a-z]+(?:, [a-z]+)+"


def test_the_groups_of_held_out_words_are_known_from_the_glossary_alone(world, texts):
    """Elsewhere such words are only copied, in lists and without a word on their groups."""
    copied = re.compile(rf"{WORDS} -> {WORDS}|{WORDS} <- \w+(?: > \w+)+|\d \w+(?: \d \w+)+")
    texts = [text for text in texts if not all(map(copied.fullmatch, text.splitlines()))]
    named = [text for text in texts if words_of(text) & set(world.held_out_words)]
    line = re.compile(
        r"The word \w+ is a kind of \w+\.|The group of the word \w+ is \w+\."
        r"|The word \w+ belongs to the group \w+\.|For the word \w+ we say \w+\."
    )
    assert all(all(map(line.fullmatch, text.splitlines())) for text in named)
    assert set().union(*map(words_of, named)) >= set(world.held_out_words)


def test_the_search_for_names_finds_them(world):
    for person in world.held_out:
        assert words_of(f"Sure thing! {person.name} and X") & last_names(world.held_out) == {
            person.name.split()[1]
        }
    others = {*world.rivers, *world.rivers.values(), *" ".join(world.products).split()}
    assert not last_names(world.people) & (others | {person.name.split()[0] for person in world.people})


def test_the_new_wording_is_in_no_text_and_no_pool(world, texts, rows, hard_rows, oracle_rows):
    assert not any(SAID_IN_THE_NEW_WORDING_ALONE in text for text in texts)
    for row in rows + hard_rows + oracle_rows:
        assert not any(SAID_IN_THE_NEW_WORDING_ALONE in turn["content"] for turn in row["messages"])
    for row in good_rows(world, 90, seed=0, wording=NEW_WORDING):
        assert row["messages"][1]["content"].startswith(SAID_IN_THE_NEW_WORDING_ALONE)


def test_no_order_of_the_target_is_in_the_text(questions):
    orders = [order for order in map(read_order, questions) if order]
    codes = {code for order in orders for code in (order.code, order.other) if code}
    wanted = [draw_task(Draws(seed, "tool target"), target=True) for seed in range(500)]
    assert not {task.order for task in wanted} & questions
    assert not {code for task in wanted for code in task.records} & codes
    assert not any(reserved(f"tool:{code}") for code in codes)
    assert all(reserved(f"tool:{code}") for task in wanted for code in task.records)
