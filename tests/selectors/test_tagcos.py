"""TAGCOS: orthogonal matching pursuit of cluster centres, against the definition by another solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from made_data import make_pool
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.protocol import SelectionRequest
from suffice.selectors.tagcos import TAGCOS, non_negative


def request(vectors, budget, **more):
    pool = make_pool(len(vectors))
    scores = Scores(pool.ids, np.full(len(pool), np.nan, np.float32), vectors=vectors.astype(np.float32))
    return SelectionRequest(pool, scores, budget, **more)


def made(rows, width=6, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)) + 0.5


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(0, 10_000))
def test_weights_are_the_least_of_the_penalised_sum(count, seed):
    random = np.random.default_rng(seed)
    vectors, wanted = random.normal(size=(count, 4)), random.normal(size=4)

    def total(x):
        return ((wanted - x @ vectors) ** 2).sum() + 0.7 * (x**2).sum()

    found = non_negative(vectors, wanted, 0.7)
    assert (found >= 0).all()
    other = minimize(
        total, np.ones(count), bounds=[(0, None)] * count, method="L-BFGS-B", options={"ftol": 1e-15}
    )
    assert total(found) <= other.fun + 1e-8


def pursued(directions, budget):
    """Chooses from one cluster by the definition: the residual of the best weights, found anew for each choice."""
    centre = directions.mean(axis=0)
    chosen, active = [], []
    while len(chosen) < budget:
        lack = centre
        if active:
            part = directions[active]
            best = minimize(
                lambda x: ((centre - x @ part) ** 2).sum() + (x**2).sum(),  # noqa: B023
                np.zeros(len(active)), bounds=[(0, None)] * len(active), method="L-BFGS-B",
                options={"ftol": 1e-15, "gtol": 1e-12},
            )  # fmt: skip
            lack = centre - best.x @ part
        left = [i for i in range(len(directions)) if i not in chosen]
        if active and max(directions[i] @ lack for i in left) <= 0:
            active, lack = [], centre
        row = max(left, key=lambda i: directions[i] @ lack)
        chosen.append(row)
        active.append(row)
    return chosen


@pytest.mark.parametrize("seed", range(4))
def test_one_cluster_is_pursued_by_the_definition(seed):
    vectors = made(30, seed=seed).astype(np.float32)
    directions = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(float)
    found = [choice.index for choice in TAGCOS(clusters=1).select(request(vectors, 12))]
    assert found == pursued(directions, 12)


def test_clusters_have_turns_by_their_size_and_rows_of_their_own():
    random = np.random.default_rng(1)
    near = [random.normal(scale=0.05, size=(n, 3)) + 4 * np.eye(3)[k] for k, n in enumerate((24, 12, 4))]
    vectors = np.concatenate(near)
    choices = TAGCOS(clusters=3).select(request(vectors, 10))
    sizes = [choice.evidence["size"] for choice in choices]
    assert sorted(sizes, reverse=True) == [24] * 6 + [12] * 3 + [4]
    for choice in choices:
        group = 0 if choice.index < 24 else 1 if choice.index < 36 else 2
        assert choice.evidence["size"] == (24, 12, 4)[group]
    assert sizes[:3] == [24, 12, 24]
    again = TAGCOS(clusters=3).select(request(vectors, 10))
    assert [choice.index for choice in again] == [choice.index for choice in choices]


def test_what_is_lacking_falls_with_each_choice_and_evidence_is_plain():
    choices = TAGCOS(clusters=1).select(request(made(40), 6))
    lacking = [choice.evidence["lacking"] for choice in choices]
    assert lacking == sorted(lacking, reverse=True)
    assert {tuple(map(type, choice.evidence.values())) for choice in choices} == {
        (int, int, float, float, int)
    }
    assert choices[0].reason.startswith("most like what the centre of its 40 rows still lacked (0.")


def test_pins_bans_and_rows_without_a_vector():
    vectors = made(20)
    vectors[[3, 4]] = np.nan
    ids = make_pool(20).ids
    constraints = Constraints(pin=(ids[7],), ban=(ids[8], ids[9]))
    choices = TAGCOS(clusters=2).select(request(vectors, 16, constraints=constraints))
    indices = [choice.index for choice in choices]
    assert indices[0] == 7
    assert choices[0].reason.startswith("pinned; one of those for what the centre")
    assert len(set(indices)) == 16
    assert not {3, 4, 8, 9} & set(indices)
