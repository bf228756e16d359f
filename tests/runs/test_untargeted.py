"""Untargeted tasks: evaluated beside the target, kept out of the verdict, and watched for harm."""

from pathlib import Path

import pyarrow.compute as pc
import pytest

from suffice.common.files import read_json, write_json
from suffice.common.progress import Silent
from suffice.data.target import Target, TargetItem
from suffice.proof.outcomes import outcome_table, read_outcomes
from suffice.runs.folder import RunFolder
from suffice.runs.notes import notes
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.summary import as_json
from suffice.runs.untargeted import PREFIX, harm, split_table, with_untargeted
from tiny_run import write_rows


def item(name, split="test"):
    return TargetItem(name, ({"role": "user", "content": name},), "5", "sums", split, name)


def test_ids_never_meet():
    both = with_untargeted(Target((item("a"), item("d", "dev"))), Target((item("a"), item("b", "dev"))))
    assert [one.id for one in both.items] == ["a", "d", "untargeted/a"]
    assert [one.id for one in both.dev] == ["d"]


def outcomes(arm, seeds, right, items=600, spread=1):
    """Runs that differ by an item each, around `right` right ones."""
    return [
        {"arm": arm, "kind": arm.split("-")[0], "draw": 0, "seed": seed, "item": f"{PREFIX}q{i}",
         "task": f"{PREFIX}chat", "cluster": f"{PREFIX}q{i}", "sample": 0, "score": float(i < right + spread * (seed - seeds // 2))}
        for seed in range(seeds) for i in range(items)
    ]  # fmt: skip


def test_harm_is_held_against_the_base():
    rows = outcomes("base", 1, 450) + outcomes("selected-8", 3, 300) + outcomes("full", 3, 450)
    targeted, apart = split_table(outcome_table(rows))
    assert len(targeted) == 0
    hurt, level = harm(apart, ["base", "selected-8", "full"], margin=2.0, alpha=0.05)
    assert (hurt["b"], hurt["task"], hurt["verdict"]) == ("selected-8", "chat", "inferior")
    assert hurt["difference"] == pytest.approx(-25)
    assert (hurt["inference"], hurt["runs_b"]) == ("procedure", 3)
    assert (level["b"], level["verdict"]) == ("full", "equivalent")
    assert harm(apart, [], margin=2.0, alpha=0.05) == []
    two = outcome_table(outcomes("base", 1, 450) + outcomes("selected-8", 2, 300))
    assert harm(two, ["base", "selected-8"], margin=2.0, alpha=0.05) == []


def test_runs_that_are_copies_count_as_one_model():
    rows = outcomes("base", 1, 450) + outcomes("selected-8", 3, 300, spread=0)
    [hurt] = harm(outcome_table(rows), ["base", "selected-8"], margin=2.0, alpha=0.05)
    assert (hurt["verdict"], hurt["inference"], hurt["runs_b"]) == ("inferior", "models", 1)


def test_a_run_watches_them(workplace):
    write_rows(
        Path("other.jsonl"),
        [
            {"id": f"item-{i}", "prompt": f"Name river {i}.", "answer": "x", "task": "names"}
            for i in range(20)
        ],
    )
    about = {"design.arms": ["base", "selected"], "design.seeds": 3, "target.untargeted": "other.jsonl"}
    folder, recipe = RunFolder(Path("watched")), read_recipe("tiny.yaml", about)
    with folder.locked():
        folder.adopt(recipe)
        run = bring_up_to_date(folder, recipe, Silent())
    table = read_outcomes(folder.outcomes)
    assert pc.sum(pc.starts_with(table["item"], PREFIX)).as_py() == 18 * (1 + 3)  # two of 20 are dev
    found = as_json(folder)
    assert set(found["arms"][0]["families"]) == {"add", "sum"}
    assert {arm["items"] for arm in found["arms"]} == {12}
    assert [(one["b"], one["task"]) for one in found["untargeted"]] == [("selected-8", "names")]
    assert "Untargeted: " in folder.report.read_text()
    write_json(folder.verdict, read_json(folder.verdict) | {"untargeted": []})
    assert notes(run, found["arms"])[-1] == (
        "Harm to untargeted tasks cannot be told: it takes the base, and one run or three of every other arm."
    )
