"""Pools with sources, vectors and scores made in code, and requests for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from made_data import chat, make_example
from suffice.data.example import Example
from suffice.data.pool import Pool
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.protocol import SelectionRequest

NAN = float("nan")


def pool_of(sources) -> Pool:
    """Rows ``Question 0`` and so on, one for each source named."""
    rows = (make_example(chat(f"Question {i}", "x"), i + 1) for i in range(len(sources)))
    made: list[Example] = [
        Example(row.id, row.messages, None, source, None, row.file, row.line)
        for row, source in zip(rows, sources, strict=True)
    ]
    return Pool.from_examples(made)


def vectors_of(rows: int, width: int = 5, seed: int = 0, missing=()) -> np.ndarray:
    """Vectors of any norm; those of some rows are missing."""
    made = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    made[list(missing)] = NAN
    return made


def request_of(
    vectors, budget: int, *, values=None, sources=None, constraints: Constraints = NONE, seed: int = 0
) -> SelectionRequest:
    rows = len(vectors)
    pool = pool_of(sources or ["made"] * rows)
    values = np.full(rows, NAN, np.float32) if values is None else np.array(values, np.float32)
    return SelectionRequest(
        pool, Scores(pool.ids, values, vectors=vectors), budget, seed=seed, constraints=constraints
    )


def units(vectors) -> np.ndarray:
    vectors = np.array(vectors, np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def may_follow(chosen, sources, budget, constraints, index) -> bool:
    """The definition of an open row: with it the selection can still be completed within the bounds."""
    cluster = constraints.cluster
    if cluster is not None and cluster[index] in cluster[list(chosen)]:
        return False
    if constraints.language is not None and constraints.language[index] not in constraints.languages:
        return False
    then = [sources[i] for i in (*chosen, index)]
    lacking = sum(max(0, least - then.count(name)) for name, least in constraints.at_least.items())
    full = any(then.count(name) > most for name, most in constraints.at_most.items())
    return index not in chosen and not full and lacking <= budget - len(then)


def plain_greedy(gain, rows, sources, budget, constraints, pinned=()) -> list[int]:
    """Takes the best row that may follow each time, the first of equals; ``gain(chosen, index)`` looks anew."""
    chosen = list(pinned)
    while len(chosen) < budget:
        able = [i for i in rows if may_follow(chosen, sources, budget, constraints, i)]
        chosen.append(max(able, key=lambda i: (round(gain(chosen, i), 5), -i)))
    return chosen


SOURCES = ["a", "b", "c"]


@st.composite
def bounded(draw, rows: int):
    """Sources of rows, a budget, and bounds that can be met with pins and bans."""
    sources = draw(st.lists(st.sampled_from(SOURCES), min_size=rows, max_size=rows))
    there = {name: sources.count(name) for name in SOURCES}
    budget = draw(st.integers(1, rows // 2))
    at_least, at_most, left = {}, {}, budget
    for name in SOURCES[:2]:
        if there[name] and draw(st.booleans()):
            least = draw(st.integers(0, min(left, there[name], 3)))
            left -= least
            at_least[name] = least
            if draw(st.booleans()):
                at_most[name] = draw(st.integers(least, rows))
    return sources, budget, Constraints(at_least=at_least, at_most=at_most)


def with_pins(constraints: Constraints, pool: Pool, pinned, banned=()) -> Constraints:
    return replace(
        constraints, pin=tuple(pool.ids[i] for i in pinned), ban=tuple(pool.ids[i] for i in banned)
    )
