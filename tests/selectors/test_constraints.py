"""Constraints: the same rule for every selector, and exact texts where they cannot be met."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from made_data import make_target
from made_selections import bounded, may_follow, plain_greedy, pool_of, request_of, vectors_of, with_pins
from suffice.common import registry
from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.ground import Ground
from suffice.selectors.openings import first_open, holds
from suffice.selectors.protocol import SelectionRequest
from suffice.selectors.top import Top

ROWS = 16


def any_request(sources, budget, constraints, seed=0):
    """A request that every selector can meet: scores, affinities and vectors."""
    pool, target = pool_of(sources), make_target(["fact", "sum", "fact"])
    affinity = np.random.default_rng(1).normal(size=(len(sources), 3)).astype(np.float32)
    scores = Scores(
        pool.ids, affinity.max(axis=1), affinity, [i.id for i in target.dev], {}, vectors_of(len(sources), 40)
    )
    return SelectionRequest(pool, scores, budget, seed=seed, target=target, constraints=constraints)


@settings(max_examples=60)
@given(bounded(ROWS), st.lists(st.integers(0, 5).map(float), min_size=ROWS, max_size=ROWS))
def test_top_takes_the_best_row_that_leaves_the_rest_possible(case, values):
    sources, budget, constraints = case
    assume(_can_be_met(sources, budget, constraints))
    request = request_of(vectors_of(ROWS), budget, values=values, sources=sources, constraints=constraints)
    wanted = plain_greedy(lambda _, i: values[i], range(ROWS), sources, budget, constraints)
    assert [choice.index for choice in Top().select(request)] == wanted


@settings(max_examples=30)
@given(bounded(10), st.lists(st.integers(0, 5).map(float), min_size=10, max_size=10))
def test_no_selection_within_the_bounds_has_a_higher_sum(case, values):
    sources, budget, constraints = case
    assume(_can_be_met(sources, budget, constraints))
    request = request_of(vectors_of(10), budget, values=values, sources=sources, constraints=constraints)
    best = max(
        sum(values[i] for i in rows)
        for rows in combinations(range(10), budget)
        if _within(rows, sources, constraints)
    )
    assert sum(values[choice.index] for choice in Top().select(request)) == best


@pytest.mark.parametrize("name", registry.names("selectors"))
@settings(max_examples=12)
@given(bounded(ROWS), st.data())
def test_every_selector_holds_to_them(name, case, data):
    sources, budget, constraints = case
    pinned = data.draw(st.lists(st.integers(0, ROWS - 1), max_size=min(2, budget), unique=True))
    banned = [i for i in data.draw(st.lists(st.integers(0, ROWS - 1), max_size=2)) if i not in pinned]
    constraints = with_pins(constraints, pool_of(sources), pinned, banned)
    assume(_can_be_met(sources, budget, constraints, pinned, banned))
    request = any_request(sources, budget, constraints)
    choices = registry.load("selectors", name)().select(request)
    chosen = [choice.index for choice in choices]
    assert chosen[: len(pinned)] == pinned
    assert [choice.reason.startswith("pinned") for choice in choices] == [
        i < len(pinned) for i in range(budget)
    ]
    assert len(set(chosen)) == budget
    assert not set(chosen) & set(banned)
    assert _within(chosen, sources, constraints)
    assert len({tuple((key, type(value)) for key, value in c.evidence.items()) for c in choices}) == 1
    assert [c.index for c in registry.load("selectors", name)().select(request)] == chosen


def clusters_of(draw, rows, source=None):
    """Clusters of twins, as their first rows; within a source where sources are given."""
    mates = draw(st.lists(st.integers(0, rows - 1), min_size=rows, max_size=rows))
    first: dict = {}
    keys = [(mate // 3, source[i] if source else "") for i, mate in enumerate(mates)]
    return np.array([first.setdefault(key, i) for i, key in enumerate(keys)])


@pytest.mark.parametrize("name", registry.names("selectors"))
@settings(max_examples=12)
@given(bounded(ROWS), st.data())
def test_no_selector_takes_two_twins_or_another_language(name, case, data):
    """Clusters lie in one source or in several; those in several may cost a selection its room, and say so."""
    sources, budget, constraints = case
    cluster = clusters_of(data.draw, ROWS, data.draw(st.sampled_from([sources, None])))
    language = data.draw(st.lists(st.sampled_from(["en", "en", "de"]), min_size=ROWS, max_size=ROWS))
    constraints = replace(
        constraints, no_twins="near@0.8", cluster=cluster, languages=("en",), language=language
    )
    request = any_request(sources, budget, constraints)
    try:
        Ground(request.pool, constraints).check(budget)
    except UserError:
        assume(False)
    chosen = [choice.index for choice in registry.load("selectors", name)().select(request)]
    assert len({int(cluster[index]) for index in chosen}) == budget
    assert {language[index] for index in chosen} == {"en"}
    assert _within(chosen, sources, constraints)
    assert holds(chosen, request.pool, constraints)


@settings(max_examples=60)
@given(bounded(10), st.lists(st.integers(0, 5).map(float), min_size=10, max_size=10), st.data())
def test_the_best_sum_without_two_twins(case, values, data):
    """Of clusters within a source, greedily as by all selections; and the ground tells exactly what can be met."""
    sources, budget, constraints = case
    cluster = clusters_of(data.draw, 10, sources)
    constraints = replace(constraints, no_twins="near@0.8", cluster=cluster)
    able = [
        rows
        for rows in combinations(range(10), budget)
        if _within(rows, sources, constraints) and len(set(cluster[list(rows)])) == budget
    ]
    request = request_of(vectors_of(10), budget, values=values, sources=sources, constraints=constraints)
    if not able:
        with pytest.raises(UserError):
            Ground(request.pool, constraints).check(budget)
        return
    chosen = [choice.index for choice in Top().select(request)]
    assert sum(values[i] for i in chosen) == max(sum(values[i] for i in rows) for rows in able)
    assert chosen == plain_greedy(lambda _, i: values[i], range(10), sources, budget, constraints)


def test_a_cluster_in_two_sources_keeps_the_rows_of_one():
    sources = ["a", "b", "b", "a"]
    constraints = Constraints(at_least={"b": 1}, no_twins="near@0.8", cluster=np.array([0, 0, 2, 3]))
    assert Ground(pool_of(sources), constraints).mask.tolist() == [True, False, True, True]
    pinned = with_pins(constraints, pool_of(sources), [1])
    assert Ground(pool_of(sources), pinned).mask.tolist() == [False, True, True, True]
    free = replace(constraints, at_least={})
    assert Ground(pool_of(sources), free).mask.all()
    ground = Ground(pool_of(sources), constraints)
    assert (ground.fewest, ground.most) == (1, 3)


def _within(rows, sources, constraints):
    names = [sources[i] for i in rows]
    return all(names.count(n) >= k for n, k in constraints.at_least.items()) and all(
        names.count(n) <= k for n, k in constraints.at_most.items()
    )


def _can_be_met(sources, budget, constraints, pinned=(), banned=()):
    able = [i for i in range(len(sources)) if i not in banned]
    there = {name: sum(sources[i] == name for i in able) for name in set(sources)}
    room = sum(min(count, constraints.at_most.get(name, count)) for name, count in there.items())
    first = [sources[i] for i in pinned]
    names = {*constraints.at_least, *first}
    needed = sum(max(constraints.at_least.get(n, 0), first.count(n)) for n in names)
    return (
        room >= budget
        and needed <= budget
        and all(there.get(n, 0) >= k for n, k in constraints.at_least.items())
        and all(first.count(n) <= k for n, k in constraints.at_most.items())
        and all(n in sources for n in (*constraints.at_least, *constraints.at_most))
    )


def test_the_rule_itself():
    sources = ["a", "a", "b", "b"]
    bounds = Constraints(at_least={"b": 1}, at_most={"a": 1})
    assert may_follow([], sources, 2, bounds, 0)
    assert not may_follow([0], sources, 2, bounds, 1)
    assert not may_follow([0], sources, 2, Constraints(at_least={"b": 2}), 2)


POOL = pool_of(["web"] * 4 + ["books"] * 2)


@pytest.mark.parametrize(
    ("constraints", "text"),
    [
        ({"pin": ("none",)}, "no row of the pool has the id 'none', which is pinned; give ids of its rows"),
        ({"ban": ("none",)}, "no row of the pool has the id 'none', which is banned; give ids of its rows"),
        (
            {"pin": (POOL.ids[1],), "ban": (POOL.ids[1],)},
            f"the row {POOL.ids[1]} is both pinned and banned; choose one of the two",
        ),
        (
            {"pin": (POOL.ids[0],)},
            f"the row {POOL.ids[0]} is pinned and has no score; leave it out of the pins",
        ),
        (
            {"pin": tuple(POOL.ids[1:5])},
            "4 rows are pinned, more than the budget of 3; give --budget 4 or more, or pin fewer",
        ),
        ({"at_least": {"boks": 1}}, "unknown source 'boks'; did you mean 'books'?"),
        (
            {"at_least": {"web": 2}, "at_most": {"web": 1}},
            "no selection has at least 2 and at most 1 rows of the source 'web'; mend one of the two",
        ),
        (
            {"at_least": {"books": 3}},
            "the source 'books' has 2 rows that can be chosen, fewer than 3; ask for 2 or less",
        ),
        (
            {"pin": tuple(POOL.ids[1:3]), "at_most": {"web": 1}},
            "2 rows of the source 'web' are pinned, and 1 are allowed; pin fewer, or allow more",
        ),
        (
            {"at_least": {"books": 2, "web": 2}},
            "pins and sources ask for 4 rows, more than the budget of 3; give --budget 4 or more, or ask for fewer",
        ),
        (
            {"at_most": {"books": 1, "web": 1}},
            "the constraints leave 2 rows to choose, fewer than the budget of 3; give --budget 2 or less, or allow more",
        ),
        (
            {"pin": (POOL.ids[2], POOL.ids[3]), "no_twins": "near@0.8", "cluster": np.array([0, 1, 2, 2, 4, 5])},
            f"the rows {POOL.ids[2]} and {POOL.ids[3]} are pinned, and they are twins; pin one of the two, or leave out --no-twins",
        ),
        (
            {"no_twins": "near@0.8", "cluster": np.array([0, 1, 1, 1, 4, 4])},
            "the constraints leave 2 rows to choose, fewer than the budget of 3; give --budget 2 or less, or allow more",
        ),
        (
            {"pin": (POOL.ids[2],), "languages": ("en",), "language": ["en", "en", "de", "en", "en", "en"]},
            f"the row {POOL.ids[2]} is pinned, and its language is de; allow it with --language de, or leave the row out of the pins",
        ),
        (
            {"at_most": {"books": 0, "web": 0}},
            "the constraints leave 0 rows to choose, fewer than the budget of 3; allow more",
        ),
    ],
)  # fmt: skip
def test_constraints_that_cannot_be_met(constraints, text):
    scores = Scores(POOL.ids, np.array([np.nan, 1, 2, 3, 4, 5], np.float32))
    with pytest.raises(UserError) as caught:
        Top().select(SelectionRequest(POOL, scores, 3, constraints=Constraints(**constraints)))
    assert str(caught.value) == text


@settings(max_examples=40)
@given(bounded(ROWS), st.permutations(range(ROWS)), st.data())
def test_the_first_open_rows_of_an_order(case, order, data):
    """What the arms of a run are made of: the rows of an order that may follow, pinned ones first."""
    sources, budget, constraints = case
    constraints = replace(constraints, cluster=clusters_of(data.draw, ROWS, sources), no_twins="exact@1")
    request = request_of(vectors_of(ROWS), budget, sources=sources, constraints=constraints)
    try:
        Ground(request.pool, constraints).check(budget)
    except UserError:
        assume(False)
    assert first_open(order, request) == plain_greedy(
        lambda _, i: -order.index(i), range(ROWS), sources, budget, constraints
    )
