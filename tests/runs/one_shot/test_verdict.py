"""The verdict from outcomes written by hand."""

import json

import numpy as np
import pytest

from suffice.common.errors import UserError
from suffice.proof.arms import ArmScores
from suffice.proof.intervals import contrast_interval, difference_interval
from suffice.runs.one_shot.jobs import ArmRun
from suffice.runs.one_shot.recipe import OneShotDesign
from suffice.runs.one_shot.verdict import verdict
from suffice.runs.rewarded.measured import measure

ITEMS = 60


def write(folder, arms, samples=None):
    """Writes outcomes of arms: for each run the places of the items that are right."""
    runs = []
    for arm, hits in arms.items():
        for index, right in enumerate(hits):
            path = folder / arm / str(index)
            path.mkdir(parents=True)
            rows = [
                {"item": f"i{i}", "cluster": f"c{i}", "greedy": float(i in right), "reply": "", "stopped": True,
                 "samples": samples(i, right) if samples else None}
                for i in range(ITEMS)
            ]  # fmt: skip
            (path / "outcomes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            runs.append((ArmRun(arm, arm, index, index, "{question}"), path))
    return runs


def first(*counts):
    return [set(range(count)) for count in counts]


TEACHES = {
    "base": first(3), "template": first(4), "format": first(4, 5, 4), "random": first(4, 4, 3), "wrong": first(3, 4, 4),
    "one": first(56, 57, 56), "random-one": first(55, 57, 56), "whole": first(57, 58, 57),
}  # fmt: skip
ELICITS = TEACHES | {"format": first(54, 55, 56), "wrong": first(40, 42, 41)}


def test_the_chain_adds_up_to_the_gain(tmp_path):
    [found] = verdict(measure(write(tmp_path, TEACHES), 0), OneShotDesign())["metrics"]
    steps = [(step["from"], step["to"], step["estimate"]) for step in found["chain"]]
    assert [names[:2] for names in steps] == [("base", "template"), ("template", "format"), ("format", "one")]
    assert sum(step[2] for step in steps) == pytest.approx(found["gain"]["estimate"])
    assert found["gain"]["estimate"] == pytest.approx(100 * (169 / 3 - 3) / ITEMS)


def test_a_reward_that_teaches_is_told_from_one_that_elicits(tmp_path):
    teaches = verdict(measure(write(tmp_path / "a", TEACHES), 0), OneShotDesign())["sentences"]
    elicits = verdict(measure(write(tmp_path / "b", ELICITS), 0), OneShotDesign())["sentences"]
    assert (
        "No false reward lifts the base, and the right one is beyond each of them: the reward teaches."
        in teaches
    )
    assert (
        "Rewards that know nothing of what is right lift the base too (format and wrong): it is elicited; format cannot "
        "be told from the right reward."
    ) in elicits


def test_a_coin_that_lifts_one_run_of_three_is_named_as_open(tmp_path):
    arms = TEACHES | {"random": first(4, 57, 3)}
    found = verdict(measure(write(tmp_path, arms), 0), OneShotDesign())
    assert (
        "No false reward is shown to lift the base, and the right one is beyond format and wrong; against random "
        "the right one's lead is open."
    ) in found["sentences"]


def test_the_share_of_the_whole_sets_gain_is_tested_as_a_contrast(tmp_path):
    found = verdict(measure(write(tmp_path, TEACHES), 0), OneShotDesign())
    whole = found["metrics"][0]["whole"]
    assert whole["beyond"]["estimate"] == pytest.approx(100 * ((169 / 3 - 4) - 0.9 * (172 / 3 - 4)) / ITEMS)
    assert whole["share"] == pytest.approx((169 / 3 - 4) / (172 / 3 - 4))
    assert whole["beyond"]["low"] > 0
    assert (
        "It reaches 98% of the whole set's gain: at least 90% of the whole set's gain is shown."
        in found["sentences"]
    )


def test_a_whole_set_that_brings_nothing_has_no_share(tmp_path):
    arms = TEACHES | {"whole": first(4, 4, 4)}
    found = verdict(measure(write(tmp_path, arms), 0), OneShotDesign())
    assert found["metrics"][0]["whole"]["share"] is None
    assert (
        "The whole set brings nothing, so that there is no share of its gain to reach." in found["sentences"]
    )


def test_pass_at_k_is_of_the_sampled_items(tmp_path):
    def samples(i, right):
        return [1.0, 0.0, 0.0, 0.0] if i in right and i < 20 else ([0.0] * 4 if i < 20 else None)

    arms = {"base": first(0), "template": first(0), "one": first(10, 10)}
    tables = verdict(measure(write(tmp_path, arms, samples), 4), OneShotDesign())["metrics"]
    assert [(table["metric"], table["items"]) for table in tables] == [
        ("greedy", 60),
        ("pass@1", 20),
        ("pass@4", 20),
    ]
    means = {row["arm"]: row["estimate"] for row in tables[1]["arms"]}
    assert means == {"base": 0.0, "template": 0.0, "one": pytest.approx(12.5)}
    assert {row["arm"]: row["estimate"] for row in tables[2]["arms"]}["one"] == 50.0


def test_items_that_miss_a_reward_are_left_out_of_every_arm_and_counted(tmp_path):
    runs = write(tmp_path, {"base": first(3), "template": first(4), "one": first(50, 51)})
    path = runs[2][1] / "outcomes.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[7]["greedy"] = None
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [table] = verdict(measure(runs, 0), OneShotDesign())["metrics"]
    assert (table["items"], table["dropped"]) == (59, 1)
    path.write_text("".join(json.dumps(row | {"greedy": None}) + "\n" for row in rows))
    with pytest.raises(UserError, match="by greedy, every test item misses its reward in some run"):
        measure(runs, 0)


def test_a_contrast_of_one_and_minus_one_is_the_difference():
    random = np.random.default_rng(3)
    a, b = (
        ArmScores(name, "method", 100.0 * (random.random((3, 40)) < p))
        for name, p in (("a", 0.6), ("b", 0.4))
    )
    clusters = [str(i // 2) for i in range(40)]
    assert contrast_interval([a, b], [1.0, -1.0], clusters) == difference_interval(a, b, clusters)


def test_an_interval_of_a_contrast_covers_as_often_as_it_says():
    random, true, covered = np.random.default_rng(0), 100 * (0.8 - 0.9 * 0.85 - 0.1 * 0.1), 0
    for _ in range(200):
        arms = []
        for p, runs in ((0.8, 3), (0.85, 3), (0.1, 1)):
            level = np.clip(p + random.normal(0, 0.02, (runs, 1)), 0, 1) if runs > 1 else p
            kind = "method" if runs > 1 else "model"
            arms.append(ArmScores(str(p), kind, 100.0 * (random.random((runs, 200)) < level)))
        found = contrast_interval(arms, [1.0, -0.9, -0.1], [str(i) for i in range(200)])
        covered += found.low <= true <= found.high
    assert covered / 200 >= 0.93
