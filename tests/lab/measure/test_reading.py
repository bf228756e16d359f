"""Readings: targets in words, what meets them, and the estimates behind them."""

import itertools

import numpy as np
import pytest

from suffice.evaluation.pass_at_k import pass_at
from suffice.lab.measure.reading import Reading, Scored, share


@pytest.mark.parametrize(
    ("bounds", "target", "met"),
    [
        ({"least": 90}, "at least 90", {89.9: False, 90: True}),
        ({"most": 3}, "at most 3", {3: True, 3.1: False}),
        ({"least": 20, "most": 60}, "20 to 60", {19.9: False, 20: True, 60: True, 60.1: False}),
        ({"least": -10, "most": 10}, "-10 to 10", {-11: False, 0: True}),
    ],
)
def test_a_reading_meets_its_target_by_the_point_estimate(bounds, target, met):
    for value, expected in met.items():
        reading = Reading("gate.condition", value, low=0, high=100, **bounds)
        assert reading.target == target
        assert reading.met is expected


def test_the_json_form_is_the_promised_one():
    reading = Reading("lima.good", 92.34567, 90.1, None, seeds=3, least=90)
    assert reading.as_json() == {
        "id": "lima.good",
        "target": "at least 90",
        "value": 92.346,
        "low": 90.1,
        "high": None,
        "seeds": 3,
        "met": True,
    }


@pytest.mark.parametrize(
    ("k", "right", "samples"), [(1, 0, 4), (1, 1, 4), (2, 1, 5), (3, 2, 6), (4, 4, 4), (2, 4, 5)]
)
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(k, right, samples):
    draws = list(itertools.combinations([True] * right + [False] * (samples - right), k))
    assert pass_at(k, right, samples) == pytest.approx(100 * sum(map(any, draws)) / len(draws))


def result(scores):
    return {"scores": scores, "families": ["a", "a", "b"], "clusters": ["1", "1", "2"]}


def test_arms_are_means_over_runs_and_items_and_differ_item_by_item():
    good = Scored.gather([result([100, 100, 0]), result([100, 0, 100])])
    base = Scored.gather([result([0, 0, 0])], trained=False)
    assert good.runs == 2
    assert good.mean().estimate == pytest.approx(400 / 6)
    assert good.minus(base).estimate == pytest.approx(400 / 6)
    assert good.of("b").mean().estimate == pytest.approx(50)
    assert good.of("a", "b").scores.shape == (2, 3)
    assert good.mean().low < 400 / 6 < good.mean().high


def test_one_training_has_no_interval_and_one_fixed_model_has_one():
    trained = Scored.gather([result([100, 100, 0])])
    assert trained.mean().low is None
    fixed = share([100.0] * 50 + [0.0] * 50)
    assert fixed.estimate == 50
    assert 39 < fixed.low < 41
    assert 59 < fixed.high < 61


def test_clusters_widen_the_interval():
    hits = np.repeat([100.0, 0.0], 50)
    alone = share(list(hits))
    together = share(list(hits), [str(i // 5) for i in range(100)])
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
