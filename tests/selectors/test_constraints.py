"""Constraints: the same rule for every selector, and exact texts where they cannot be met."""

from __future__ import annotations

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
