"""The verdict: outcome, yardstick, selector, sentence and JSON form."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from suffice.common.errors import UserError
from suffice.proof import ArmScores, prove

ITEMS = 400
KINDS = ("base", "random", "longest", "selected", "full")


def arm(kind, *solved):
    """An arm whose runs each solve the first `solved` of the items."""
    return ArmScores(
        kind, kind, np.array([[100.0 * (item < count) for item in range(ITEMS)] for count in solved])
    )


def judge(*arms, **more):
    items = arms[0].scores.shape[1]
    return prove(
        arms, clusters=[str(i) for i in range(items)], families=["fact"] * items, **{"margin": 2.0, **more}
    )


BASE = arm("base", 10)
RANDOM = arm("random", 100, 110, 90, 105, 95)
FULL = arm("full", 380, 381, 379)
GOOD = arm("selected", 388, 387, 389)


def test_enough():
    found = judge(BASE, RANDOM, GOOD, FULL, chosen=1000, pool_rows=15204)
    assert (found.outcome, found.yardstick, found.selector) == ("sufficient", "full", "better than random")
    assert found.sentence == "1,000 of 15,204 rows are enough (97.0 % against 95.0 % for all; margin 2)."


def test_the_json_form_is_stable():
    form = judge(BASE, RANDOM, GOOD, FULL).as_json()
    assert list(form) == ["outcome", "yardstick", "selector", "sentence", "comparisons"]
    assert [tuple(one) for one in form["comparisons"]] == [
        ("against", "kind", "difference", "low", "high", "margin")
    ] * 3
    assert [(one["against"], one["kind"], one["margin"]) for one in form["comparisons"]] == [
        ("full", "non-inferiority", 2.0),
        ("base", "superiority", 0.0),
        ("random", "superiority", 0.0),
    ]
    assert form["comparisons"][0]["difference"] == pytest.approx(2.0)
    assert json.loads(json.dumps(form, allow_nan=False)) == form


def test_the_difference_from_random_is_from_the_mean_of_the_draws():
    found = judge(BASE, RANDOM, GOOD, FULL)
    assert found.comparisons[2].interval.estimate == pytest.approx(100 * (388 - 100) / 400)


def test_arms_carry_their_intervals():
    found = judge(BASE, RANDOM, GOOD, FULL)
    assert [one.name for one in found.arms] == ["base", "random", "selected", "full"]
    random = found.arms[1]
    assert random.runs == pytest.approx((25.0, 27.5, 22.5, 26.25, 23.75))
    assert random.score.low < random.score.estimate == 25.0 < random.score.high
    assert random.families["fact"] == random.score


def test_not_enough():
    found = judge(BASE, RANDOM, arm("selected", 200, 202, 198), FULL)
    assert (found.outcome, found.selector) == ("not sufficient", "better than random")
    assert (
        found.sentence == "Not enough: the chosen rows fall short (50.0 % against 95.0 % for all; margin 2)."
    )


def test_worse_than_base_is_not_enough():
    found = judge(arm("base", 300), arm("selected", 200, 201, 199), arm("random", 240, 244, 248))
    assert (found.outcome, found.yardstick, found.selector) == ("not sufficient", "random", "worse")
    worse = judge(arm("base", 300), arm("selected", 200, 201, 199), arm("random", 196, 204, 200), chosen=50)
    assert worse.outcome == "not sufficient"
    assert worse.sentence == (
        "Not enough: 50 rows are worse than no training (50.0 % against 75.0 % for base); "
        "the full pool was not trained on."
    )


def test_an_open_outcome_says_what_would_settle_it():
    found = judge(BASE, RANDOM, arm("selected", 372, 380, 388), FULL)
    assert found.outcome == "inconclusive"
    settling = found.comparisons[0].settling
    assert (settling.runs, settling.items) == (4, None)
    assert found.sentence == (
        "Cannot tell yet: about 4 more runs per arm would settle it, no number of items alone "
        "(95.0 % against 95.0 % for all; margin 2)."
    )


def test_a_full_pool_no_better_than_base_is_no_yardstick():
    found = judge(BASE, RANDOM, arm("longest", 200, 204, 196), GOOD, arm("full", 10, 11, 9), chosen=1000)
    assert (found.outcome, found.yardstick) == ("sufficient", "longest")
    assert found.sentence == (
        "1,000 rows are enough (97.0 % against 50.0 % for longest; margin 2); "
        "the full pool is no yardstick, not being shown above base (2.5 % against 2.5 %)."
    )
    assert [(one.against, one.kind) for one in found.comparisons] == [
        ("longest", "non-inferiority"),
        ("base", "superiority"),
        ("random", "superiority"),
        ("full", "non-inferiority"),
    ]


def test_a_yardstick_within_the_margin_proves_little_and_the_sentence_says_so():
    found = judge(arm("base", 0), arm("random", 8, 8, 8), arm("selected", 40, 41, 39))
    assert (found.outcome, found.yardstick) == ("sufficient", "random")
    assert found.sentence == (
        "The chosen rows are enough (10.0 % against 2.0 % for random; margin 2); this says little, for no "
        "selection could fall below a yardstick that scores no more than the margin; the full pool was not "
        "trained on."
    )
    above = judge(arm("base", 0), arm("random", 9, 9, 9), arm("selected", 40, 41, 39))
    assert "this says little" not in above.sentence


def test_without_full_the_best_other_arm_is_the_yardstick():
    found = judge(BASE, RANDOM, GOOD)
    assert (found.outcome, found.yardstick, found.selector) == ("sufficient", "random", "better than random")
    assert [(one.against, one.kind) for one in found.comparisons] == [
        ("random", "non-inferiority"),
        ("base", "superiority"),
        ("random", "superiority"),
    ]


def test_with_base_alone_the_sentence_claims_no_more_than_that():
    found = judge(BASE, GOOD)
    assert (found.outcome, found.yardstick, found.selector) == ("sufficient", "base", "cannot tell")
    assert found.sentence == (
        "The chosen rows are better than no training (97.0 % against 2.5 % for base); the full pool was not "
        "trained on; no other arm was run, so base is the only yardstick; random was not run, so nothing shows "
        "whether choosing paid."
    )


def test_without_base_nothing_is_shown():
    found = judge(RANDOM, GOOD, FULL)
    assert (found.outcome, found.yardstick, found.selector) == ("inconclusive", "full", "better than random")
    assert found.sentence == (
        "Cannot tell yet: base was not run, so nothing shows that training helped; run it as well "
        "(97.0 % against 95.0 % for all; margin 2)."
    )
    assert judge(GOOD).outcome == "inconclusive"


def test_one_run_is_no_evidence_about_a_method():
    found = judge(BASE, RANDOM, arm("selected", 390), arm("full", 380))
    assert (found.outcome, found.yardstick, found.selector) == ("inconclusive", "full", "cannot tell")
    comparison = found.comparisons[0].as_json()
    assert (comparison["difference"], comparison["low"], comparison["high"]) == (
        pytest.approx(2.5),
        None,
        None,
    )
    assert found.sentence == (
        "Cannot tell yet: selected and full have one run, and one run cannot show how much runs vary; three runs "
        "per arm would (97.5 % against 95.0 % for all; margin 2)."
    )


def test_a_margin_of_zero_asks_for_better():
    assert judge(BASE, arm("selected", 380, 381, 379), FULL, margin=0).outcome == "inconclusive"
    assert judge(BASE, arm("selected", 395, 396, 394), FULL, margin=0).outcome == "sufficient"


def test_three_items_are_too_few_to_tell():
    full = np.ones((3, 3))
    found = judge(
        ArmScores("base", "base", np.zeros((1, 3))),
        ArmScores("selected", "selected", full),
        ArmScores("full", "full", full),
    )
    assert found.outcome == "inconclusive"
    assert found.comparisons[-1].against == "full"
    assert found.comparisons[-1].interval.low < -50


def test_one_item_is_too_few_to_tell():
    found = judge(ArmScores("base", "base", [[0.0]]), ArmScores("selected", "selected", [[1.0], [1.0]]))
    assert found.outcome == "inconclusive"


def test_equal_arms_on_many_items_are_enough():
    assert judge(BASE, arm("selected", 380, 380, 380), arm("full", 380, 380, 380)).outcome == "sufficient"


@pytest.mark.parametrize(
    ("arms", "more", "message"),
    [
        ([BASE, FULL], {}, "there is no selected arm to judge; add 'selected' to the arms"),
        (
            [GOOD],
            {"margin": -1},
            "the margin is -1; give a margin in percent points, from 0 to 100",
        ),
        (
            [GOOD],
            {"margin": math.nan},
            "the margin is nan; give a margin in percent points, from 0 to 100",
        ),
        ([GOOD], {"alpha": 1}, "alpha is 1; give an alpha between 0 and 1, such as 0.05"),
        (
            [GOOD, ArmScores("selected-2", "selected", GOOD.scores)],
            {},
            (
                "arms 'selected' and 'selected-2' are both of the kind 'selected'; compare one arm of a kind at a "
                "time; several runs of one arm are rows of its scores"
            ),
        ),
        (
            [GOOD, ArmScores("full", "full", [[1.0, 0.0]])],
            {},
            "arm 'full' has 2 items where 400 are expected; evaluate every arm on the same items",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(arms, more, message):
    with pytest.raises(UserError) as error:
        judge(*arms, **more)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (
            [[0.5, math.nan]],
            "arm 'full' has the score nan in run 1 at item 2; every score must be a number from 0 to 100",
        ),
        ([0.5], "arm 'full' has scores of shape [1]; give one row for each run and one column for each item"),
        (
            np.zeros((0, 3)),
            "arm 'full' has scores of shape [0, 3]; give one row for each run and one column for each item",
        ),
    ],
)
def test_scores_that_are_none_are_refused(scores, message):
    with pytest.raises(UserError) as error:
        ArmScores("full", "full", scores)
    assert str(error.value) == message


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_every_verdict_follows_from_its_numbers(data):
    items = data.draw(st.integers(1, 8))
    kinds = [
        "selected",
        *data.draw(st.lists(st.sampled_from(["base", "random", "longest", "full"]), unique=True)),
    ]
    values = st.sampled_from([0.0, 1.0, 0.5])
    arms = [
        ArmScores(
            kind,
            kind,
            data.draw(
                arrays(float, (1 if kind == "base" else data.draw(st.integers(1, 3)), items), elements=values)
            ),
        )
        for kind in kinds
    ]
    margin = data.draw(st.sampled_from([0.0, 2.0, 60.0]))
    found = judge(*arms, margin=margin)
    form = found.as_json()
    json.dumps(form, allow_nan=False)
    assert found.sentence[0].isupper() or found.sentence[0].isdigit()
    assert found.sentence.endswith(".")
    needed = [
        one
        for one in form["comparisons"]
        if (one["against"], one["kind"]) in {(found.yardstick, "non-inferiority"), ("base", "superiority")}
    ]
    above = [one["low"] is not None and one["low"] > -one["margin"] for one in needed]
    below = [one["high"] is not None and one["high"] < -one["margin"] for one in needed]
    if "base" not in kinds:
        assert found.outcome == "inconclusive"
    elif any(below):
        assert found.outcome == "not sufficient"
    else:
        assert found.outcome == ("sufficient" if all(above) else "inconclusive")


def test_the_proof_needs_no_torch():
    code = "import sys, suffice.proof, suffice.proof.outcomes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
