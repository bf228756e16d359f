"""The examples work as they are written."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tiny_run import pool_rows, write_rows

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_rows(tmp_path / "pool.jsonl", pool_rows(12))


@pytest.fixture
def installed(tmp_path):
    """The package as an installation leaves it: its module, and the entry points that it declares."""
    project = tomllib.loads((EXAMPLES / "own_scorer/pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    about = site / "suffice_question_marks-0.1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (about / "entry_points.txt").write_text("\n".join(groups))
    shutil.copy(EXAMPLES / "own_scorer/question_marks.py", site)
    return site


MARKS = """
import sys
from suffice.cli.main import run
select = ["select", "--pool", "pool.jsonl", "--scorer", "question_marks", "--out", "out", "--json", "--quiet"]
codes = [
    run(["list", "scorers", "--json"]),
    run(["list", "selectors", "--json"]),
    run([*select, "--budget", "13"]),
    run([*select, "--budget", "6", "--at-most", "even=2"]),
    run([*select, "--budget", "4"]),
    run(["explain", "out", "pool.jsonl:4", "--json"]),
]
sys.exit(0 if codes == [0, 0, 2, 0, 0, 0] else 1)
"""


def test_a_scorer_and_a_selector_of_ones_own_are_used_like_any_other(pool, installed):
    """In a process that knows of them by their entry points alone."""
    rows = pool_rows(12)
    for i, row in enumerate(rows):
        row["messages"][0]["content"] += "?" * (i * 5 % 12)
    write_rows(pool, rows)
    paths = [str(installed), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", MARKS],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    scorers, selectors, refused, held, found, explained = map(json.loads, done.stdout.splitlines())
    assert {"name": "question_marks", "paper": "", "needs": [], "cost": "a pass over the text"} in scorers
    assert {"name": "every_kth", "paper": "", "needs": ["scores"], "cost": "a sort"} in selectors
    assert refused["error"].startswith("the budget of 13 rows is larger than the pool of 12")
    assert held["constraints"]["at_most"] == {"even": 2}
    assert (found["scorer"], found["selector"]) == ("question_marks", "every_kth")
    chosen = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    assert [row["reason"] for row in chosen] == [
        f"rank {rank} with {marks} question marks" for rank, marks in ((1, 11), (4, 8), (7, 5), (10, 2))
    ]
    assert [row["messages"][0]["content"].count("?") for row in chosen] == [11, 8, 5, 2]
    assert (
        explained["obstacles"][0]["text"] == "every 3th row of the ranking is taken, and it lies between two"
    )


def test_suffice_as_a_library(pool, tiny_model_folder):
    command = [sys.executable, EXAMPLES / "select_and_train.py", pool, "out", "--budget", "5", "--steps", "2"]
    done = subprocess.run(
        [*command, "--model", tiny_model_folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "12 rows, 0 rejected"
    assert re.match(r"first of 5 chosen rows: score 9 words; 91st percentile", second)
    assert re.fullmatch(r"2 steps, last loss \d+\.\d\d; the weights are in out/model", third)
    assert len(Path("out/selection.jsonl").read_text().splitlines()) == 5
    assert Path("out/model/model.safetensors").exists()


def test_what_contributing_points_to_is_there():
    page = EXAMPLES.parent / "CONTRIBUTING.md"
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_published_selection(tmp_path):
    """Made-up results in the form of the published ones: two tasks, in one of which the method falls short."""
    rows = ["dataset,method,num_samples,seed,true_metric"]
    for task, chosen in (("sums", 60), ("facts", 40)):
        for seed in range(3):
            rows += [
                f"{task},LESS (RR),1000,{seed},{chosen + seed}",
                f"{task},Random,10000,{seed},{50 + seed}",
            ]
    (tmp_path / "critical_look_tulu_toy_budget.csv").write_text("\n".join(rows) + "\n")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "published_selection.py", tmp_path, "--margin", "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == ("margin 0, each cell by itself: of 2 cells 1 superior, 1 inferior")


def test_published_selection_on_the_real_results():
    """The first count of the issue: the mean reaches 10,000 random rows in 11 of 25 cells, shown in 6."""
    folder = EXAMPLES.parents[1] / "shared" / "data" / "published"
    if not folder.is_dir():
        pytest.skip("the published results are not at hand")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "published_selection.py", folder, "--margin", "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    first, _, third = done.stdout.splitlines()[:3]
    assert first == "margin 0, each cell by itself: of 25 cells 6 inferior, 13 inconclusive, 6 superior"
    assert third.endswith("in 11 cells")


def test_compare_arrays():
    done = subprocess.run(
        [sys.executable, EXAMPLES / "compare_arrays.py"], capture_output=True, text=True, check=True
    )
    verdict, sentence = done.stdout.splitlines()
    assert verdict == "superior"
    assert sentence.startswith("new is better than old on made up: difference +0.")
    assert sentence.endswith("over 200 items, 4 and 4 runs.")
