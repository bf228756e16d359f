"""Draws in evaluation logs: trainings on one draw are one run, spreads are told apart, a new draw is predicted."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from suffice.cli.main import run
from suffice.proof.arms import ArmScores
from suffice.proof.compare.elsewhere import load_elsewhere, prove_logs
from suffice.proof.compare.evidence import evidence
from suffice.proof.compare.logged import compare_logs
from suffice.proof.draws import by_draw, new_draw
from suffice.proof.outcomes import RunMean
from suffice.proof.prediction import predict_draw
from suffice.proof.spread import spread

ITEMS = 40
COLUMNS = {"arm": "arm", "run": "seed"}  # item, score and draw bear their own names


def scores(shift, seed):
    return (np.random.default_rng(seed).random(ITEMS) < shift).astype(float)


RANDOM = {(draw, seed): scores(0.3 + 0.1 * draw, 10 * draw + seed) for draw in range(3) for seed in range(2)}
CHOSEN = {(0, seed): scores(0.7, 100 + seed) for seed in range(3)}


def write(path, arms):
    with Path(path).open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["arm", "draw", "seed", "item", "score"])
        for arm, runs in arms.items():
            for (draw, seed), values in runs.items():
                out.writerows([arm, draw, seed, f"i{place}", value] for place, value in enumerate(values))


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.csv", {"random": RANDOM, "selected": CHOSEN})
    write("base.csv", {"base": {(0, 0): scores(0.2, 200)}})
    return "a.csv"


def means(runs):
    return [100 * values.mean() for values in runs.values()]


def test_trainings_on_one_draw_count_once(table):
    found = compare_logs([table], COLUMNS)
    [one] = found.contrasts
    assert (one.a, one.b, one.runs_a, one.runs_b) == ("random", "selected", 3, 3)
    assert one.notes[-1] == (
        "'random' has 6 trainings on 3 draws; those on one draw are averaged, and a draw counts once."
    )
    averaged = [np.mean([RANDOM[draw, seed] for seed in range(2)], axis=0) for draw in range(3)]
    arms = [
        ArmScores(name, "method", np.stack(rows), (0, 1))
        for name, rows in (("a", averaged), ("b", list(CHOSEN.values())))
    ]
    by_hand = evidence(*arms, [f"i{place}" for place in range(ITEMS)]).interval(1 - one.level)
    assert (one.difference.low, one.difference.high) == pytest.approx((by_hand.low, by_hand.high))


def test_spreads_are_told_apart_where_two_draws_have_two_seeds(table):
    random, chosen = compare_logs([table], COLUMNS).spreads
    by_hand = spread([values.mean() for values in RANDOM.values()], *zip(*RANDOM, strict=True))
    assert (random["name"], random["draw_sd"], random["seed_sd"]) == (
        "random",
        pytest.approx(by_hand.draw_sd),
        pytest.approx(by_hand.seed_sd),
    )
    assert chosen["sentence"].endswith("training alone, no draw in it.")
    assert (chosen["draw_sd"], chosen["seed_sd"]) == (None, chosen["total_sd"])


def test_without_draws_the_spread_says_that_it_does_not_know(table, tmp_path):
    for seed, values in enumerate(CHOSEN.values()):
        Path(f"{seed}.csv").write_text("item,score\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
        Path(f"b{seed}.csv").write_text(
            "item,score\n" + "".join(f"{i},{1 - v}\n" for i, v in enumerate(values))
        )
    found = compare_logs(["x=0.csv,1.csv,2.csv", "y=b0.csv,b1.csv,b2.csv"])
    assert found.new_draws == []
    first = found.spreads[0]
    assert (first["draws"], first["draw_sd"], first["seed_sd"]) == (None, None, None)
    assert first["total_sd"] == pytest.approx(np.std([v.mean() for v in CHOSEN.values()], ddof=1))
    assert first["sentence"].endswith(
        "whether the draw of rows, the training seed or both varied, the logs do not say."
    )


@pytest.mark.parametrize("lower", [False, True])
def test_a_new_draw_is_predicted_from_the_draws(table, lower):
    found = compare_logs([table], COLUMNS, lower_is_better=lower).new_draws
    draws = [np.mean([RANDOM[draw, seed].mean() for seed in range(2)]) for draw in range(3)]
    ours = [values.mean() for values in CHOSEN.values()]
    by_hand = predict_draw(draws, ours)
    assert (found[0]["drawn"], found[0]["against"]) == ("random", "selected")
    assert found[0]["probability"] == pytest.approx(1 - by_hand.probability if lower else by_hand.probability)
    assert (found[0]["low"], found[0]["high"]) == pytest.approx((by_hand.low, by_hand.high))
    assert len(found) == 1


def test_a_verdict_takes_draws_as_a_run_folder_does(table):
    data = load_elsewhere([table, "base.csv"], COLUMNS)
    assert {arm.name: arm.runs for arm in data.arms} == {"random": 3, "selected": 3, "base": 1}
    found = prove_logs([table, "base.csv"], COLUMNS)
    assert [one["name"] for one in found.spreads] == ["random", "selected"]
    draws = np.mean(np.reshape(means(RANDOM), (3, 2)), axis=1)
    assert found.new_draw["probability"] == pytest.approx(predict_draw(draws, means(CHOSEN)).probability)


def test_without_draws_every_run_of_random_is_a_draw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, runs in (("r", RANDOM), ("s", CHOSEN), ("b", {(0, 0): scores(0.2, 3)})):
        for place, values in enumerate(runs.values()):
            Path(f"{name}{place}.csv").write_text(
                "item,score\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values))
            )
    found = prove_logs(["random=r0.csv,r1.csv,r2.csv", "selected=s0.csv,s1.csv,s2.csv", "base=b0.csv"])
    assert [one["draws"] for one in found.spreads] == [3, 1]
    first = predict_draw(means(RANDOM)[:3], means(CHOSEN))
    assert found.new_draw["probability"] == pytest.approx(first.probability)


def test_by_draw_keeps_the_order_of_first_trainings():
    matrix = np.array([[0.0, 1], [1, 1], [0, 0], [1, 0]])
    assert by_draw(matrix, ["b", "a", "b", "c"]).tolist() == [[0, 0.5], [1, 1], [1, 0]]


def test_a_selection_of_several_draws_counts_each_once():
    random = [RunMean(draw, 0, 10.0 + draw) for draw in range(4)]
    chosen = [RunMean(0, 0, 20.0), RunMean(0, 1, 22.0), RunMean(1, 0, 25.0)]
    assert new_draw(random, chosen)["probability"] == pytest.approx(
        predict_draw([10.0, 11, 12, 13], [21.0, 25]).probability
    )


def test_the_words(table, capsys):
    assert run(["compare", table, "--columns", "arm=arm,run=seed"]) == 0
    told = capsys.readouterr().out
    assert "random: Spread (SD) of " in told
    assert "One new draw of random would beat selected with a probability of " in told
    assert run(["prove", "--arm", table, "--arm", "base.csv", "--columns", "arm=arm,run=seed"]) == 0
    told = capsys.readouterr().out
    assert "selected: Spread (SD) of " in told
    assert "One new draw would beat the chosen rows with a probability of " in told
    assert run(["compare", table, "--columns", "arm=arm,run=seed", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["comparisons", "spreads", "new_draws", "notes"]
