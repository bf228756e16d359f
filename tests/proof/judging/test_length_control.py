"""The length-controlled win rate: no length effect, a planted one, and what cannot be fitted."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from suffice.common.errors import UserError
from suffice.proof.judging.judges import win_rate
from suffice.proof.judging.length_control import length_controlled


def alone(count):
    return [str(place) for place in range(count)]


def judged(count, gain, length_effect, seed, mean_gap=60.0):
    """Verdicts of a judge with a bias for length, on replies that are longer by ``mean_gap`` on average."""
    rng = np.random.default_rng(seed)
    gap = rng.normal(mean_gap, 100, count)
    chance = special.expit(gain + length_effect * np.tanh(gap / gap.std(ddof=1)))
    return (rng.random(count) < chance).astype(float), gap


def test_without_a_length_effect_it_is_the_raw_win_rate():
    # For each length difference the same verdicts: nothing for length to explain.
    verdicts = np.tile([1, 1, 0.5, 0, 1, 0], 12)
    lengths = np.repeat([-50, -20, 0, 10, 40, 90, 5, -5, 70, -80, 33, 1], 6)
    found = length_controlled(verdicts, lengths, alone(72))
    raw = win_rate(verdicts, alone(72))
    assert found.estimate == pytest.approx(raw.estimate, abs=1e-6)
    assert found.raw == raw.estimate == pytest.approx(3.5 / 6)
    assert found.length_effect == pytest.approx(0, abs=1e-5)
    assert (found.low, found.high) == pytest.approx((raw.low, raw.high), abs=0.02)
    assert found.model == "length-controlled, simplified model without item difficulties, no penalty"


def test_the_interval_by_hand():
    # Where length explains nothing, the sandwich is G/(G-1) s² (X'X)⁻¹ / (p (1 - p))², s² the variance of verdicts.
    verdicts = np.tile([1, 1, 0.5, 0, 1, 0], 4)
    lengths = np.repeat([-50.0, 10, 40, 90], 6)
    found = length_controlled(verdicts, lengths, alone(24))
    columns = np.stack([np.ones(24), np.tanh(lengths / lengths.std(ddof=1))], axis=1)
    share = 3.5 / 6
    error = math.sqrt(24 / 23 * verdicts.var() * np.linalg.inv(columns.T @ columns)[0, 0]) / (
        share * (1 - share)
    )
    ends = special.logit([found.low, found.high])
    assert ends == pytest.approx(
        special.logit(share) + stats.t.ppf(0.975, 23) * error * np.array([-1, 1]), abs=1e-5
    )


def test_a_planted_length_bias_is_removed():
    # Equally good models, one wordy: the raw win rate is far above one half, the controlled one is not.
    verdicts, lengths = judged(20_000, 0.0, 1.5, seed=0)
    found = length_controlled(verdicts, lengths, alone(20_000))
    assert found.raw > 0.6
    # Its standard error is about half a point.
    assert found.estimate == pytest.approx(0.5, abs=0.02)
    assert found.length_effect == pytest.approx(1.5, abs=0.15)


def test_a_better_model_that_is_terse_is_seen_as_better():
    verdicts, lengths = judged(20_000, 0.6, 1.5, seed=1, mean_gap=-80)
    found = length_controlled(verdicts, lengths, alone(20_000))
    assert found.raw < 0.5
    assert found.estimate == pytest.approx(special.expit(0.6), abs=0.02)


def test_the_fit_is_the_greatest_likelihood():
    rng = np.random.default_rng(2)
    verdicts, lengths = rng.choice([0, 0.5, 1], 50), rng.normal(0, 40, 50)
    hard = rng.normal(3, 2, 50)
    columns = np.stack([np.ones(50), np.tanh(lengths / lengths.std(ddof=1)), hard], axis=1)

    def loss(weights):
        chance = special.expit(columns @ weights)
        return -np.sum(special.xlogy(verdicts, chance) + special.xlogy(1 - verdicts, 1 - chance))

    best = optimize.minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    ).x
    found = length_controlled(verdicts, lengths, alone(50), difficulty=hard)
    assert found.length_effect == pytest.approx(best[1], abs=1e-5)
    assert found.estimate == pytest.approx(special.expit(columns[:, [0, 2]] @ best[[0, 2]]).mean(), abs=1e-6)
    assert found.model == "length-controlled, terms of AlpacaEval 2, no penalty"


def test_units_do_not_matter_and_models_may_change_places():
    verdicts, lengths = judged(200, 0.4, 1.0, seed=3)
    hard = np.random.default_rng(4).normal(0, 1, 200)
    found = length_controlled(verdicts, lengths, alone(200), difficulty=hard)
    scaled = length_controlled(verdicts, lengths / 5, alone(200), difficulty=1e6 * hard - 3e7)
    assert (scaled.estimate, scaled.low) == pytest.approx((found.estimate, found.low), abs=1e-6)
    back = length_controlled(1 - verdicts, -lengths, alone(200), difficulty=hard)
    assert (back.estimate, back.low) == pytest.approx((1 - found.estimate, 1 - found.high), abs=1e-6)


def test_pairs_of_one_prompt_count_once():
    verdicts, lengths = judged(150, 0.4, 1.0, seed=5)
    once = length_controlled(verdicts, lengths, alone(150))
    twice = length_controlled(np.repeat(verdicts, 2), np.repeat(lengths, 2), np.repeat(alone(150), 2))
    # Only the SD of the lengths is another, by the count in its denominator.
    assert (twice.estimate, twice.low, twice.high) == pytest.approx(
        (once.estimate, once.low, once.high), abs=1e-3
    )


def test_the_interval_covers():
    hits = 0
    for seed in range(300):
        found = length_controlled(*judged(200, 0.3, 1.0, seed), alone(200))
        hits += found.low <= special.expit(0.3) <= found.high
    # The Monte Carlo standard error is 1.3 points.
    assert 0.91 < hits / 300 < 0.985


TIED_UP = (
    "the length difference (or the difficulty) is the same for all pairs, or one follows from the other, "
    "so the effect of length cannot be told apart; report the raw win rate"
)
SEPARABLE = (
    "the verdicts follow from the length difference (and the difficulty) alone, or are all the same, so no win rate "
    "at equal lengths can be fitted; judge more pairs, or report the raw win rate"
)
SOME = np.tile([1, 0, 0.5, 1, 0, 0], 5)
GAPS = np.random.default_rng(0).normal(0, 10, 30)


@pytest.mark.parametrize(
    ("verdicts", "lengths", "difficulty", "message"),
    [
        (SOME, np.full(30, 12.0), None, TIED_UP),
        (SOME, np.zeros(30), None, TIED_UP),
        (SOME, GAPS, np.ones(30), TIED_UP),
        (np.ones(30), GAPS, None, SEPARABLE),
        ((GAPS > 0).astype(float), GAPS, None, SEPARABLE),
        ((GAPS > 3).astype(float), GAPS, None, SEPARABLE),
        # Longer always wins, and what is equally long is judged both ways: separable but for those.
        (np.repeat([0, 0, 1, 1, 0, 1], 5), np.repeat([-5, -1, 2, 9, 1, 1], 5), None, SEPARABLE),
        (
            np.repeat([0.5, 1, 0], [27, 2, 1]),
            GAPS,
            None,
            (
                "3 of 30 clusters differ from the most common verdict, too few to fit the effect of length; "
                "judge more pairs, or report the raw win rate"
            ),
        ),
        (SOME, GAPS[:20], None, "one list has 30 pairs and the other 20; give the same pairs to both"),
        (SOME, GAPS, np.ones(3), "one list has 30 pairs and the other 3; give the same pairs to both"),
        (
            SOME,
            np.append(GAPS[:29], math.nan),
            None,
            "the length difference of pair 30 is nan; give a finite number for every pair",
        ),
        (
            np.append(SOME[:29], math.nan),
            GAPS,
            None,
            "the verdict of pair 30 is nan; give a number from 0 (second model) to 1 (first)",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(verdicts, lengths, difficulty, message):
    with pytest.raises(UserError) as error:
        length_controlled(verdicts, lengths, alone(30), difficulty)
    assert str(error.value) == message


def test_three_pairs_are_refused():
    with pytest.raises(UserError) as error:
        length_controlled([1, 0, 0.5], [10, 20, -3], alone(3))
    assert str(error.value) == (
        "2 of 3 clusters differ from the most common verdict, too few to fit the effect of length; "
        "judge more pairs, or report the raw win rate"
    )


def test_nearly_separable_verdicts_still_have_a_fit():
    verdicts = (GAPS > 0).astype(float)
    verdicts[np.argsort(GAPS)[[10, 20]]] = [1, 0]
    found = length_controlled(verdicts, GAPS, alone(30))
    assert 0 < found.low < found.estimate < found.high < 1
    assert found.length_effect > 1
