"""The power of a design, against simulation and published figures."""

import numpy as np
import pytest
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.power import Design, power

MANY = 10**9


def test_three_seeds_are_a_coin_toss_and_six_are_enough():
    assert power(Design(items=MANY, runs=3)).non_inferiority == pytest.approx(0.46, abs=0.01)
    assert power(Design(items=MANY, runs=6)).non_inferiority == pytest.approx(0.88, abs=0.01)


def test_the_formula_agrees_with_simulation():
    design = Design(items=400, runs=4, discordant=0.03, run_sd=1.0, margin=3.0)
    rng = np.random.default_rng(0)
    count = 20_000
    item = 1e4 * design.discordant / design.items
    a, b = (rng.normal(0, design.run_sd, (count, design.runs)) for _ in range(2))
    difference = rng.normal(0, item**0.5, count) + a.mean(axis=1) - b.mean(axis=1)
    parts = np.stack([x.var(axis=1, ddof=1) / design.runs for x in (a, b)])
    estimated = item * rng.chisquare(design.items - 1, count) / (design.items - 1)
    variance = estimated + parts.sum(axis=0)
    degrees = variance**2 / (estimated**2 / (design.items - 1) + (parts**2 / (design.runs - 1)).sum(axis=0))
    shown = difference - stats.t.ppf(0.975, degrees) * variance**0.5 > -design.margin
    assert power(design).non_inferiority == pytest.approx(shown.mean(), abs=0.03)


def test_at_the_boundary_the_power_is_half_of_alpha():
    assert power(Design(items=400, runs=3, margin=0.0)).non_inferiority == pytest.approx(0.025)
    assert power(Design(items=400, runs=3, gain=0.0)).superiority == pytest.approx(0.025)


def test_more_of_anything_is_more_power():
    first = power(Design(items=400, runs=3))
    for more in (Design(items=800, runs=3), Design(items=400, runs=5), Design(items=400, runs=3, run_sd=0.5)):
        assert power(more).non_inferiority > first.non_inferiority
        assert power(more).superiority > first.superiority


def test_the_sentence():
    assert power(Design(items=1200, runs=3)).sentence == (
        "Power with 1,200 items and 3 runs per arm: 34 % to show that a selection as good as its yardstick is "
        "enough (margin 2); 99 % to show a gain of 5 points over random (5 draws); assumed: runs vary by 1 point "
        "(SD), 10 % of the items differ between two arms."
    )


def test_too_few_runs_say_so():
    one = power(Design(items=400, runs=1))
    assert (one.non_inferiority, one.superiority) == (None, None)
    assert one.sentence == (
        "Power: one run per arm cannot show how much runs vary, so nothing can be shown; three can."
    )
    assert "random has too few draws to be beaten" in power(Design(items=400, runs=3, random_runs=1)).sentence
    assert (
        "random is left out and cannot be beaten" in power(Design(items=400, runs=3, random_runs=0)).sentence
    )


@pytest.mark.parametrize(
    "design",
    [
        Design(items=MANY, runs=3, run_sd=0, discordant=0, gain=0),
        Design(items=MANY, runs=3, run_sd=1e-6, discordant=0),
        Design(items=1, runs=2, margin=100, gain=100, discordant=1),
        Design(items=10, runs=2, gain=-100),
    ],
)
def test_extremes_are_never_nan(design):
    found = power(design)
    assert 0 <= found.non_inferiority <= 1
    assert 0 <= found.superiority <= 1


def test_impossible_designs_are_refused():
    with pytest.raises(UserError) as error:
        power(Design(items=0, runs=3))
    assert str(error.value) == (
        "a design of 0 items, 3 runs and 5 draws has no power; plan at least one item and one run"
    )
    for wrong in (
        Design(400, 3, margin=-1),
        Design(400, 3, run_sd=float("nan")),
        Design(400, 3, discordant=2),
    ):
        with pytest.raises(UserError, match="the power cannot be computed"):
            power(wrong)
