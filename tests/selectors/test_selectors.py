from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_data import chat, make_example, make_pool, make_target
from suffice.common import registry
from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.scorers.protocol import Scores
from suffice.selectors.protocol import SelectionRequest, excerpt, ordinal
from suffice.selectors.random import Random, random_rows
from suffice.selectors.round_robin import RoundRobin
from suffice.selectors.top import Top

NAN = float("nan")
POOL = make_pool(30)
TARGET = make_target(["fact", "sum", "fact", "list", "fact", "sum"])


def request(values, budget, pool=POOL, **settings):
    values = np.array(values, dtype=np.float32)
    return SelectionRequest(pool, Scores(pool.ids, values, **settings), budget)


def affinity_request(affinity, budget, pool=POOL, target=TARGET):
    affinity = np.array(affinity, dtype=np.float32)
    scores = Scores(pool.ids, affinity.max(axis=1), affinity, [item.id for item in target.dev])
    return SelectionRequest(pool, scores, budget, target=target)


def same_evidence(choices):
    return len({tuple((key, type(value)) for key, value in c.evidence.items()) for c in choices}) == 1


grades = st.one_of(st.integers(0, 4).map(float), st.just(NAN))  # few values, so that there are ties


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(grades, min_size=30, max_size=30), st.integers(1, 30))
def test_top_equals_sorting(values, budget):
    wanted = sorted((i for i in range(30) if values[i] == values[i]), key=lambda i: (-values[i], i))
    if budget > len(wanted):
        with pytest.raises(UserError):
            Top().select(request(values, budget))
        return
    choices = Top().select(request(values, budget))
    assert [c.index for c in choices] == wanted[:budget]
    assert same_evidence(choices)


def test_why_top_took_a_row():
    pool = Pool.from_examples([make_example(chat(f"Question {i}", "x"), i) for i in range(4)])
    first, *_, last = Top().select(request([3, NAN, 12, 5], 3, pool, notes={"unit": "words"}))
    assert first.reason == 'score 12 words; 66th percentile; beat "Question 3" by 7'
    assert first.evidence == {
        "score": 12.0, "rank": 1, "percentile": pytest.approx(200 / 3), "beat": pool.ids[3], "margin": 7.0
    }  # fmt: skip
    assert last.reason == "score 3 words; 0th percentile"
    assert last.evidence == {"score": 3.0, "rank": 3, "percentile": 0.0, "beat": "", "margin": 0.0}


def test_random_is_the_seeded_sample():
    scores = Scores(POOL.ids, np.full(30, NAN, dtype=np.float32))
    choices = Random().select(SelectionRequest(POOL, scores, 7, seed=5, draw=2))
    assert [c.index for c in choices] == Draws(5, "random-selection", 2).sample(range(30), 7)
    assert len({c.index for c in choices}) == 7
    assert same_evidence(choices)
    assert choices[0].reason == "drawn at random (seed 5, draw 2)"
    assert choices[6].evidence == {"draw": 2, "turn": 7}
    assert random_rows(30, 7, seed=5, draw=3) != random_rows(30, 7, seed=5, draw=2)


def plain_round_robin(affinity, tasks, budget):
    """The rule word for word: look through all rows at every turn."""
    families = list(dict.fromkeys(tasks))
    turns = dict.fromkeys(families, 0)
    taken = []
    while len(taken) < budget:
        task = families[len(taken) % len(families)]
        columns = [j for j, name in enumerate(tasks) if name == task]
        column = columns[turns[task] % len(columns)]
        turns[task] += 1
        rows = [
            i for i in range(len(affinity)) if i not in taken and affinity[i][column] == affinity[i][column]
        ]
        taken.append(max(rows, key=lambda i: (affinity[i][column], -i)))
    return taken


affinities = st.lists(
    st.one_of(st.lists(st.integers(0, 6).map(float), min_size=6, max_size=6), st.just([NAN] * 6)),
    min_size=30,
    max_size=30,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(affinities, st.integers(1, 30))
def test_round_robin_equals_the_rule(affinity, budget):
    usable = sum(row[0] == row[0] for row in affinity)
    if budget > usable:
        with pytest.raises(UserError):
            RoundRobin().select(affinity_request(affinity, budget))
        return
    choices = RoundRobin().select(affinity_request(affinity, budget))
    wanted = plain_round_robin(affinity, [item.task for item in TARGET.dev], budget)
    assert [c.index for c in choices] == wanted
    assert same_evidence(choices)
    left = set(range(30)) - {i for i in range(30) if affinity[i][0] != affinity[i][0]}
    for turn, choice in enumerate(choices, 1):
        left.remove(choice.index)
        evidence = choice.evidence
        column = int(evidence["dev"][1:])
        score = affinity[choice.index][column]
        rivals = sorted(left, key=lambda i: (-affinity[i][column], i))
        assert evidence["turn"] == turn
        assert evidence["task"] == TARGET.dev[column].task
        assert evidence["dev_prompt"] == f"What is {column}?"
        assert evidence["score"] == score
        assert evidence["beat"] == (POOL.ids[rivals[0]] if rivals else "")
        assert evidence["margin"] == (score - affinity[rivals[0]][column] if rivals else 0)
        ahead = sum(
            (affinity[i][column], -i) > (score, -choice.index)
            for i in range(30)
            if affinity[i][0] == affinity[i][0]
        )
        assert evidence["percentile"] == pytest.approx(100 * (usable - 1 - ahead) / usable)


def test_why_round_robin_took_a_row():
    pool = Pool.from_examples([make_example(chat(f"Question {i}", "x"), i) for i in range(4)])
    target = make_target(["two-step sums"])
    (choice,) = RoundRobin().select(affinity_request([[0.5], [0.75], [NAN], [0.25]], 1, pool, target))
    assert choice.index == 1
    assert choice.reason == 'serves "two-step sums" (dev d0); 66th percentile; beat "Question 0" by 0.25'


def test_round_robin_without_affinity():
    with pytest.raises(UserError) as caught:
        RoundRobin().select(request([1.0] * 30, 1))
    assert str(caught.value) == (
        "the selector 'round_robin' needs a target and scores that hold each row's affinity to its dev examples; "
        "score with --scorer embedding and the same --target, or choose --selector top"
    )
    other = make_target(["fact"])
    scores = affinity_request(np.ones((30, 6)), 1).scores
    with pytest.raises(UserError):
        RoundRobin().select(SelectionRequest(POOL, scores, 1, target=other))


@pytest.mark.parametrize("name", ["top", "random", "round_robin"])
def test_a_budget_that_cannot_be_met(name):
    selector = registry.load("selectors", name)()
    assert selector.name == name
    with pytest.raises(UserError) as caught:
        selector.select(affinity_request(np.ones((30, 6)), 31))
    assert (
        str(caught.value) == "the budget of 31 rows is larger than the pool of 30; give --budget 30 or less"
    )
    with pytest.raises(UserError) as caught:
        selector.select(affinity_request(np.ones((30, 6)), 0))
    assert str(caught.value) == "a budget of 0 rows chooses nothing; give --budget 1 or more"


@pytest.mark.parametrize("selector", [Top(), RoundRobin()])
def test_a_budget_larger_than_the_rows_with_a_score(selector):
    affinity = np.ones((30, 6))
    affinity[[2, 5]] = NAN
    with pytest.raises(UserError) as caught:
        selector.select(affinity_request(affinity, 29))
    assert str(caught.value) == (
        "the budget of 29 rows is larger than the 28 rows that have a score (2 of 30 have none); give --budget 28 "
        "or less"
    )
    assert len(selector.select(affinity_request(affinity, 28))) == 28


def test_scores_of_another_pool():
    with pytest.raises(UserError) as caught:
        SelectionRequest(POOL, Scores(["x"], np.zeros(1, dtype=np.float32)), 1)
    assert str(caught.value) == "the scores are those of another pool; score this pool anew"


def test_ordinals_round_down():
    assert [ordinal(x) for x in (99.99, 92, 91.5, 83, 11, 12.7, 13, 0)] == [
        "99th", "92nd", "91st", "83rd", "11th", "12th", "13th", "0th"
    ]  # fmt: skip


def test_an_excerpt_is_one_short_line():
    assert excerpt(chat("  two\n lines ", "x")) == "two lines"
    cut = excerpt(chat("word " * 50, "x"))
    assert len(cut) <= 60
    assert cut.endswith("…")
    assert excerpt(chat("x", "y")[1:]) == ""


def test_round_robin_keeps_its_place_in_a_large_pool():
    """Every dev example wants the same rows, the worst case: looking from the front each time would not end."""
    pool, target = make_pool(20_000), make_target(["a", "b"] * 50)
    column = np.linspace(1, 0, 20_000, dtype=np.float32)
    wanted = affinity_request(np.repeat(column[:, None], 100, axis=1), 4_000, pool, target)
    start = time.process_time()
    choices = RoundRobin().select(wanted)
    assert [c.index for c in choices] == list(range(4_000))
    assert time.process_time() - start < 8
