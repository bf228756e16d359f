"""k_center, facility_location, dpp and graph_cut: against their definitions, looked at anew for every choice."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_selections import bounded, plain_greedy, request_of, units, vectors_of
from suffice.common import registry
from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.selectors import directions, facility_location, greedy
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.dpp import RIDGE, Dpp
from suffice.selectors.facility_location import FacilityLocation
from suffice.selectors.graph_cut import GraphCut
from suffice.selectors.k_center import KCenter

NAMES = ["k_center", "facility_location", "dpp", "graph_cut"]


def distance_gain(vectors, rows, budget):
    units_, mean = units(vectors), units(vectors)[rows].mean(axis=0)

    def gain(chosen, index):
        if not chosen:
            return units_[index] @ mean
        return min(np.linalg.norm(units_[index] - units_[i]) for i in chosen)

    return gain


def determinant_gain(vectors, rows, budget):
    kernel = (1 + units(vectors) @ units(vectors).T) / 2 + RIDGE * np.eye(len(vectors))

    def log_det(chosen):
        return np.linalg.slogdet(kernel[np.ix_(chosen, chosen)])[1] if chosen else 0.0

    return lambda chosen, index: log_det([*chosen, index]) - log_det(chosen)


def cut_gain(vectors, rows, budget):
    likeness = (1 + units(vectors) @ units(vectors).T) / 2

    def cut(chosen):
        penalty = len(rows) / (2 * budget)
        return (
            likeness[np.ix_(rows, chosen)].sum() - penalty * likeness[np.ix_(chosen, chosen)].sum()
        ) / len(rows)

    return lambda chosen, index: cut([*chosen, index]) - cut(chosen)


def service_gain(vectors, rows, budget):
    likeness = (1 + units(vectors) @ units(vectors).T) / 2

    def service(chosen):
        return likeness[np.ix_(rows, chosen)].max(axis=1).mean() if chosen else 0.0

    return lambda chosen, index: service([*chosen, *np.atleast_1d(index)]) - service(chosen)


GAINS = {
    "facility_location": service_gain,
    "k_center": distance_gain,
    "dpp": determinant_gain,
    "graph_cut": cut_gain,
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """A front and blocks smaller than the pools of these tests."""
    monkeypatch.setattr(greedy, "FRONT", 9)
    monkeypatch.setattr(greedy, "WAITING", 4)
    monkeypatch.setattr(directions, "BLOCK", 7)
    monkeypatch.setattr(facility_location, "FRONT", 6)
    monkeypatch.setattr(facility_location, "_TOGETHER", 5)
    monkeypatch.setattr(facility_location, "KEPT", 12 * 30)  # some similarities are kept and some are not


def check(name, request, vectors, missing, sources=None, constraints=NONE, pinned=()):
    rows = [i for i in range(len(vectors)) if i not in missing]
    gain = GAINS[name](vectors, rows, request.budget)
    choices = registry.load("selectors", name)().select(request)
    wanted = plain_greedy(gain, rows, sources or [""] * len(vectors), request.budget, constraints, pinned)
    chosen = [choice.index for choice in choices]
    # Where two rows are as good as each other to five digits, either is right: the gains are compared.
    for turn, (mine, theirs) in enumerate(zip(chosen, wanted, strict=True)):
        if mine != theirs:
            assert gain(chosen[:turn], mine) == pytest.approx(gain(chosen[:turn], theirs), abs=2e-5)
            return
    for turn, choice in enumerate(choices):
        before, evidence = chosen[:turn], choice.evidence
        if turn or name != "k_center":
            assert evidence["gain"] == pytest.approx(gain(before, choice.index), abs=2e-4)
        cosines = [units(vectors)[choice.index] @ units(vectors)[i] for i in before]
        assert evidence["cosine"] == pytest.approx(max(cosines, default=0), abs=1e-5)
        assert evidence["nearest"] == (request.pool.ids[before[int(np.argmax(cosines))]] if before else "")
        assert evidence["turn"] == turn + 1
        if evidence["beat"] and turn:
            rival = request.pool.ids.index(evidence["beat"])
            assert evidence["margin"] == pytest.approx(
                gain(before, choice.index) - gain(before, rival), abs=2e-4
            )
            assert rival not in before


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(seed=st.integers(0, 1000), width=st.integers(1, 6), budget=st.integers(1, 20), lost=st.integers(0, 3))
def test_every_choice_is_the_one_the_definition_makes(name, seed, width, budget, lost):
    missing = set(range(3, 3 + lost))
    vectors = vectors_of(30, width, seed, missing)
    check(name, request_of(vectors, budget), vectors, missing)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(bounded(24), st.integers(0, 1000), st.lists(st.integers(0, 23), max_size=2, unique=True))
def test_it_is_so_under_constraints(name, case, seed, pinned):
    sources, budget, constraints = case
    constraints = Constraints(at_least=constraints.at_least)
    if any(name not in sources for name in constraints.at_least):
        return
    pinned = [i for i in pinned if sources[i] in constraints.at_least][:1]
    pinned = [i for i in pinned if constraints.at_least[sources[i]] > 0]
    vectors = vectors_of(24, 4, seed)
    request = request_of(vectors, budget, sources=sources, constraints=constraints)
    pins = Constraints(pin=tuple(request.pool.ids[i] for i in pinned), at_least=constraints.at_least)
    request = request_of(vectors, budget, sources=sources, constraints=pins)
    check(name, request, vectors, (), sources, constraints, pinned)


def test_few_passes_are_made(monkeypatch):
    passes = []
    made = greedy._update
    monkeypatch.setattr(greedy, "FRONT", 200)
    monkeypatch.setattr(greedy, "WAITING", 50)
    monkeypatch.setattr(greedy, "_update", lambda *given: passes.append(1) or made(*given))
    KCenter().select(request_of(vectors_of(2000, 16), 200))
    assert len(passes) < 60


def test_k_center_is_within_twice_the_smallest_radius():
    """Four tight groups: the best four centres have a radius below the width of a group."""
    centres = np.eye(4, dtype=np.float32)
    vectors = np.repeat(centres, 10, axis=0) + 0.01 * vectors_of(40, 4)
    choices = KCenter().select(request_of(vectors, 4))
    assert sorted(choice.index // 10 for choice in choices) == [0, 1, 2, 3]


def test_facility_location_on_a_sample_chooses_among_all_rows(monkeypatch):
    vectors = vectors_of(400, 4)
    exact = FacilityLocation().select(request_of(vectors, 10))
    monkeypatch.setattr(facility_location, "SAMPLE", 100)
    monkeypatch.setattr(facility_location, "SERVED", 10)
    near, other = (FacilityLocation().select(request_of(vectors, 10, seed=seed)) for seed in (1, 2))
    served = set(Draws(1, "facility_location").sample(range(400), 100))
    assert not {choice.index for choice in near} <= served
    assert [choice.index for choice in near] != [choice.index for choice in other]
    gain = service_gain(vectors, range(400), 10)
    best, reached = (gain([], [c.index for c in some]) for some in (exact, near))
    assert best == pytest.approx(sum(choice.evidence["gain"] for choice in exact), abs=1e-4)
    assert 0.98 * best < reached <= best + 1e-9


def test_the_penalty_makes_the_cut_a_discrepancy():
    vectors, budget = vectors_of(40, 3), 5
    likeness = (1 + units(vectors) @ units(vectors).T) / 2
    chosen = [choice.index for choice in GraphCut().select(request_of(vectors, budget))]
    sums = [choice.evidence["gain"] for choice in GraphCut().select(request_of(vectors, budget))]
    mmd = likeness.mean() - 2 * likeness[:, chosen].mean() + likeness[np.ix_(chosen, chosen)].mean()
    assert mmd == pytest.approx(likeness.mean() - 2 * sum(sums) / budget, abs=1e-6)


def test_more_rows_than_dimensions_still_have_a_determinant():
    choices = Dpp().select(request_of(vectors_of(30, 2), 25))
    gains = [choice.evidence["gain"] for choice in choices]
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(gains))
    assert gains[-1] >= math.log(RIDGE) - 1e-3


def test_why_rows_were_taken():
    vectors = np.array([[1, 0], [1, 0.1], [-1, 0.2], [0, 1], [0, 0]], np.float32)
    first, second = KCenter().select(request_of(vectors, 2))
    assert first.reason == "the first: nearest to the mean of all"
    assert second.reason == (
        '1.41 from the nearest chosen row; most like "Question 3", cosine 0.00; beat "Question 1" by 0.072'
    )
    assert Dpp().select(request_of(vectors, 2))[1].reason == (
        'adds 0.00986 to the log-determinant; most like "Question 0", cosine -0.98; beat "Question 3" by 0.28'
    )
    assert GraphCut().select(request_of(vectors, 2))[1].reason.startswith("adds 0.")


@pytest.mark.parametrize("name", NAMES)
def test_what_they_need(name):
    selector = registry.load("selectors", name)()
    assert selector.name == name
    request = request_of(vectors_of(6, missing=[1, 2]), 5)
    with pytest.raises(UserError) as caught:
        selector.select(request)
    assert str(caught.value) == (
        "the budget of 5 rows is larger than the 4 rows that have a vector (2 of 6 have none); give --budget 4 or less"
    )
    request.scores.__dict__["vectors"] = None
    with pytest.raises(UserError) as caught:
        selector.select(request)
    assert str(caught.value) == (
        f"the selector '{name}' looks at the rows' vectors, and these scores hold none; "
        "score with --scorer sentence or embedding"
    )
