"""The main job, end to end: `suffice demo --quick` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from suffice.data.pool import Pool
from suffice.lab.families import FAMILIES

ARMS = ["base", "random-300", "longest-300", "selected-300", "full"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Standard output, standard error and the folder of one quick demo."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    command = [sys.executable, "-m", "suffice", "demo", "--quick", "--json", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr, folder


def test_standard_output_is_one_json_object_of_the_documented_form(demo):
    found = json.loads(demo[0])
    assert set(found) == {"verdict", "arms", "costs", "run"}
    assert {"outcome", "yardstick", "selector", "sentence", "comparisons"} <= set(found["verdict"])
    for comparison in found["verdict"]["comparisons"]:
        assert set(comparison) == {"against", "kind", "difference", "low", "high", "margin"}
    assert [arm["name"] for arm in found["arms"]] == ARMS
    assert set(found["costs"]) == {"choose_seconds", "train_seconds", "evaluate_seconds", "total_seconds"}
    assert found["run"] == str(demo[2])


def test_the_lab_shows_its_effect(demo):
    found = json.loads(demo[0])
    arms = {arm["name"]: arm for arm in found["arms"]}
    assert arms["base"]["score"] <= 25
    assert found["verdict"]["outcome"] == "sufficient"
    assert found["verdict"]["selector"] == "better than random"
    assert list(arms["full"]["families"]) == list(FAMILIES)


def test_no_row_is_lost(demo):
    manifest = json.loads((demo[2] / "manifest.json").read_text())
    counts = manifest["counts"]
    assert counts["chosen"] == 300
    assert counts["chosen"] + counts["unchosen"] + counts["rejected"] == counts["read"] == 5120
    rejected = (demo[2] / "rejected.jsonl").read_text().splitlines()
    assert len(rejected) == counts["rejected"] > 0
    assert len(Pool.read(demo[2] / "pool.parquet")) == counts["read"] - counts["rejected"]


def test_every_chosen_row_has_its_reason(demo):
    rows = [json.loads(line) for line in (demo[2] / "selection.jsonl").read_text().splitlines()]
    assert len({row["id"] for row in rows}) == 300
    for row in rows:
        assert set(row) == {"id", "messages", "source", "license", "file", "line", "reason", "evidence"}
        assert row["reason"].startswith("serves")


def test_the_terminal_tells_power_and_cost_before_training(demo):
    words = demo[1]
    assert words.index("Power with 220 independent items and 3 runs per arm") < words.index("Cost: ")
    assert words.index("Cost: ") < words.index("train ")


def test_the_report_stands_alone(demo):
    page = (demo[2] / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_a_second_run_changes_nothing(demo):
    folder: Path = demo[2]
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".parquet", ".jsonl")
    }
    command = [sys.executable, "-m", "suffice", "demo", "--quick", "--json", "--quiet", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["verdict"] == json.loads(demo[0])["verdict"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
