"""stratified, k_means and difficulty_domain: shares, clusters and weights against their definitions."""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_selections import NAN, request_of, units, vectors_of
from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.selectors import directions, k_means
from suffice.selectors.constraints import Constraints
from suffice.selectors.difficulty_domain import DifficultyDomain, _rank
from suffice.selectors.k_means import KMeans
from suffice.selectors.stratified import Stratified

ONE = np.ones((1, 1), np.float32)


def drawn(selector, sources, budget, **settings):
    vectors = np.repeat(ONE, len(sources), axis=0)
    return selector.select(request_of(vectors, budget, sources=sources, **settings))


@settings(max_examples=40)
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=40), st.data())
def test_shares_are_those_of_webster(sources, data):
    budget = data.draw(st.integers(1, len(sources)))
    choices = drawn(Stratified(), sources, budget)
    counts = Counter(choice.evidence["source"] for choice in choices)
    sizes = Counter(sources)
    # Webster's shares are those for which no seat given is worth less than one that was not (Balinski and Young).
    last = min(sizes[name] / (2 * count - 1) for name, count in counts.items())
    following = [sizes[name] / (2 * counts[name] + 1) for name in sizes if counts[name] < sizes[name]]
    assert last >= max(following, default=0) - 1e-9
    assert len({choice.index for choice in choices}) == budget
    fewer = [choice.index for choice in drawn(Stratified(), sources, max(1, budget - 1))]
    assert [choice.index for choice in choices][: len(fewer)] == fewer


def test_equal_shares_go_as_far_as_the_rows_do():
    sources = ["a"] * 10 + ["b"] * 2 + ["c"] * 10
    counts = Counter(choice.evidence["source"] for choice in drawn(Stratified(equal=True), sources, 12))
    assert counts == {"a": 5, "b": 2, "c": 5}


def test_each_row_of_a_source_is_as_likely():
    sources = ["a"] * 4 + ["b"] * 2
    counts = Counter(c.index for seed in range(600) for c in drawn(Stratified(), sources, 3, seed=seed))
    for row, count in counts.items():
        assert count == pytest.approx(300, abs=60), row


def test_why_rows_were_drawn():
    sources = ["a", "b", "b", "b"]
    choices = drawn(Stratified(), sources, 2)
    assert [choice.reason for choice in choices] == [
        'drawn at random from the rows of "b" (3)',
        'drawn at random from the rows of "a" (1)',
    ]
    assert choices[0].evidence == {"source": "b", "size": 3, "turn": 1}


def test_clusters_are_those_of_the_nearest_centre_and_give_a_row_in_turn(monkeypatch):
    monkeypatch.setattr(directions, "BLOCK", 16)
    monkeypatch.setattr(k_means, "LEARNT", 40)
    centres = np.eye(5, dtype=np.float32)
    vectors = np.repeat(centres, [3, 10, 15, 20, 12], axis=0) + 0.05 * vectors_of(60, 5)
    vectors[59] = NAN
    request = request_of(vectors, 20)
    choices = KMeans(clusters=5).select(request)
    groups = np.repeat(np.arange(5), [3, 10, 15, 20, 12])
    assert Counter(groups[choice.index] for choice in choices) == {0: 3, 1: 5, 2: 4, 3: 4, 4: 4} or sorted(
        Counter(groups[choice.index] for choice in choices).values()
    ) == [3, 4, 4, 4, 5]
    for choice in choices:
        alike = [other for other in choices if other.evidence["cluster"] == choice.evidence["cluster"]]
        assert {groups[other.index] for other in alike} == {groups[choice.index]}
        assert choice.evidence["size"] == [3, 10, 15, 20, 11][groups[choice.index]]
        middle = request.pool.ids.index(choice.evidence["centre"])
        inside = [i for i in range(59) if groups[i] == groups[choice.index]]
        mean = units(vectors)[inside].mean(axis=0)
        assert middle in inside
        assert choice.evidence["cosine"] == pytest.approx(
            units(vectors)[choice.index] @ mean / np.linalg.norm(mean), abs=0.05
        )
        assert choice.reason == (
            f'drawn at random of the {choice.evidence["size"]} rows around "Question {middle}"'
        )
    assert [c.index for c in KMeans(clusters=5).select(request)] == [c.index for c in choices]


def test_there_are_no_more_clusters_than_rows_to_choose():
    choices = KMeans().select(request_of(vectors_of(30), 4))
    assert len({choice.evidence["cluster"] for choice in choices}) == 4


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(UserError) as caught:
        KMeans().select(request_of(vectors_of(30), 4))
    assert str(caught.value) == "the selector 'k_means' needs scikit-learn; pip install 'suffice[pools]'"


def test_a_rank_has_a_weight_of_half_the_one_before():
    draws = Draws(0, "test")
    counts = Counter(_rank(draws, 4) for _ in range(15_000))
    for rank, wanted in enumerate([8000, 4000, 2000, 1000]):
        assert counts[rank] == pytest.approx(wanted, abs=250)
    assert _rank(draws, 1) == 0


def test_domains_are_drawn_uniformly_and_hard_rows_more_often():
    sources, values = ["a"] * 2 + ["b"] * 8 + ["c"], [1, 2, *range(8), NAN]
    first = Counter(
        drawn(DifficultyDomain(), sources, 1, values=values, seed=seed)[0].index for seed in range(1200)
    )
    assert first[1] == pytest.approx(400, abs=60)
    assert first[0] == pytest.approx(200, abs=50)
    assert sum(first[row] for row in range(2, 10)) == pytest.approx(600, abs=75)
    assert first[9] == pytest.approx(600 * 128 / 255, abs=60)
    assert first[10] == 0


def test_the_rank_is_that_among_the_rows_left():
    sources, values = ["a"] * 6 + ["b"] * 3, [5, 3, 1, 4, 2, 0, 7, 9, 8]
    pool = request_of(np.repeat(ONE, 9, axis=0), 1).pool
    choices = drawn(
        DifficultyDomain(), sources, 9, values=values, constraints=Constraints(pin=(pool.ids[4],))
    )
    left = {name: [i for i in range(9) if sources[i] == name] for name in "ab"}
    for choice in choices:
        rows = left[choice.evidence["source"]]
        assert choice.evidence["left"] == len(rows)
        assert choice.evidence["rank"] == 1 + sum(values[i] > values[choice.index] for i in rows)
        assert choice.evidence["score"] == values[choice.index]
        rows.remove(choice.index)
    assert choices[0].reason == 'pinned; score 2, number 4 of the 6 left in "a"'
    assert not any(left.values())
