"""The paper's own example and test set through the same recipe: the mechanics, not the quality."""

import json
from pathlib import Path

import pytest

from suffice.common.progress import Silent
from suffice.data.examples import read_examples
from suffice.data.target import read_target
from suffice.rewards.mathematics import Math
from suffice.runs.one_shot.history import read_past
from suffice.runs.one_shot.recipe import read_one_shot
from suffice.runs.one_shot.run import run_one_shot
from suffice.runs.rewarded import task as running
from suffice.runs.rewarded.task import adopt
from tiny_run import Here

DATA = Path(__file__).parents[3] / "../shared/data/rlvr"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data/rlvr is absent")


def test_copies_of_the_example_count_once_and_answers_are_found():
    [pi1] = read_examples(DATA / "pi1_r128.parquet").items
    [pi13] = read_examples(DATA / "pi13_r128.parquet").items
    assert (pi1.answer, pi13.answer) == ("12.8", r"\frac{4}{3}")
    target = read_target(DATA / "math500.parquet")
    assert (len(target.items), len(target.dev)) == (500, 50)
    for item in [pi1, pi13, *target.items[::25]]:
        Math().check(item.answer)


def test_they_run_for_a_few_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "Workers", Here)
    first = read_target(DATA / "math500.parquet").items[:3]
    short = [
        {"prompt": str(item.messages[0]["content"]), "answer": item.answer, "split": "test"} for item in first
    ]
    (tmp_path / "target.jsonl").write_text("".join(json.dumps(row) + "\n" for row in short))
    given = {
        "model": "lab",
        "examples": str(DATA / "pi1_r128.parquet"),
        "target": str(tmp_path / "target.jsonl"),
        "templates": ["{question}"],
        "max_new_tokens": 16,
        "choice.row": 1,
        "choice.rollouts": 2,
        "training.steps": 2,
        "training.groups": 2,
        "training.samples": 2,
        "training.checkpoint_steps": 0,
        "evaluation.sampled_items": 0,
        "design.arms": ["base", "template", "one"],
        "design.seeds": 1,
        "execution.device": "cpu",
    }
    recipe, out = read_one_shot("one-shot", given), tmp_path / "run"
    out.mkdir()
    adopt(out, recipe)
    [task] = run_one_shot(out, recipe, Silent())["tasks"]
    assert task["choice"]["example"] == "pi1_r128-1"
    assert [row["arm"] for row in task["metrics"][0]["arms"]] == ["base", "template", "one"]
    history = json.loads((out / "arms" / "one" / "0" / "train.json").read_text())["history"]
    assert [step["kl"] is not None for step in history] == [True, True]


def test_the_papers_history_ranks_the_papers_examples_first():
    file = DATA / "dsr_sub.parquet"
    given = {
        "model": "lab",
        "examples": str(file),
        "target": str(DATA / "math500.parquet"),
        "choice.history": str(DATA / "acc_step_500.json"),
    }
    found = read_examples(file)
    examples, lines = found.items, found.lines
    assert [(row.line, row.message) for row in found.rejected] == [(266, "the row has no `answer`")]
    past = read_past(read_one_shot("one-shot", given), examples, lines)
    [pi1] = read_examples(DATA / "pi1_r128.parquet").items
    [pi13] = read_examples(DATA / "pi13_r128.parquet").items
    assert past.deviations[past.ranking[0]] == pytest.approx(0.4068, abs=5e-5)
    assert examples[past.ranking[0]].answer == pi1.answer
    assert examples[past.ranking[12]].answer == pi13.answer
