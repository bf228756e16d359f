"""``suffice plan``: from assumptions, from a run folder, from an outcome table, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from suffice.cli.main import run
from suffice.proof.outcomes import outcome_table, write_outcomes
from suffice.runs.recipe import read_recipe

ITEMS = 40
COUNTS = {"base": 1, "random-8": 4, "selected-8": 3, "full": 3}
SECONDS = {"random-8": 10.0, "selected-8": 20.0, "full": 30.0}


def outcomes(counts=COUNTS):
    """An outcome table of seeded right and wrong replies, two items a cluster."""
    rng = np.random.default_rng(0)
    items = [f"item-{place}" for place in range(ITEMS)]
    rows = []
    for arm, count in counts.items():
        for number in range(count):
            right = rng.random(ITEMS) < {"base": 0.1}.get(arm, 0.7) + 0.1 * number
            rows += [
                {
                    "arm": arm,
                    "kind": arm.split("-")[0],
                    "draw": number,
                    "seed": number,
                    "item": item,
                    "task": "add",
                    "cluster": f"c{place // 2}",
                    "sample": 0,
                    "score": float(right[place]),
                }
                for place, item in enumerate(items)
            ]
    return outcome_table(rows)


@pytest.fixture
def pilot(tmp_path, monkeypatch):
    """A folder with what a plan reads of a run, as the current one's `pilot`."""
    monkeypatch.chdir(tmp_path)
    folder = Path("pilot")
    folder.mkdir()
    recipe = {"pool": ["p"], "target.file": "t", "design.arms": list(COUNTS), "design.margin": 4.0}
    recipe["design.arms"] = ["base", "random", "selected", "full"]
    recipe |= {"design.draws": 4, "design.seeds": 3, "design.alpha": 0.1}
    read_recipe("lima", recipe).write(folder / "recipe.yaml")
    write_outcomes(folder / "outcomes.parquet", outcomes())
    for arm, count in COUNTS.items():
        for number in range(count):
            place = folder / "arms" / arm / str(number)
            place.mkdir(parents=True)
            (place / "evaluated.json").write_text(json.dumps({"seconds": 1.5}))
            if arm != "base":
                trained = {"seconds": SECONDS[arm] + number, "flops": 1e9}
                (place / "trained.json").write_text(json.dumps(trained))
    return folder


def answer(words, capsys):
    assert run(["plan", *words, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    [line] = captured.out.splitlines()
    return json.loads(line)


def words_of(words, capsys):
    assert run(["plan", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def test_without_a_pilot_it_says_what_it_assumes(capsys):
    lines = words_of(["--items", "4000"], capsys)
    assert lines[:3] == [
        "No pilot: a pilot of three runs or more would tell the spread.",
        (
            "Assumed: runs and draws vary by 1 point (SD); two arms answer 10 % of the items differently, right or "
            "wrong."
        ),
        "Planned: 4,000 items, 3 seeds, 5 draws, margin 2, alpha 0.05.",
    ]
    assert lines[4].split("  ")[0] == "seeds"
    assert [line.split()[0] for line in lines[5:13]] == ["3", "4", "5", "6", "8", "10", "15", "20"]
    assert all(len(line) <= 80 for line in lines[4:13])
    assert lines[14:] == [
        "For a power of 80 % at a run SD of 1: 9 seeds, 3 draws and 4,000 items.",
        "With 3 seeds, no number of items alone reaches it: runs vary too much for this margin.",
        "Cost: unknown without a pilot run; `suffice run` measures one step before it trains.",
    ]


def test_the_json_form(capsys):
    found = answer(["--items", "4000", "--run-sd", "0.5", "--draws", "0", "--power", "0.9"], capsys)
    assert list(found) == [
        "pilot", "assumed", "design", "power", "planned", "needed", "hoped", "table", "cost",
    ]  # fmt: skip
    assert (found["pilot"], found["cost"]) == (None, None)
    assert found["assumed"][0] == "runs and draws vary by 0.5 points (SD)"
    assert (found["power"], found["design"]["draws"], found["needed"]["draws"]) == (0.9, 0, None)
    assert found["needed"] == found["hoped"]
    assert all(row["gain"] is None for row in found["table"])


def test_a_run_folder_is_a_pilot(pilot, capsys):
    found = answer(["pilot"], capsys)
    assert [arm["name"] for arm in found["pilot"]["arms"]] == ["random-8", "selected-8", "full"]
    assert (found["pilot"]["items"], found["pilot"]["clusters"]) == (40, 20)
    design = found["design"]
    assert {name: design[name] for name in ("items", "seeds", "draws", "margin", "alpha")} == {
        "items": 20, "seeds": 3, "draws": 4, "margin": 4.0, "alpha": 0.1,
    }  # fmt: skip
    assert design["run_sd"] == found["pilot"]["run"]["sd"]
    assert design["run_sd_limit"] == found["pilot"]["run"]["limit"] > design["run_sd"]
    assert design["draw_sd_limit"] == found["pilot"]["draw"]["limit"]
    assert design["item_sd"] == found["pilot"]["item_sd"]
    assert design["discordant"] is None
    assert found["assumed"] == []
    assert all(row["enough"][0] < row["enough"][1] for row in found["table"])


def test_what_it_costs(pilot, capsys):
    found = answer(["pilot", "--seeds", "5", "--draws", "2", "--items", "40"], capsys)["cost"]
    # Three trainings of 20, 21, 22 seconds mean 21, of full 31; four draws of 10 to 13 mean 11.5.
    assert found["planned"] == {
        "training_runs": 12,
        "train_seconds": 5 * 21 + 5 * 31 + 2 * 11.5,
        "evaluate_seconds": 12 * 1.5 * 40 / 20,
        "flops": 12e9,
    }
    assert found["unknown"] == []


def test_what_the_needed_design_costs(pilot, capsys):
    found = answer(["pilot", "--margin", "60", "--gain", "70", "--power", "0.5"], capsys)
    seeds, draws = found["needed"]["seeds"], found["needed"]["draws"]
    assert found["cost"]["needed"]["training_runs"] == 2 * seeds + draws
    assert found["cost"]["needed"]["train_seconds"] == seeds * (21 + 31) + draws * 11.5
    lines = words_of(["pilot", "--margin", "60", "--gain", "70", "--power", "0.5"], capsys)
    assert lines[0] == "Pilot: 3 arms of 3 or 4 runs on 20 items."
    assert "A range goes from the upper 80 % limits of the spreads to their estimates." in lines
    assert lines[-1].startswith("Cost by the pilot's runs, on one worker: planned 10 training runs, 4 min")


def test_an_arm_that_the_pilot_never_trained(pilot, capsys):
    for path in (pilot / "arms" / "full").glob("*/trained.json"):
        path.unlink()
    found = answer(["pilot"], capsys)["cost"]
    assert found["unknown"] == ["full"]
    assert found["planned"]["training_runs"] == 3 + 4
    assert words_of(["pilot"], capsys)[-1].endswith("Not trained in the pilot, and left out: full.")
    for path in (pilot / "arms").glob("*/*/trained.json"):
        path.unlink()
    assert answer(["pilot"], capsys)["cost"] is None


def test_arms_of_other_budgets_do_not_count(pilot, capsys):
    alone = answer(["pilot"], capsys)
    counts = {"selected-4": 3, "random-4": 4, **COUNTS, "selected-16": 3, "method-8": 2}
    (pilot / "stages").mkdir()
    (pilot / "stages" / "select.json").write_text(json.dumps({"indices": list(range(8))}))
    write_outcomes(pilot / "outcomes.parquet", outcomes(counts))
    found = answer(["pilot"], capsys)
    assert [arm["name"] for arm in found["pilot"]["arms"]] == ["random-8", "selected-8", "full"]
    assert found["cost"]["planned"] == alone["cost"]["planned"]


def test_every_draw_may_be_trained_more_than_once(pilot, capsys):
    once = answer(["pilot"], capsys)["cost"]["planned"]
    recipe = pilot / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("draw_seeds: 1", "draw_seeds: 2"))
    twice = answer(["pilot"], capsys)["cost"]["planned"]
    assert (once["training_runs"], twice["training_runs"]) == (3 + 3 + 4, 3 + 3 + 8)
    assert twice["train_seconds"] - once["train_seconds"] == 4 * 11.5


def test_an_outcome_table_is_a_pilot_too(pilot, capsys):
    found = answer(["pilot/outcomes.parquet", "--run-sd", "1.5", "--discordant", "0.2"], capsys)
    assert found["assumed"] == [
        "runs and draws vary by 1.5 points (SD)",
        "two arms answer 20 % of the items differently, right or wrong",
    ]
    assert (found["design"]["margin"], found["cost"]) == (2.0, None)
    assert (found["design"]["run_sd_limit"], found["design"]["draw_sd"]) == (1.5, None)


def test_a_single_arm_cannot_say_how_much_arms_differ(pilot, capsys):
    write_outcomes(pilot / "outcomes.parquet", outcomes({"selected-8": 3}))
    found = answer(["pilot"], capsys)
    assert found["assumed"] == ["two arms answer 10 % of the items differently, right or wrong"]
    assert found["design"]["draw_sd"] == found["design"]["run_sd"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "the plan lacks the number of test items; give --items, or a run folder as pilot"),
        (
            ["--items", "9", "--power", "1"],
            "the power wanted is 1.0; give a power between 0 and 1, such as 0.8",
        ),
        (
            ["--items", "9", "--margin", "nan"],
            (
                "the power cannot be computed for a run SD of 1.0, a discordant share of 0.1, a margin of nan, a gain "
                "of 5.0 and an alpha of 0.05; give SDs and a margin of 0 or more, a share from 0 to 1, a gain and an "
                "alpha between 0 and 1"
            ),
        ),
        (["nowhere"], "nowhere holds no run; begin one with: suffice run lima … --out nowhere"),
    ],
)
def test_mistakes(pilot, capsys, words, text):
    assert run(["plan", *words]) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")
    assert run(["plan", *words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": text}


def test_a_pilot_without_outcomes_or_with_single_runs(pilot, capsys):
    write_outcomes(pilot / "outcomes.parquet", outcomes({"base": 1, "selected-8": 1, "full": 1}))
    assert run(["plan", "pilot"]) == 2
    assert capsys.readouterr().err == (
        "suffice: the pilot has one run an arm, and one run cannot show how much runs vary; "
        "train each arm at least twice; three to five runs tell more\n"
    )
    (pilot / "outcomes.parquet").unlink()
    assert run(["plan", "pilot"]) == 2
    assert capsys.readouterr().err == (
        "suffice: there are no outcomes at pilot/outcomes.parquet; run `suffice evaluate` again\n"
    )


def test_the_pilot_may_be_logs_of_arms_trained_elsewhere(pilot, capsys):
    table = outcomes().to_pylist()
    Path("logs.jsonl").write_text(
        "".join(json.dumps({**row, "arm": row["kind"], "run": str(row["seed"])}) + "\n" for row in table)
    )
    assert run(["plan", "--arm", "logs.jsonl", "--columns", "arm=arm", "--task", "add", "--json"]) == 0
    logs = json.loads(capsys.readouterr().out)
    assert run(["plan", "pilot/outcomes.parquet", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert [arm["name"] for arm in logs["pilot"]["arms"]] == ["random", "selected", "full"]
    for form in (logs, whole):
        for arm in form["pilot"]["arms"]:
            del arm["name"]
    assert logs == whole
    assert run(["plan", "--arm", "logs.jsonl", "--columns", "arm=arm"]) == 0
    told = capsys.readouterr().out
    assert "Draws of random vary by " in told
    assert "Cost: unknown without a pilot run" in told


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["pilot", "--arm", "full=a.csv"], "pilot is one pilot, and --arm another; give one of them"),
        (["pilot", "--columns", "item=id"], "no log is read; give --arm KIND=LOG as well"),
        (["--arm", "ful=pilot/outcomes.parquet"], "unknown kind of arm 'ful'; did you mean 'full'?"),
    ],
)
def test_logs_that_are_no_pilot(pilot, capsys, words, text):
    assert run(["plan", *words]) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")
