"""What a pilot knows, against hand-computed numbers, plain loops and simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.design.pilot import ArmSpread, pilot, run_spread


def alone(count):
    return [str(place) for place in range(count)]


def draw(rng, *, arms=2, runs=3, items=50, run_sd=1.0, item_sd=5.0, residual_sd=3.0):
    """Arms that differ at each item, with run effects and item x run noise of known SDs."""
    kinds = ["selected", "full", "longest", "random"]
    return [
        ArmScores(
            kinds[arm],
            kinds[arm],
            50
            + rng.normal(0, item_sd / 2**0.5, items)
            + rng.normal(0, run_sd, (runs, 1))
            + rng.normal(0, residual_sd, (runs, items)),
            UNBOUNDED,
        )
        for arm in range(arms)
    ]


def test_hand_computed():
    # Run means 40, 50, 60: S = 100 with 2 degrees of freedom; no item x run noise.
    scores = np.array([[30.0, 50.0], [40.0, 60.0], [50.0, 70.0]])
    found = pilot([ArmScores("selected-8", "selected", scores)], ["a", "b"])
    assert found.run.degrees == 2
    assert found.run.sd == pytest.approx(10)
    # chi-square with 2 degrees of freedom is an exponential: its p quantile is -2 ln(1 - p).
    assert found.run.limit == pytest.approx(10 * (2 / (-2 * np.log(0.8))) ** 0.5)
    assert found.run.limit == pytest.approx(21.169, abs=0.001)
    assert found.run.low == pytest.approx(10 * (2 / (-2 * np.log(0.025))) ** 0.5)
    assert found.run.high == pytest.approx(10 * (2 / (-2 * np.log(0.975))) ** 0.5)
    assert (found.residual_sd, found.item_sd, found.discordant) == (0, None, None)
    assert found.sentences == [
        "Pilot: 1 arm of 3 runs on 2 items.",
        "Runs vary by 10 points (SD), known with 2 degrees of freedom: 95 % 5.2 to 63, upper 80 % limit 21.",
    ]


def test_two_arms_are_pooled_by_their_degrees_of_freedom():
    # S = 100 from three runs and S = 8 from two: (2 * 100 + 1 * 8) / 3.
    a = ArmScores("a", "selected", np.array([[30.0, 50.0], [40.0, 60.0], [50.0, 70.0]]))
    b = ArmScores("b", "full", np.array([[30.0, 70.0], [34.0, 74.0]]))
    found = pilot([a, b], ["x", "y"])
    assert found.run.degrees == 3
    assert found.run.sd == pytest.approx((208 / 3) ** 0.5)
    assert found.run.limit == pytest.approx((208 / 3) ** 0.5 * (3 / stats.chi2.ppf(0.2, 3)) ** 0.5)
    assert found.arms == (ArmSpread("a", "selected", 3, 10.0), ArmSpread("b", "full", 2, 8**0.5))
    # The difference is 40 - 32 = 8 and 60 - 72 = -12 at the two items: variance 200.
    assert found.item_sd == pytest.approx(200**0.5)
    # One pair of runs agrees at each item (30 and 30, 70 and 70), of six pairs.
    assert found.discordant == pytest.approx(10 / 12)


def brute_force(arms, clusters):
    """The pooled mean squares and the variance of differences, in plain loops, one item a cluster."""
    items = len(clusters)
    free = square = residual = 0.0
    noise, between = {}, []
    for arm in arms:
        runs, mean = arm.runs, arm.scores.mean()
        total = sum((row.mean() - mean) ** 2 for row in arm.scores)
        left = sum(
            (arm.scores[r, i] - arm.scores[r].mean() - arm.scores[:, i].mean() + mean) ** 2
            for r, i in itertools.product(range(runs), range(items))
        ) / ((runs - 1) * (items - 1))
        square, residual, free = square + total, residual + left * (runs - 1), free + runs - 1
        noise[arm.name] = left / runs
    for a, b in itertools.combinations(arms, 2):
        if a.kind == "selected":
            apart = a.scores.mean(axis=0) - b.scores.mean(axis=0)
            between.append(apart.var(ddof=1) - noise[a.name] - noise[b.name])
    return square / free, residual / free, sum(between) / len(between)


def test_it_matches_brute_force():
    rng = np.random.default_rng(2)
    arms = draw(rng, arms=3, runs=4, items=9)
    square, residual, between = brute_force(arms, alone(9))
    found = pilot(arms, alone(9))
    assert found.run.sd == pytest.approx(max(0, square - residual / 9) ** 0.5)
    assert found.run.limit == pytest.approx(max(0, square * 9 / stats.chi2.ppf(0.2, 9) - residual / 9) ** 0.5)
    assert found.residual_sd == pytest.approx(residual**0.5)
    assert found.item_sd == pytest.approx(max(0, between) ** 0.5)


def test_the_upper_limit_covers_four_fifths_of_the_time():
    rng = np.random.default_rng(3)
    above, estimates, count = 0, [], 700
    for _ in range(count):
        found = pilot(draw(rng, runs=3, items=40), alone(40))
        above += found.run.limit >= 1.0
        estimates.append((found.run.sd**2, found.item_sd**2, found.residual_sd**2))
    # A Monte Carlo standard error of 0.0151; three of them, and the noise that is taken as known.
    assert above / count == pytest.approx(0.8, abs=0.05)
    run, item, residual = np.mean(estimates, axis=0)
    assert run == pytest.approx(1.0, abs=0.08)
    assert item == pytest.approx(25, rel=0.03)
    assert residual == pytest.approx(9, rel=0.02)


def test_draws_of_random_have_a_spread_of_their_own():
    rng = np.random.default_rng(7)
    selected, full, _, random = draw(rng, arms=4)
    wild = ArmScores("random-8", "random", random.scores + rng.normal(0, 20, (3, 1)), UNBOUNDED)
    found = pilot([selected, full, wild], alone(50))
    assert found.run == pilot([selected, full], alone(50)).run
    assert found.draw.degrees == 2
    assert found.draw == pilot([wild], alone(50)).run == pilot([wild], alone(50)).draw
    assert found.sentences[2].startswith(
        f"Draws of random vary by {found.draw.sd:.2g} points (SD), known with 2 degrees"
    )
    assert pilot([selected, full], alone(50)).draw is None
    matched = ArmScores("length-matched-8", "length-matched", wild.scores, UNBOUNDED)
    assert pilot([selected, full, wild, matched], alone(50)).run == found.run
    assert pilot([selected, full, wild, matched], alone(50)).draw == found.draw


def test_arms_that_do_not_vary_alike():
    rng = np.random.default_rng(8)
    calm, other = draw(rng, run_sd=0.01, runs=4, residual_sd=0.1)
    wild = ArmScores("full", "full", other.scores + rng.normal(0, 20, (4, 1)), UNBOUNDED)
    found = pilot([calm, wild], alone(50))
    random = ArmScores("random", "random", 2 * wild.scores, UNBOUNDED)
    assert found.sentences[2] == pilot([random, calm, wild], alone(50)).sentences[3]
    assert found.alike == pytest.approx(
        stats.bartlett(calm.scores.mean(axis=1), wild.scores.mean(axis=1)).pvalue
    )
    assert found.alike < 0.01
    low, high = (f"{arm.sd:.2g}" for arm in found.arms)
    assert (
        f"The arms do not vary alike (run means by {low} in selected, by {high} in full), so one run SD for all is a "
        "compromise."
    ) in found.sentences
    assert pilot([calm], alone(50)).alike is None
    still = ArmScores("still", "longest", np.tile(calm.scores[:1], (4, 1)), UNBOUNDED)
    assert pilot([still, calm], alone(50)).alike is None


def test_discordance_is_counted_over_pairs_of_runs():
    a = ArmScores("selected", "selected", np.array([[100.0, 0, 0, 0], [100, 100, 0, 0]]))
    b = ArmScores("full", "full", np.array([[0.0, 0, 0, 0], [100, 100, 100, 0]]))
    # Items that differ: run pairs 1-1: 1, 1-2: 2, 2-1: 2, 2-2: 1; of 4 items.
    assert pilot([a, b], alone(4)).discordant == pytest.approx(6 / 16)


def test_pairs_without_the_selected_arm_count_where_it_is_absent():
    rng = np.random.default_rng(4)
    selected, full, longest = draw(rng, arms=3)
    with_selected = pilot([selected, full, longest], alone(50)).item_sd ** 2
    pairs = [pilot(pair, alone(50)).item_sd ** 2 for pair in ([selected, full], [selected, longest])]
    assert with_selected == pytest.approx(np.mean(pairs))
    assert pilot([full, longest], alone(50)).item_sd > 0


def test_clusters_count_once():
    rng = np.random.default_rng(5)
    arms = draw(rng, items=30)
    twice = [ArmScores(arm.name, arm.kind, np.repeat(arm.scores, 2, axis=1), UNBOUNDED) for arm in arms]
    once, doubled = pilot(arms, alone(30)), pilot(twice, [name for name in alone(30) for _ in range(2)])
    assert (doubled.items, doubled.clusters) == (60, 30)
    assert doubled.run.limit == pytest.approx(once.run.limit)
    assert doubled.item_sd == pytest.approx(once.item_sd)
    assert doubled.residual_sd == pytest.approx(once.residual_sd)


def test_what_cannot_vary_does_not_count_and_single_runs_are_named():
    rng = np.random.default_rng(6)
    arms = draw(rng)
    base = ArmScores("base", "base", np.zeros((1, 50)))
    single = ArmScores("longest-8", "longest", np.zeros((1, 50)))
    found = pilot([base, single, *arms], alone(50))
    assert found.single == ("longest-8",)
    assert found.sentences[0] == "Pilot: 2 arms of 3 runs on 50 items (longest-8 with one run left out)."
    assert found.run == pilot(arms, alone(50)).run
    assert found.as_json()["run"]["degrees"] == 4


def test_two_runs_know_next_to_nothing():
    a = ArmScores("selected", "selected", np.array([[40.0, 50.0], [42.0, 52.0]]))
    found = pilot([a], alone(2))
    assert found.run.limit / found.run.sd == pytest.approx(3.947, abs=0.001)
    assert found.sentences == [
        "Pilot: 1 arm of 2 runs on 2 items.",
        "Runs vary by 1.4 points (SD), known with 1 degree of freedom: 95 % 0.63 to 45, upper 80 % limit 5.6.",
        "Two runs know next to nothing about how much runs vary; three to five tell more.",
    ]


def test_noise_alone_gives_a_spread_of_zero_and_yet_a_limit():
    found = run_spread(1.0, 4, residual=1.5)
    assert found.sd == 0
    assert found.limit == pytest.approx((4 / stats.chi2.ppf(0.2, 4) - 1.5) ** 0.5)
    assert found.low == 0


def refusal(arms, clusters):
    with pytest.raises(UserError) as error:
        pilot(arms, clusters)
    return str(error.value)


def test_refusals():
    one = ArmScores("selected", "selected", np.array([[10.0, 20.0]]))
    two = ArmScores("full", "full", np.array([[10.0, 20.0], [20.0, 20.0]]))
    same = ArmScores("full", "full", np.array([[10.0, 20.0], [10.0, 20.0]]))
    alone_run = (
        "the pilot has one run an arm, and one run cannot show how much runs vary; "
        "train each arm at least twice; three to five runs tell more"
    )
    assert refusal([one], ["a", "b"]) == alone_run
    assert refusal([], []) == alone_run
    assert refusal([same], ["a", "b"]) == (
        "all runs of full have the same mean, so the pilot cannot tell how much runs vary; "
        "take more items or more runs, or plan without it from --run-sd"
    )
    assert refusal([two], ["a"]) == (
        "arm 'full' has 2 items where 1 are expected; evaluate every arm on the same items"
    )
    assert refusal([two], ["a", "a"]) == (
        "the pilot has one item, and one item cannot show how much items differ; "
        "evaluate on more items (several wordings of one thing count as one)"
    )
