"""The smallest designs, against a plain search over all smaller ones."""

from dataclasses import replace

import pytest

from suffice.common.errors import UserError
from suffice.proof.design.plan import (
    MOST_ITEMS,
    RUNS,
    fewest_draws,
    fewest_items,
    fewest_runs,
    plan,
    rounded_up,
)
from suffice.proof.design.power import Design, power

MANY = 10**9


def test_the_fewest_runs_are_the_fewest():
    design = Design(items=MANY, runs=3)
    found = fewest_runs(design, 0.8)
    # With a run SD of 1 and a margin of 2: 77 % with five runs, 87 % with six.
    assert found == 6
    assert [power(replace(design, runs=runs)).non_inferiority >= 0.8 for runs in range(2, 8)] == [
        False
    ] * 4 + [True] * 2


def test_the_gain_over_random_may_ask_for_more_runs_than_the_yardstick():
    design = Design(items=MANY, runs=3, margin=6.0, gain=1.5)
    alone = fewest_runs(replace(design, random_runs=0), 0.8)
    both = fewest_runs(design, 0.8)
    assert alone == 3
    assert both > alone
    most = replace(design, random_runs=100)
    assert power(replace(most, runs=both)).superiority >= 0.8
    assert power(replace(most, runs=both - 1)).superiority < 0.8


def test_the_fewest_draws_are_the_fewest():
    design = Design(items=MANY, runs=6, gain=2.0)
    found = fewest_draws(design, 0.8)
    assert found == 5
    assert (
        power(replace(design, random_runs=4)).superiority
        < 0.8
        <= power(replace(design, random_runs=5)).superiority
    )


@pytest.mark.parametrize("design", [Design(items=1, runs=8), Design(items=1, runs=3, run_sd=0.2, margin=4.0)])
def test_the_fewest_items_are_the_fewest(design):
    found = fewest_items(design, 0.8)
    reached = [
        power(replace(design, items=items)).non_inferiority >= 0.8 for items in range(found - 200, found + 1)
    ]
    assert reached == [False] * 200 + [True]


def test_no_number_of_items_alone_helps_where_runs_dominate():
    assert fewest_items(Design(items=100, runs=3), 0.8) is None
    assert power(Design(items=MOST_ITEMS, runs=3)).non_inferiority < 0.8


def test_ten_items_may_be_enough():
    assert fewest_items(Design(items=100, runs=3, run_sd=0.1, margin=90.0), 0.8) <= 10


def test_the_table_spans_estimate_and_limit():
    design = Design(items=2000, runs=4, item_sd=20.0)
    found = plan(design, replace(design, run_sd=1.6))
    assert [row.runs for row in found.rows] == list(RUNS)
    for row in found.rows:
        at = replace(design, runs=row.runs)
        low, high = power(replace(at, run_sd=1.6)), power(at)
        assert row.enough == (low.non_inferiority, high.non_inferiority)
        assert row.gain == (low.superiority, high.superiority)
        assert row.enough[0] < row.enough[1]
        assert row.items == fewest_items(replace(at, run_sd=1.6), 0.8)
    assert found.planned.runs == 4
    assert (found.needed.run_sd, found.hoped.run_sd) == (1.6, 1.0)
    assert found.needed.runs > found.hoped.runs


def test_what_is_needed_reaches_the_power():
    for design in (Design(items=4000, runs=3), Design(items=500, runs=3)):
        found = plan(design).needed
        enough = Design(found.items, found.runs, found.draws)
        assert power(enough).non_inferiority >= 0.8
        assert power(enough).superiority >= 0.8


def test_the_pair_in_the_table_with_the_fewest_replies():
    found = plan(Design(items=500, runs=3))
    assert fewest_runs(Design(items=500, runs=3), 0.8) is None
    replies = {row.runs: row.runs * row.items for row in found.rows if row.items}
    assert found.needed.runs == min(replies, key=replies.get) == 10
    assert found.needed.items == replies[10] // 10 > 500


def test_the_sentences():
    assert plan(Design(items=4000, runs=3)).sentences == [
        "For a power of 80 % at a run SD of 1: 9 seeds, 3 draws and 4,000 items.",
        "With 3 seeds, no number of items alone reaches it: runs vary too much for this margin.",
    ]
    design = Design(items=1200, runs=8, run_sd=0.5, random_runs=0)
    assert plan(design, replace(design, run_sd=0.7), wanted=0.5).sentences == [
        "For a power of 50 % at a run SD of 0.7 (the upper limit): 6 seeds and 1,200 items.",
        "For a power of 50 % at a run SD of 0.5 (the estimate): 3 seeds and 1,200 items.",
        "With 8 seeds, 1,100 items reach it against the yardstick.",
    ]
    assert plan(Design(items=500, runs=1)).sentences == [
        "For a power of 80 % at a run SD of 1: 10 seeds, 3 draws and 3,400 items; on 500 items no number of seeds is enough.",
        "With 1 seed nothing can be shown: one run cannot show how much runs vary.",
    ]
    assert plan(Design(items=500, runs=3, gain=0.0)).sentences[0] == (
        "For a power of 80 % at a run SD of 1: 10 seeds and 3,400 items; on 500 items no number of seeds is enough; "
        "no number of draws up to 100 shows the gain over random."
    )
    assert plan(Design(items=500, runs=3, run_sd=9.0)).sentences[0] == (
        "For a power of 80 % at a run SD of 9: nothing up to 20 seeds and 1,000,000 items is enough; take a wider "
        "margin."
    )


def test_the_json_form():
    found = plan(Design(items=4000, runs=1), Design(items=4000, runs=1, run_sd=1.2, draw_sd=2.0)).as_json()
    assert list(found) == ["design", "power", "planned", "needed", "hoped", "table"]
    assert found["planned"] == {"seeds": 1, "enough": None, "gain": None, "items": None}
    sds = ("run_sd", "run_sd_limit", "draw_sd", "draw_sd_limit")
    assert [found["design"][name] for name in sds] == [1.0, 1.2, None, 2.0]
    assert found["hoped"] == {"run_sd": 1.0, "seeds": 9, "draws": 3, "items": 4000}
    assert [row["seeds"] for row in found["table"]] == list(RUNS)


def test_estimates_are_rounded_up_to_two_digits():
    assert [rounded_up(count) for count in (7, 42, 100, 101, 2450, 995_001)] == [
        "7", "42", "100", "110", "2,500", "1,000,000",
    ]  # fmt: skip


def test_refusals():
    for call, text in (
        (
            lambda: plan(Design(400, 3), wanted=1.0),
            "the power wanted is 1.0; give a power between 0 and 1, such as 0.8",
        ),
        (
            lambda: plan(Design(400, 3), Design(400, 3, run_sd=-1.0)),
            (
                "the power cannot be computed for a run SD of -1.0, a discordant share of 0.1, a margin of 2.0, a gain "
                "of 5.0 and an alpha of 0.05; give SDs and a margin of 0 or more, a share from 0 to 1, a gain and an "
                "alpha between 0 and 1"
            ),
        ),
    ):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value) == text
