"""A family of comparisons: calls, Holm's levels, units, directions, and refusals."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.compare.family import Question, compare


def alone(count):
    return [f"item-{place}" for place in range(count)]


def right(count, items=200):
    return [float(place < count) for place in range(items)]


def ask(scores, items=200, **more):
    return Question(scores, alone(items), task="sums", metric="exact", filter="none", **more)


def test_the_json_form_is_stable():
    [found] = compare([ask({"A": right(100), "B": right(130)})])
    form = found.as_json()
    assert list(form) == [
        *("a", "b", "task", "metric", "filter", "items", "runs_a", "runs_b", "inference", "test", "kind"),
        *("margin", "alpha", "difference", "low", "high", "level", "p", "p_adjusted", "verdict"),
        *("bootstrap", "lower_is_better", "sentence", "notes"),
    ]
    assert (form["a"], form["b"], form["items"], form["runs_a"], form["runs_b"]) == ("A", "B", 200, 1, 1)
    assert (form["inference"], form["kind"], form["verdict"]) == ("models", "superiority", "superior")
    assert form["difference"] == pytest.approx(0.15)
    assert form["p"] == form["p_adjusted"] == pytest.approx(2 * 0.5**30)
    assert json.loads(json.dumps(form, allow_nan=False)) == form
    assert found.sentence == (
        "B is better than A on sums: difference +0.15 (95 %: +0.1071 to +0.2061), p = 1.9e-09; over 200 items, for "
        "these two models and not for the methods that made them."
    )


def test_less_is_better_turns_the_verdict_and_not_the_difference():
    [found] = compare([ask({"A": right(130), "B": right(100)}, lower_is_better=True)])
    assert found.verdict == "superior"
    assert found.difference.estimate == pytest.approx(-0.15)
    assert found.difference.low < -0.15 < found.difference.high < 0
    assert ", less is better; over" in found.sentence
    [back] = compare([ask({"A": right(130), "B": right(100)})])
    assert back.verdict == "inferior"
    assert (back.difference.low, back.difference.high) == pytest.approx(
        (found.difference.low, found.difference.high)
    )


def test_with_a_margin_the_claim_is_non_inferiority():
    rng = np.random.default_rng(0)
    a = rng.random((4, 300))
    level, worse, better = (a + rng.normal(gap, 0.01, a.shape) for gap in (0, -0.1, 0.1))
    names = ["level", "worse", "better"]
    found = compare([ask(dict(zip(["A", *names], [a, level, worse, better], strict=True)), 300)], margin=0.05)
    assert [one.kind for one in found] == ["non-inferiority"] * 3
    assert [one.verdict for one in found] == ["equivalent", "inferior", "superior"]
    assert found[1].sentence.startswith("worse is worse than A by more than 0.05 on sums: ")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([0.0, 0.1]))
def test_verdicts_intervals_and_adjusted_p_values_agree(seed, others, margin):
    rng = np.random.default_rng(seed)
    runs = 1 if rng.integers(2) else 4
    scores = {f"arm-{i}": rng.random((runs, 40)) + rng.normal(0, 0.1) for i in range(others + 1)}
    question = Question(scores, alone(40))
    for found in compare([question], margin=margin, alpha=0.1):
        claimed = found.p_adjusted <= 0.1
        if margin:
            assert claimed == (found.difference.low > -margin)
            assert claimed or found.verdict in ("inferior", "inconclusive", "equivalent")
        elif claimed:
            assert found.verdict == ("superior" if found.difference.estimate > 0 else "inferior")
        else:
            assert found.verdict == "inconclusive"
        assert found.level >= 0.9


def test_more_claims_need_stronger_evidence():
    scores = {"A": right(100), "B": right(107)}  # p = 2 x 0.5^7 = .016
    assert compare([ask(scores)])[0].verdict == "superior"
    many = compare([ask(scores)] + [ask({"A": right(100), "B": right(101)})] * 4)
    assert many[0].p_adjusted == pytest.approx(5 * 2 * 0.5**7)
    assert (many[0].verdict, many[0].level) == ("inconclusive", pytest.approx(0.99))


def test_scores_without_items_are_compared_over_runs():
    a, b = [50.1, 50.9, 50.4], [54.0, 53.1, 54.9]
    [found] = compare([Question({"A": a, "B": b}, None, task="gsm8k")], margin=1.0)
    ends = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((ends.low, ends.high))
    assert (found.items, found.runs_a, found.runs_b, found.verdict) == (None, 3, 3, "superior")
    assert found.sentence.endswith(
        "over 3 and 3 runs, for these very items (without scores by item, nothing is shown about others like them)."
    )


def test_an_open_verdict_says_what_would_settle_it():
    [found] = compare([ask({"A": right(100), "B": right(103)})])
    assert found.verdict == "inconclusive"
    assert found.settling is not None
    assert found.settling.items == 167  # with 170 of 370 more, 6 discordant items, p = 0.03
    assert found.sentence.endswith("; about 170 more items would settle it.")


@pytest.mark.parametrize(
    "scores",
    [
        {"A": [3.0, 3.0, 3.0], "B": [3.0, 3.0, 3.0]},
        {"A": [1.0, 2.0, 3.0], "B": [2.0, 3.0, 4.0]},
        {"A": right(1, 3), "B": right(3, 3)},
        {"A": right(200), "B": right(200)},
    ],
    ids=["constant", "three items", "three right or wrong", "all right"],
)
def test_next_to_no_data_shows_nothing(scores):
    [found] = compare([Question(scores, alone(len(scores["A"])))])
    assert found.verdict == "inconclusive"
    assert found.p >= 0.25


def test_without_bounds_or_differences_there_is_no_interval_and_the_sentence_says_so():
    [found] = compare([Question({"A": [3.0, 3.0, 3.0], "B": [3.0, 3.0, 3.0]}, alone(3))])
    assert (found.difference.low, found.difference.high) == (None, None)
    assert (
        "without an interval, since the differences vary too little and nothing bounds the scores"
        in found.sentence
    )
    [bounded] = compare([Question({"A": [3.0] * 3, "B": [3.0] * 3}, alone(3), bounds=(0, 10))])
    assert bounded.difference.low < 0 < bounded.difference.high


@pytest.mark.parametrize(
    ("questions", "settings_", "message"),
    [
        ([], {}, "there is nothing to compare; give a reference and at least one other arm"),
        (
            [ask({"A": right(9)})],
            {},
            "there is nothing to compare; give a reference and at least one other arm",
        ),
        (
            [ask({"A": right(1), "B": right(2)})],
            {"margin": -1},
            "the margin is -1; give a margin of 0 or more, in the unit of the scores",
        ),
        (
            [ask({"A": right(1), "B": right(2)})],
            {"alpha": 1.5},
            "alpha is 1.5; give an alpha between 0 and 1, such as 0.05",
        ),
        (
            [ask({"A": right(1), "B": [float("nan")] * 200})],
            {},
            "arm 'B' has the score nan in run 1 at item 1; every score must be a number",
        ),
        (
            [ask({"A": right(1), "B": right(2)})],
            {"margin": 1},
            (
                "the margin of 1 is as wide as the scores can differ (0 to 1); give it in the unit of the scores, such "
                "as 0.02 for shares"
            ),
        ),
        (
            [Question({"A": [1.0, math.nan, 2.0], "B": [1.0, 2.0, 3.0]}, None)],
            {},
            "a run has a score that is no number; score every run with a finite number",
        ),
        (
            [ask({"A": [right(5), right(6), right(7)], "B": [right(9)] * 3})],
            {},
            (
                "all 3 runs of 'B' give the same scores on every item, so they are one run; give one of them, or runs "
                "that were trained with other seeds"
            ),
        ),
        (
            [ask({"A": right(1), "B": right(2, 199)})],
            {},
            "arm 'B' has 199 items where 200 are expected; score every arm on the same items",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(questions, settings_, message):
    with pytest.raises(UserError) as caught:
        compare(questions, **settings_)
    assert str(caught.value) == message


def test_a_bootstrap_is_a_second_opinion_where_there_is_enough():
    rng = np.random.default_rng(5)
    a = rng.normal(0, 1, (12, 80))
    b = a[::-1] + rng.normal(0.5, 0.3, a.shape)
    [models] = compare([Question({"A": a[0], "B": b[0]}, alone(80))])
    assert models.bootstrap.low == pytest.approx(models.difference.low, abs=0.05)
    [less] = compare([Question({"A": a[0], "B": b[0]}, alone(80), lower_is_better=True)])
    assert (less.bootstrap.low, less.bootstrap.high) == pytest.approx(
        (models.bootstrap.low, models.bootstrap.high), abs=0.05
    )
    [methods] = compare([Question({"A": a, "B": b}, alone(80))])
    assert methods.bootstrap.low < methods.difference.estimate < methods.bootstrap.high
    assert methods.as_json()["bootstrap"] == {"low": methods.bootstrap.low, "high": methods.bootstrap.high}
    for few in ({"A": a[:3], "B": b[:3]}, {"A": a[0, :20], "B": b[0, :20]}):
        [found] = compare([Question(few, alone(np.shape(few["A"])[-1]))])
        assert found.bootstrap is None
        assert found.as_json()["bootstrap"] is None


def test_items_and_clusters_must_fit():
    for items, clusters, message in (
        (["x", "y", "x"], (), "the item 'x' is there twice; give every item a name of its own"),
        (["x", "y", "z"], ("c",), "there are 1 clusters for 3 items; give one cluster for every item"),
    ):
        with pytest.raises(UserError) as caught:
            Question({"A": [0, 1, 0], "B": [0, 1, 1]}, items, clusters)
        assert str(caught.value) == message


def test_equivalence_is_called_at_an_equal_share_of_alpha():
    # Truly at +margin, a claim of non-inferiority is sure to be shown, and would leave all of alpha to equivalence.
    rng = np.random.default_rng(0)
    a = rng.random((1, 400))
    noise = rng.normal(0, 0.1, (1, 400))
    edge = a + noise - noise.mean() + 1.4 * noise.std() / 20  # 1.4 standard errors above zero
    above = [a + rng.normal(0.05, 0.1, a.shape) for _ in range(9)]
    alone_, family = (
        compare([Question(scores, alone(400), bounds=(-1, 2))], margin=3.2 * noise.std() / 20)[0]
        for scores in ({"A": a, "B": edge}, {"A": a, "B": edge, **dict(enumerate(above))})
    )
    assert alone_.verdict == "equivalent"
    assert family.verdict == "non-inferior"


def test_graded_models_never_contradict_their_interval():
    rng = np.random.default_rng(1)
    for _ in range(200):
        a = rng.random((1, 12))
        b = a + rng.choice([0.1, 0.1, 0.1, 0.0, 0.3], a.shape)
        [found] = compare([Question({"A": a, "B": b}, alone(12), bounds=(0, 2))])
        if found.verdict == "superior":
            assert found.difference.low > 0
