"""Random arms matched to the selection."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_selections import pool_of, request_of
from suffice.common.draws import Draws
from suffice.runs.arms import plan_arms
from suffice.runs.controls import compute_matched, length_matched
from suffice.runs.recipe import read_recipe
from suffice.scorers.protocol import Scores
from suffice.selectors.openings import Openings


def matched(lengths, selected, draws):
    request = request_of(np.zeros((len(lengths), 1), np.float32), len(selected))
    return length_matched(lengths, selected, draws, Openings(request, np.ones(len(lengths), dtype=bool)))


def test_lengths_are_matched_exactly_where_there_are_enough():
    lengths = np.repeat(np.arange(10, dtype=np.float32), 20)
    selected = [0, 1, 45, 46, 47, 190]
    drawn = matched(lengths, selected, Draws(0, "test"))
    assert Counter(lengths[drawn]) == Counter(lengths[selected])
    assert drawn != selected
    assert drawn == matched(lengths, selected, Draws(0, "test"))
    assert drawn != matched(lengths, selected, Draws(1, "test"))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.data())
def test_rows_are_different_and_as_near_as_a_greedy_search_finds(values, data):
    lengths = np.array(values, dtype=np.float32)
    size = data.draw(st.integers(1, len(values)))
    selected = list(range(size))
    drawn = matched(lengths, selected, Draws(3, "test"))
    assert len(set(drawn)) == size
    # No row is farther off than the farthest there is, and the whole pool can always be drawn.
    assert set(drawn) == set(selected) or size < len(values)


def test_every_row_of_a_length_can_be_drawn():
    lengths = np.array([1.0] * 5 + [9.0] * 5, dtype=np.float32)
    seen = {row for seed in range(100) for row in matched(lengths, [0, 9], Draws(seed, "test"))}
    assert seen == set(range(10))


def test_compute_matched_spends_a_forward_pass_on_rows():
    # 3,000 rows read once cost 1,000 row visits of training; 1,000 rows in 125 steps of 32 have 4,000.
    assert compute_matched(1000, 125, 32, 3000, passes=1 / 3) == (1250, 156)
    assert compute_matched(1000, 125, 32, 3000, passes=0.0) == (1000, 125)
    assert compute_matched(1000, 125, 32, 1100, passes=1 / 3)[0] == 1092
    assert compute_matched(100, 1, 32, 300, passes=1 / 3)[0] == 300  # the pool has no more


@pytest.mark.parametrize("kind", ["length-matched", "compute-matched"])
def test_they_are_arms_of_a_run(kind):
    settings_ = {"pool": ["p"], "target.file": "t", "training.batch_size": 4, "training.epochs": 2,
                 "design.arms": ["base", kind, "selected"], "design.draws": 2, "design.seeds": 1}  # fmt: skip
    lengths = Scores([str(i) for i in range(48)], np.arange(48, dtype=np.float32) // 4)
    runs = plan_arms(read_recipe("lima", settings_), pool_of(["made"] * 48), [0, 9, 20, 33], lengths)
    mine = [run for run in runs if run.kind == kind]
    assert [(run.draw, run.seed) for run in mine] == [(0, 0), (1, 1)]
    size = {"length-matched": 4, "compute-matched": 12}[kind]
    assert {run.arm for run in mine} == {f"{kind}-{size}"}
    assert all(len(set(run.rows)) == size for run in mine)
    assert {run.steps for run in mine} == {{"length-matched": 2, "compute-matched": 6}[kind]}
