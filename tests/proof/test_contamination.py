"""Whether a test is known by heart: the interval of two independent sets, and the verdict."""

import math

import numpy as np
import pytest
from scipy import stats

from suffice.evaluation.completion import Completion, Completions
from suffice.proof.arms import ArmScores
from suffice.proof.contamination import contamination
from suffice.proof.intervals import Interval, independent_difference, mean_interval


def wilson(count, of):
    found = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    return Interval(count / of, found.low, found.high)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ],
)
def test_the_published_intervals_of_two_shares(a, b, low, high):
    found = independent_difference(wilson(*a), wilson(*b))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert independent_difference(Interval(1, None, None), wilson(*b)).low is None


def test_the_difference_of_two_shares_is_covered():
    """All outcomes of 60 and 60 questions, weighed by their chances: no simulation."""
    size = 60
    clusters = [str(i) for i in range(size)]
    means = [
        mean_interval(ArmScores("a", "model", 100.0 * (np.arange(size) < hits)[None]), clusters)
        for hits in range(size + 1)
    ]
    ends = [[independent_difference(a, b) for b in means] for a in means]
    low, high = (np.array([[getattr(one, end) for one in row] for row in ends]) for end in ("low", "high"))
    for p in (0.02, 0.1, 0.3, 0.6, 0.95):
        for q in (0.02, 0.1, 0.3, 0.6):
            chance = np.outer(*(stats.binom.pmf(range(size + 1), size, share) for share in (p, q)))
            held = (low <= 100 * (p - q)) & (100 * (p - q) <= high)
            assert chance[held].sum() > 0.93, (p, q)


def completions(hits, of, words=3, short=0):
    rest = " ".join(["w"] * words)
    return Completions(
        [Completion(f"i{i}", f"c{i}", "p", rest, rest, i < hits, 100.0 * (i < hits)) for i in range(of)],
        short,
        0,
    )


def told(test, fresh, **terms):
    return contamination(test, fresh, fraction=0.6, **terms)


def test_what_is_recited_is_shown():
    found = told(completions(55, 100), completions(3, 100))
    assert found.verdict == "shown"
    assert found.sentence.startswith(
        "Contamination is shown: the model writes the rest of 55.0 % (45.1 to 64.9) of the test questions word for word "
        "and of 3.0 % (0.0 to 6.5) of fresh ones, a difference of +52.0 points ("
    )


@pytest.mark.parametrize(
    ("test", "fresh", "verdict", "end"),
    [
        ((0, 300), (0, 300), "not shown", "; 5 points or more are ruled out."),
        ((0, 40), (0, 40), "open", "; 0 and 5 points are both possible, and more questions would narrow it."),
        ((60, 100), (55, 100), "open", " would narrow it. Such questions are predictable, seen or not."),
        ((1900, 2000), (1900, 2000), "not shown", ". Such questions are predictable, seen or not."),
        ((0, 100), (50, 100), "not shown", ". Such questions are predictable, seen or not."),
    ],
)
def test_what_is_not_shown_and_what_is_open(test, fresh, verdict, end):
    found = told(completions(*test), completions(*fresh))
    assert found.verdict == verdict
    assert found.sentence.endswith(end)
    assert told(completions(*test), completions(*fresh), margin=100).verdict == "not shown"


def test_without_fresh_questions_nothing_is_shown():
    found = told(completions(90, 100), None)
    assert found.as_json()["difference"] is None
    assert found.sentence == (
        "Contamination is open: the model writes the rest of 90.0 % (84.0 to 96.0) of the test questions word for word, "
        "and there are no fresh questions to hold them against."
    )


def test_the_json_form_and_the_notes():
    found = told(
        completions(5, 10, words=9, short=2), completions(5, 10), left_out=("Left out: class.",)
    ).as_json()
    assert list(found) == [
        "fraction",
        "level",
        "margin",
        "test",
        "fresh",
        "difference",
        "verdict",
        "sentence",
        "notes",
    ]
    assert list(found["test"]) == ["items", "short", "long", "words", "exact", "rouge_l"]
    assert found["test"]["exact"] == pytest.approx({"estimate": 50, "low": 12.3, "high": 87.7}, abs=0.1)
    half = found["test"]["exact"]["high"] - 50
    assert found["difference"]["exact"] == pytest.approx(
        {"estimate": 0, "low": -math.sqrt(2) * half, "high": math.sqrt(2) * half}
    )
    assert found["notes"] == [
        "Left out: class.",
        "2 of 12 test questions left out: too few words.",
        "The rest of a test question has 9.0 words, that of a fresh one 3.0: a difference may come from that.",
    ]
