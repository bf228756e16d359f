"""Arms: the rows, seeds and steps of every run."""

from collections import Counter

import numpy as np
import pytest

from made_selections import pool_of
from suffice.runs.arms import plan_arms
from suffice.runs.recipe import read_recipe
from suffice.runs.tokens import Lengths
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.openings import holds

POOL, CHOSEN = 40, [3, 1, 30, 7, 12, 5, 8, 9]
MADE = pool_of(["made"] * POOL)
LENGTHS = Scores([str(i) for i in range(POOL)], np.array([5.0] * 39 + [9.0], dtype=np.float32))


def plan(**overrides):
    given = {
        "pool": ["p"],
        "target.file": "t",
        "training.batch_size": 4,
        "training.epochs": 1,
        "selection.budget": 8,
    }
    recipe = read_recipe(
        "lima", given | {name.replace("__", "."): value for name, value in overrides.items()}
    )
    return plan_arms(recipe, MADE, CHOSEN, LENGTHS)


ARMS = ["base", "random", "longest", "length-matched", "compute-matched", "selected", "full"]


def test_all_arms_but_full_hold_to_the_constraints():
    """So that what is compared is the choice within them."""
    sources = ["a" if i % 4 else "b" for i in range(POOL)]
    pool = pool_of(sources)
    cluster = np.arange(POOL) // 2 * 2
    constraints = Constraints(
        (pool.ids[39],), (pool.ids[5],), {"b": 3}, {"b": 5}, no_twins="near@0.8", cluster=cluster
    )
    chosen = [39, 0, 4, 8, 13, 15, 17, 19]
    lengths = Scores(pool.ids, np.arange(POOL, dtype=np.float32))
    given = {
        "pool": ["p"],
        "target.file": "t",
        "training.batch_size": 4,
        "design.arms": ARMS,
        "design.draws": 9,
    }
    runs = plan_arms(read_recipe("lima", given), pool, chosen, lengths, constraints=constraints)
    for run in runs:
        if run.kind in ("random", "longest", "length-matched", "compute-matched"):
            assert run.rows[0] == 39, run.arm
            assert holds(run.rows, pool, constraints), run.arm
    assert [run.pool_rows for run in of(runs, "full")] == [POOL] * 3
    [longest] = {run.rows for run in of(runs, "longest")}
    assert longest == (39, 36, 35, 32, 31, 28, 27, 24)  # of a pair in two sources the first row
    # At most 5 rows of "b" and one of each pair of "a": the control cannot spend all that it was given.
    assert {len(run.rows) for run in of(runs, "compute-matched")} <= set(range(8, 16))
    assert len({run.rows for run in of(runs, "random")}) == 9


def test_a_budget_of_tokens_is_that_of_every_arm():
    values = np.arange(POOL) % 7 + 1
    tokens = Lengths(values, "tokens")
    chosen = [i for i in range(POOL) if values[i] == 3][:5]  # 15 tokens of 16
    given = {"pool": ["p"], "target.file": "t", "training.batch_size": 4, "design.arms": ARMS, "design.draws": 9,
             "selection.budget_tokens": 16, "training.match": "epochs", "training.epochs": 2}  # fmt: skip
    lengths = Scores(MADE.ids, values.astype(np.float32))
    runs = plan_arms(read_recipe("lima", given), MADE, chosen, lengths, tokens=tokens)
    for run in of(runs, "random"):
        assert tokens.total(run.rows) <= 16
        assert tokens.total(run.rows) > 16 - 7  # the next row of the draw does not fit
        assert run.pool_rows == len(run.rows)
        assert run.steps == -(-len(run.rows) // 4) * 2
    assert len({run.pool_rows for run in of(runs, "random")}) > 1
    assert {run.rows for run in of(runs, "longest")} == {(6, 13)}  # 14 tokens; a third row of 7 does not fit
    assert {run.arm for run in runs if run.kind not in ("base", "full", "compute-matched")} == {
        "random-16t", "longest-16t", "length-matched-16t", "selected-16t",
    }  # fmt: skip
    [name] = {run.arm for run in of(runs, "compute-matched")}
    assert int(name.removeprefix("compute-matched-").removesuffix("t")) > 16


def of(runs, kind):
    return [run for run in runs if run.kind == kind]


def test_names_counts_and_seeds():
    runs = plan(design__draws=4, design__seeds=2, seed=10)
    assert Counter(run.arm for run in runs) == {
        "base": 1, "random-8": 4, "longest-8": 2, "selected-8": 2, "full": 2,
    }  # fmt: skip
    assert [(run.index, run.seed) for run in of(runs, "random")] == [(0, 10), (1, 11), (2, 12), (3, 13)]
    [base] = of(runs, "base")
    assert (base.rows, base.steps, base.pool_rows) == ((), 0, 0)


def test_equal_steps_and_full_sees_a_part_once():
    runs = plan()
    assert {run.steps for run in runs if run.kind != "base"} == {2}
    full = of(runs, "full")
    for run in full:
        assert len(run.rows) == 8 == len(set(run.rows))
        assert run.pool_rows == POOL
    assert len({run.rows for run in full}) == 3  # each seed another part
    assert all(run.rows == tuple(CHOSEN) for run in of(runs, "selected"))


def test_equal_epochs_give_full_all_its_rows():
    runs = plan(training__match="epochs", training__epochs=2)
    assert {run.kind: run.steps for run in runs} == {
        "base": 0,
        "random": 4,
        "longest": 4,
        "selected": 4,
        "full": 20,
    }
    assert all(run.rows == tuple(range(POOL)) for run in of(runs, "full"))


def test_steps_follow_a_selection_made_elsewhere_whatever_the_budget():
    assert {run.steps for run in plan(selection__budget=1000) if run.kind != "base"} == {2}


def test_too_few_steps_show_a_part_of_the_selection():
    for run in of(plan(training__steps=1), "selected"):
        assert len(run.rows) == 4
        assert set(run.rows) < set(CHOSEN)
        assert run.pool_rows == 8


def test_random_draws_differ_and_are_seeded():
    first, again, other = plan(), plan(), plan(seed=1)
    draws = [run.rows for run in of(first, "random")]
    assert draws == [run.rows for run in of(again, "random")]
    assert len({frozenset(rows) for rows in draws}) == 5
    assert all(len(set(rows)) == 8 for rows in draws)
    assert set(draws).isdisjoint(run.rows for run in of(other, "random"))


def test_longest_takes_ties_in_pool_order():
    assert {run.rows for run in of(plan(), "longest")} == {(39, 0, 1, 2, 3, 4, 5, 6)}


def test_only_the_arms_asked_for():
    assert [run.arm for run in plan(design__arms=["base", "selected"], design__seeds=1)] == [
        "base",
        "selected-8",
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_row_can_be_drawn(seed):
    seen = Counter(row for run in of(plan(design__draws=200, seed=seed), "random") for row in run.rows)
    assert len(seen) == POOL
    assert max(seen.values()) < 75  # 40 expected, standard deviation 5.7


def test_the_curve_adds_budgets_and_leaves_the_verdicts_arms_alone():
    curve = {
        "selected": {2: [3, 1], 20: list(range(20))},
        "longest": {2: [39, 0], 8: [39, 0, 1, 2, 3, 4, 5, 6]},
    }
    settings = {"pool": ["p"], "target.file": "t", "training.batch_size": 4, "training.epochs": 1,
                "design.budgets": [2, 20], "design.seeds": 2, "design.draws": 2}  # fmt: skip
    runs = plan_arms(read_recipe("lima", settings), MADE, CHOSEN, LENGTHS, curve=curve)
    assert Counter(run.arm for run in runs if not run.curve) == {
        "base": 1, "random-8": 2, "longest-8": 2, "selected-8": 2, "full": 2,
    }  # fmt: skip
    assert Counter(run.arm for run in runs if run.curve) == {
        "random-2": 2, "random-20": 2, "selected-2": 2, "selected-20": 2, "longest-2": 2,
    }  # fmt: skip
    assert {run.steps for run in runs if run.kind != "base"} == {2}
    assert {run.method for run in runs} == {"base", "random", "longest", "selected", "full"}
    [first] = [run for run in runs if run.arm == "random-2" and run.draw == 0]
    [more] = [run for run in runs if run.arm == "random-8" and run.draw == 0]
    assert first.rows == more.rows[:2]  # a draw of few rows is the beginning of its larger ones


def test_several_seeds_of_a_draw_train_on_the_same_rows():
    runs = of(plan(design__draws=2, design__draw_seeds=2, seed=3), "random")
    assert [(run.index, run.draw, run.seed) for run in runs] == [
        (0, 0, 3),
        (1, 0, 10_003),
        (2, 1, 4),
        (3, 1, 10_004),
    ]
    assert runs[0].rows == runs[1].rows != runs[2].rows == runs[3].rows


def test_an_arm_of_few_rows_has_a_batch_of_as_many():
    settings = {
        "pool": ["p"],
        "target.file": "t",
        "training.batch_size": 32,
        "design.arms": ["base", "selected"],
    }
    for run in plan_arms(read_recipe("lima", settings), MADE, CHOSEN, LENGTHS):
        assert run.batch == (1 if run.kind == "base" else 8)
