"""The split of the spread between runs: by hand, by expected mean squares in matrices, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.proof.spread import spread


def layout(sizes):
    """The draw and the seed of each run, ``sizes`` runs a draw."""
    draws = [draw for draw, size in enumerate(sizes) for _ in range(size)]
    seeds = [seed for size in sizes for seed in range(size)]
    return draws, seeds


def test_hand_computed_balanced():
    # Means 11, 15, 16; MSW = (2 + 2 + 8) / 3 = 4; MSB = 2 (9 + 1 + 4) / 2 = 14; draw² = (14 - 4) / 2 = 5.
    found = spread([10, 12, 14, 16, 14, 18], *layout([2, 2, 2]))
    assert found.seed_sd == pytest.approx(2)
    assert found.draw_sd == pytest.approx(math.sqrt(5))
    assert found.total_sd == pytest.approx(3)
    assert (found.draws, found.runs) == (3, 6)
    assert found.sentence == (
        "Spread (SD) of 3 over 6 runs of 3 draws, told apart: 2.24 between draws and 2 between training seeds."
    )


def test_hand_computed_unbalanced():
    # Draws (1, 3), (5, 7, 9) and (6): means 2, 7, 6, in all 31/6. MSW = (2 + 8) / 3 = 10/3.
    # MSB = (2 (19/6)² + 3 (11/6)² + (5/6)²) / 2 = 1110/72, and n0 = (6 - 14/6) / 2 = 11/6.
    found = spread([1, 3, 5, 7, 9, 6], *layout([2, 3, 1]))
    assert found.seed_sd == pytest.approx(math.sqrt(10 / 3))
    assert found.draw_sd == pytest.approx(math.sqrt((1110 / 72 - 10 / 3) / (11 / 6)))


@pytest.mark.parametrize("sizes", [[2, 2], [3, 2, 1], [1, 4, 2, 2], [5, 1]])
def test_the_mean_squares_have_the_expectations_that_are_used(sizes):
    # E[y'Qy] = trace(Q V) for the quadratic forms Q of MSB and MSW, with V = draw² ZZ' + seed² I.
    draws, _ = layout(sizes)
    runs, count = len(draws), len(sizes)
    member = np.eye(count)[draws]
    means = member @ np.diag(1 / member.sum(axis=0)) @ member.T
    between = (means - np.full((runs, runs), 1 / runs)) / (count - 1)
    within = (np.eye(runs) - means) / (runs - count)
    together = member @ member.T
    per_draw = (runs - sum(size**2 for size in sizes) / runs) / (count - 1)
    assert np.trace(between @ together) == pytest.approx(per_draw)
    assert np.trace(within @ together) == pytest.approx(0, abs=1e-12)
    assert (np.trace(between), np.trace(within)) == pytest.approx((1, 1))
    # And the estimates are those forms.
    values = np.random.default_rng(0).normal(size=runs)
    msb, msw = values @ between @ values, values @ within @ values
    expected = max(0.0, (msb - msw) / per_draw) + msw
    assert spread(values, *layout(sizes)).total_sd == pytest.approx(math.sqrt(expected))


def test_the_estimates_are_right_on_average():
    rng = np.random.default_rng(3)
    draws, seeds = layout([3, 2, 2, 1, 1, 4])
    member = np.eye(6)[draws]
    found = [spread(member @ rng.normal(0, 2, 6) + rng.normal(0, 1, 13), draws, seeds) for _ in range(1500)]
    # The draw's variance is cut off at 0, which lifts its mean a little; standard error 0.08 of 4.
    assert np.mean([one.seed_sd**2 for one in found]) == pytest.approx(1, abs=0.06)
    assert np.mean([one.draw_sd**2 for one in found]) == pytest.approx(4, abs=0.35)


def test_one_seed_a_draw_gives_the_sum():
    found = spread([1, 2, 4], [0, 1, 2], [0, 1, 2])
    assert (found.draw_sd, found.seed_sd) == (None, None)
    assert found.total_sd == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert found.sentence == (
        "Spread (SD) of 1.53 over 3 runs of 3 draws, draw and training seed together: "
        "to tell them apart takes two seeds on two draws."
    )


def test_several_seeds_on_one_draw_do_not_count_as_draws():
    # The plain SD of the scores would take the three close runs of draw 0 for draws.
    values = [5, 5.1, 4.9, 1, 9]
    found = spread(values, [0, 0, 0, 1, 2], [0, 1, 2, 0, 0])
    assert (found.draw_sd, found.seed_sd) == (None, None)
    # MSB = (3·0 + 16 + 16) / 2, as all means average 5; MSW = 0.01; n0 = (5 - 11/5) / 2 = 1.4.
    assert found.total_sd == pytest.approx(math.sqrt((16 - 0.01) / 1.4 + 0.01))
    assert found.total_sd > np.std(values, ddof=1)


def test_one_set_of_rows_shows_training_alone():
    found = spread([1, 2, 4], [7, 7, 7], [0, 1, 2])
    assert found.draw_sd is None
    assert found.seed_sd == found.total_sd == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert found.sentence == (
        "Spread (SD) of 1.53 over 3 training seeds on one set of rows: training alone, no draw in it."
    )


def test_a_draw_that_adds_nothing_is_zero_and_not_less():
    found = spread([1, 3, 1, 3], *layout([2, 2]))
    assert found.draw_sd == 0
    assert found.seed_sd == found.total_sd == pytest.approx(math.sqrt(2))


def test_equal_runs_have_no_spread_and_say_what_that_means():
    found = spread([40.0, 40.0, 40.0], [0, 1, 2], [0, 0, 0])
    assert found.total_sd == 0
    assert found.sentence.endswith("All runs score the same, which does not show that they never vary.")


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(-100, 100), st.integers(0, 3)), min_size=2, max_size=10), st.floats(-50, 50)
)
def test_order_and_a_constant_change_nothing(runs, shift):
    values, draws = zip(*runs, strict=True)
    found = spread(values, draws, range(len(runs)))
    other = spread(np.add(values, shift)[::-1], draws[::-1], range(len(runs)))
    assert other.total_sd == pytest.approx(found.total_sd, rel=1e-6, abs=1e-6)
    assert found.total_sd >= 0
    if found.draw_sd is not None:
        assert math.hypot(found.draw_sd, found.seed_sd) == pytest.approx(found.total_sd)


@pytest.mark.parametrize(
    ("scores", "draws", "seeds", "message"),
    [
        ([1.0], [0], [0], "1 run cannot show how much runs vary; train two runs or more"),
        ([], [], [], "0 runs cannot show how much runs vary; train two runs or more"),
        (
            [1.0, 2.0],
            [0],
            [0, 1],
            "there are scores of shape [2], 1 draws and 2 seeds; give one of each for every run",
        ),
        (
            [1.0, math.nan],
            [0, 3],
            [0, 1],
            "the run of draw 3 and seed 1 has the score nan; score every item of it with a finite number",
        ),
        ([1.0, 2.0], [3, 3], [1, 1], "the run of draw 3 and seed 1 is there twice; give every run once"),
    ],
)
def test_bad_runs_are_refused(scores, draws, seeds, message):
    with pytest.raises(UserError) as error:
        spread(scores, draws, seeds)
    assert str(error.value) == message
