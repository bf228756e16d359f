"""The power of a design, against the interval it speaks of, simulation, and textbook figures."""

import numpy as np
import pytest
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.design.power import Design, power
from suffice.proof.intervals import difference_interval

MANY = 10**9


@pytest.mark.parametrize(
    ("runs", "quoted", "textbook", "kept"), [(3, 0.5, 0.463, 0.368), (6, 0.9, 0.876, 0.865)]
)
def test_three_seeds_are_few_and_six_are_enough(runs, quoted, textbook, kept):
    # The quoted one half and nine tenths are those of the t test with 2(R - 1) degrees of freedom, which takes it
    # for granted that both arms vary alike. The interval does not, and pays for it where runs are few.
    free, shift = 2 * (runs - 1), 2 / (2 / runs) ** 0.5
    equal = stats.nct.sf(stats.t.ppf(0.975, free), free, shift)
    assert equal == pytest.approx(textbook, abs=0.001)
    assert equal == pytest.approx(quoted, abs=0.05)
    assert power(Design(items=MANY, runs=runs)).non_inferiority == pytest.approx(kept, abs=0.001)


def run_dominated(runs, count, seed):
    """Whether the lower bound is above -2 with a run SD of 1, by the interval's formula for many items."""
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(count, runs)) for _ in range(2))
    parts = np.stack([x.var(axis=1, ddof=1) / runs for x in (a, b)])
    variance = parts.sum(axis=0)
    degrees = variance**2 / (parts**2 / (runs - 1)).sum(axis=0)
    return a.mean(axis=1) - b.mean(axis=1) - stats.t.ppf(0.975, degrees) * variance**0.5 > -2


@pytest.mark.parametrize("runs", [2, 3, 4, 8])
def test_where_runs_dominate_it_is_what_simulation_finds(runs):
    # 100,000 studies: a Monte Carlo standard error of 0.0016 at most. Three of them.
    shown = run_dominated(runs, 100_000, seed=runs).mean()
    assert power(Design(items=MANY, runs=runs)).non_inferiority == pytest.approx(shown, abs=0.0048)


def simulated(design, studies, seed):
    """The share of studies in which `difference_interval` itself lies above -margin, both arms being equal."""
    rng = np.random.default_rng(seed)
    clusters = [str(item) for item in range(design.items)]
    shown = 0
    for _ in range(studies):
        item = rng.normal(0, (design.item_sd or 0) / 2**0.5, (2, 1, design.items))
        run = rng.normal(0, design.run_sd, (2, design.runs, 1))
        noise = rng.normal(0, design.residual_sd, (2, design.runs, design.items))
        a, b = (
            ArmScores(name, "method", part, UNBOUNDED)
            for name, part in zip("ab", item + run + noise, strict=True)
        )
        shown += difference_interval(a, b, clusters, design.alpha).above(-design.margin)
    return shown / studies


@pytest.mark.parametrize(
    "design",
    [
        Design(items=60, runs=3, item_sd=5.0, run_sd=1.0, margin=3.0),
        Design(items=60, runs=5, item_sd=0.0, run_sd=1.0, residual_sd=8.0, margin=3.0),
        Design(items=40, runs=4, item_sd=8.0, run_sd=0.3, residual_sd=4.0, margin=3.0, alpha=0.1),
        Design(items=12, runs=3, item_sd=4.0, run_sd=0.5, margin=3.0),
    ],
)
def test_it_is_the_power_of_the_interval_itself(design):
    # 1,000 studies: a Monte Carlo standard error of 0.016 at most. Three of them.
    assert power(design).non_inferiority == pytest.approx(simulated(design, 1000, seed=1), abs=0.047)


def test_binary_items_behave_as_their_discordance_says():
    # Both arms are right on 60 % of 400 items and differ on 8 % of them, 4 % each way; runs add nothing.
    design = Design(items=400, runs=3, discordant=0.08, run_sd=0.0, margin=3.0)
    rng, shown, studies = np.random.default_rng(5), 0, 800
    clusters = [str(item) for item in range(design.items)]
    for _ in range(studies):
        kinds = rng.choice(4, p=[0.56, 0.04, 0.04, 0.36], size=design.items)
        a, b = (100.0 * np.isin(kinds, right) for right in ([0, 1], [0, 2]))
        arms = [
            ArmScores(name, "method", np.tile(values, (design.runs, 1)))
            for name, values in (("a", a), ("b", b))
        ]
        shown += difference_interval(*arms, clusters).above(-design.margin)
    assert power(design).non_inferiority == pytest.approx(shown / studies, abs=0.053)


def test_at_the_boundary_the_power_is_at_most_half_of_alpha():
    for design in (Design(items=400, runs=3, margin=0.0), Design(items=400, runs=3, gain=0.0)):
        found = power(design)
        chance = found.superiority if design.gain == 0 else found.non_inferiority
        assert 0.02 < chance < 0.0251
    assert 0.015 < power(Design(items=MANY, runs=3, margin=0.0)).non_inferiority < 0.02


@pytest.mark.parametrize(
    "design",
    [
        Design(1000, 3, 20, 1.0, run_sd=0.3, item_sd=3.0, residual_sd=20.0, gain=2.0),
        Design(1000, 5, 3, 3.0, run_sd=2.0, item_sd=3.0, residual_sd=20.0, gain=6.0),
        Design(1000, 3, 3, 3.0, run_sd=2.0, item_sd=30.0, gain=6.0),
    ],
)
def test_the_quadrature_is_right_within_two_thousandths(design):
    """Against a plain sum over 500 x 500 quantiles of the mean squares, those of items taken as known."""
    places = (np.arange(500) + 0.5) / 500
    found = power(design)
    for other, true, bound, value in (
        (design.runs, 0.0, design.margin, found.non_inferiority),
        (design.random_runs, design.gain, 0.0, found.superiority),
    ):
        runs = [design.runs, other]
        noise = [design.residual_sd**2 / design.items / count for count in runs]
        items = design.item_sd**2 / design.items + sum(noise)
        a, b = np.meshgrid(
            *(
                (design.run_sd**2 / count + part) * stats.chi2.ppf(places, count - 1) / (count - 1)
                for count, part in zip(runs, noise, strict=True)
            )
        )
        variance = items + np.maximum(0, a - noise[0]) + np.maximum(0, b - noise[1])
        parts = a**2 / (runs[0] - 1) + b**2 / (runs[1] - 1) + items**2 / 999
        parts += sum(part**2 / (count - 1) / 999 for count, part in zip(runs, noise, strict=True))
        degrees = np.maximum(variance**2 / parts, min(runs) - 1)
        sd = (items + sum(design.run_sd**2 / count for count in runs)) ** 0.5
        half = stats.t.ppf(1 - design.alpha / 2, degrees) * variance**0.5
        assert value == pytest.approx(stats.norm.cdf((true + bound - half) / sd).mean(), abs=0.002)


def test_item_sd_stands_for_a_discordant_share():
    named = power(Design(items=400, runs=3, discordant=0.09))
    given = power(Design(items=400, runs=3, item_sd=30.0))
    assert given.non_inferiority == pytest.approx(named.non_inferiority)


def test_more_of_anything_is_more_power():
    first = power(Design(items=400, runs=3))
    for more in (Design(items=800, runs=3), Design(items=400, runs=5), Design(items=400, runs=3, run_sd=0.5)):
        assert power(more).non_inferiority > first.non_inferiority
        assert power(more).superiority > first.superiority
    noisy = power(Design(items=400, runs=3, residual_sd=30))
    assert noisy.non_inferiority < first.non_inferiority


def test_the_sentence():
    assert power(Design(items=1200, runs=3)).sentence == (
        "Power with 1,200 independent items and 3 runs per arm: 33 % to show that a selection as good as its yardstick is "
        "enough (margin 2); 98 % to show a gain of 5 points over random (5 draws); assumed: runs vary by 1 point "
        "(SD), 10 % of the items differ between two arms."
    )
    assert power(Design(items=1200, runs=3, run_sd=1.234, item_sd=30)).sentence.endswith(
        "assumed: runs vary by 1.23 points (SD), two arms differ by 30 points at an item (SD)."
    )


def test_draws_may_vary_more_than_runs():
    alike = power(Design(items=400, runs=3))
    wilder = power(Design(items=400, runs=3, draw_sd=4.0))
    assert wilder.non_inferiority == alike.non_inferiority
    assert wilder.superiority < alike.superiority
    assert power(Design(items=400, runs=3, draw_sd=1.0)).superiority == alike.superiority
    assert "runs vary by 1 point (SD), draws by 4, 10 %" in wilder.sentence


def test_unequal_spreads_are_what_simulation_finds():
    # 200,000 studies of three runs against five draws: three Monte Carlo standard errors of 0.0011.
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(200_000, 3)), rng.normal(scale=3, size=(200_000, 5))
    parts = np.stack([x.var(axis=1, ddof=1) / x.shape[1] for x in (a, b)])
    variance = parts.sum(axis=0)
    degrees = variance**2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 4)
    shown = 5 + a.mean(axis=1) - b.mean(axis=1) - stats.t.ppf(0.975, degrees) * variance**0.5 > 0
    found = power(Design(items=MANY, runs=3, draw_sd=3.0, gain=5.0)).superiority
    assert found == pytest.approx(shown.mean(), abs=0.0034)


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
        Design(items=300, runs=100, item_sd=0.0, run_sd=0, residual_sd=1e-9),
        Design(items=301, runs=300, random_runs=2, residual_sd=50),
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
    with pytest.raises(UserError) as error:
        power(Design(400, 3, item_sd=-1.0))
    assert str(error.value) == (
        "the power cannot be computed for a run SD of 1.0, an item SD of -1.0, a discordant share of 0.1, a margin "
        "of 2.0, a gain of 5.0 and an alpha of 0.05; give SDs and a margin of 0 or more, a share from 0 to 1, a gain "
        "and an alpha between 0 and 1"
    )
    for wrong in (
        Design(400, 3, margin=-1),
        Design(400, 3, run_sd=float("nan")),
        Design(400, 3, run_sd=float("inf")),
        Design(400, 3, residual_sd=-1),
        Design(400, 3, discordant=2),
        Design(400, 3, gain=float("nan")),
    ):
        with pytest.raises(UserError, match="the power cannot be computed"):
            power(wrong)
