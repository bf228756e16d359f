"""The prediction of a new draw by hand, against scipy, and its calibration."""

import math

import numpy as np
import pytest
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.prediction import predict_draw


def test_hand_computed():
    # Draws 40, 42, 44: mean 42, variance 4, for a new one 4 * 4/3 = 16/3, two degrees of freedom, as the selection's
    # runs agree. t = 4 / √(16/3) = √3, and with two degrees P(T > t) = 1/2 - t / (2 √(2 + t²)).
    found = predict_draw([40, 42, 44], [46, 46, 46])
    assert found.degrees == pytest.approx(2)
    assert found.probability == pytest.approx(0.5 - math.sqrt(3) / (2 * math.sqrt(5)))
    # The quantile of t with two degrees is (2p - 1) √(2 / (1 - (2p - 1)²)).
    quantile = 0.95 * math.sqrt(2 / (1 - 0.95**2))
    assert found.mean == 42
    assert found.high - 42 == 42 - found.low == pytest.approx(quantile * math.sqrt(16 / 3))
    assert (found.draws, found.runs) == (3, 3)


def test_welch_and_satterthwaite():
    draws, selected = [40.0, 42, 44, 41], [46.0, 49]
    found = predict_draw(draws, selected, alpha=0.1)
    fresh, own = np.var(draws, ddof=1) * 5 / 4, np.var(selected, ddof=1) / 2
    degrees = (fresh + own) ** 2 / (fresh**2 / 3 + own**2 / 1)
    assert found.degrees == pytest.approx(degrees)
    assert found.probability == pytest.approx(stats.t.cdf((41.75 - 47.5) / math.sqrt(fresh + own), degrees))
    assert found.high == pytest.approx(41.75 + stats.t.ppf(0.95, 3) * math.sqrt(fresh))


def test_equal_means_are_a_coin_toss_and_more_lead_is_less_chance():
    assert predict_draw([1, 2, 3], [1, 2, 3]).probability == pytest.approx(0.5)
    chances = [predict_draw([1, 2, 3], [lead, lead + 1]).probability for lead in range(8)]
    assert chances == sorted(chances, reverse=True)
    # Where lower is better both are negated, and the chance is that of the other side.
    turned = predict_draw([-1, -2, -3], [-5, -6]).probability
    assert turned == pytest.approx(1 - predict_draw([1, 2, 3], [5, 6]).probability)


@pytest.mark.parametrize(("draws", "runs", "own_sd"), [(3, 3, 0.5), (5, 5, 1.0)])
def test_predictions_come_true_as_often_as_they_say(draws, runs, own_sd):
    rng = np.random.default_rng(draws)
    count = 2500
    inside, places = 0, []
    for _ in range(count):
        lead = rng.normal()
        found = predict_draw(rng.normal(0, 1, draws), lead + rng.normal(0, own_sd, runs))
        new = rng.normal()
        inside += found.low <= new <= found.high
        places.append((found.probability, new > lead))
    # The interval is exact: 95 %, within four Monte Carlo standard errors of 0.44 points.
    assert inside / count == pytest.approx(0.95, abs=0.0175)
    said, came = np.array(places, dtype=float).T
    # Over all studies as many come true as were foretold; the standard error is below one point.
    assert came.mean() == pytest.approx(said.mean(), abs=0.03)


def test_the_pivot_is_nearly_t():
    # What the prediction rests on, ((new - true mean of selected) - (difference of the means seen)) / √V, is t.
    rng = np.random.default_rng(1)
    count = 3000
    places = np.empty(count)
    for study in range(count):
        draws, selected, new = rng.normal(0, 1, 5), rng.normal(1.5, 0.6, 3), rng.normal()
        places[study] = predict_draw(draws, selected + (new - 1.5)).probability
    for share in (0.025, 0.5, 0.975):
        # Four standard errors, and a point for Satterthwaite's approximation.
        slack = 4 * math.sqrt(share * (1 - share) / count) + 0.01
        assert np.mean(places <= share) == pytest.approx(share, abs=slack)


@pytest.mark.parametrize(
    ("draws", "selected", "message"),
    [
        (
            [40],
            [41, 42],
            (
                "a new draw is predicted from two scores of each arm or more, and there are 1 of random draws; "
                "give one mean score for every draw and for every run of the selection"
            ),
        ),
        (
            [40, 41],
            [41],
            (
                "a new draw is predicted from two scores of each arm or more, and there are 1 of runs of the selection; "
                "give one mean score for every draw and for every run of the selection"
            ),
        ),
        (
            [[40, 41]],
            [41, 42],
            (
                "the scores of random draws have the shape [1, 2]; "
                "give one mean score for every draw and for every run of the selection"
            ),
        ),
        (
            [40, math.nan],
            [41, 42],
            "score 2 of random draws is nan; score every item of it with a finite number",
        ),
        (
            [40, 40, 40],
            [41, 42],
            (
                "all 3 random draws score 40, which shows no spread to predict a new one from; "
                "add draws, or test items that tell draws apart"
            ),
        ),
    ],
)
def test_too_little_is_refused(draws, selected, message):
    with pytest.raises(UserError) as error:
        predict_draw(draws, selected)
    assert str(error.value) == message


def test_a_bad_alpha_is_refused():
    with pytest.raises(UserError) as error:
        predict_draw([1, 2], [1, 2], alpha=0)
    assert str(error.value) == "alpha is 0; give an alpha between 0 and 1, such as 0.05"
