"""A whole run on a tiny model: what is written, resumption, mistakes of the user."""

import json
import re

import pytest
import yaml

from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.examples import read_examples
from suffice.models.endpoint.asking import Asked
from suffice.models.endpoint.meter import Meter
from suffice.models.endpoint.wire import Answer
from suffice.runs.critique import critics, jobs, run
from suffice.runs.critique.recipe import CritiqueRecipe, CritiqueTraining
from suffice.runs.critique.run import run_critique
from suffice.runs.rewarded import task as running
from suffice.runs.rewarded.judged import Judged
from suffice.runs.rewarded.settings import read_rewarded
from suffice.runs.rewarded.task import adopt
from suffice.training.settings import SFTSettings
from tiny_run import Here, write_rows

RECIPE = {
    "kind": "critique",
    "name": "tiny",
    "examples": "examples.jsonl",
    "target": "target.jsonl",
    "max_new_tokens": 6,
    "reward": {"name": "exact", "require_stop": False},
    "choice": {"candidates": 3, "rollouts": 2},
    "critiques": {"file": "critiques.jsonl", "instruction": "{question} {solution}"},
    "training": {"learning_rate": 1e-2, "steps": 3, "batch_size": 4, "checkpoints": 3},
    "evaluation": {"sampled_items": 2, "samples": 2},
    "design": {"seeds": 1, "arms": ["base", "template", "critique", "critique-other"]},
    "execution": {"device": "cpu"},
}
CRITIQUES = [
    {"example": f"r{i}", "solution": str(said), "critique": f"It is {said}.\nConclusion: {word}"}
    for i, said, word in [(0, 1, "right"), (0, 2, "wrong"), (0, 3, "wrong"), (0, 4, "right"), (1, 5, "wrong"), (1, 2, "right")]
]  # fmt: skip


class Notes(Silent):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def place(tmp_path, tiny_model_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "Workers", Here)

    def rows(start, split=None):
        more = {"split": split} if split else {}
        return [
            {"prompt": f"Add {i} and one.", "answer": str(i + 1), "id": f"r{i}"} | more
            for i in range(start, start + 3)
        ]

    write_rows(tmp_path / "examples.jsonl", rows(0))
    write_rows(tmp_path / "target.jsonl", rows(10, "dev") + rows(20, "test"))
    write_rows(tmp_path / "critiques.jsonl", CRITIQUES)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(RECIPE | {"model": str(tiny_model_folder)}))
    return tmp_path


def go(place, reporter=None, **overrides):
    recipe = read_rewarded(CritiqueRecipe, "tiny.yaml", overrides)
    out = place / "run"
    out.mkdir(exist_ok=True)
    adopt(out, recipe)
    return run_critique(out, recipe, reporter or Silent())


def test_all_arms_are_trained_by_the_best_checkpoint_and_a_killed_run_goes_on(place, monkeypatch):
    scores = iter([0.0, 0.5, 0.25] * 9)
    monkeypatch.setattr(jobs.Best, "_score", lambda self: next(scores))
    real, trained = jobs.outcomes_of, []

    def killed(model, judge, recipe, items, template):
        trained.append(model.network.state_dict()["model.norm.weight"].clone())
        if len(trained) == 3:
            raise KeyboardInterrupt
        return real(model, judge, recipe, items, template)

    monkeypatch.setattr(jobs, "outcomes_of", killed)
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        go(place, notes)
    assert any(
        text.startswith("critiques  3 kept, 1 of right solutions, 1 dropped by C102") for text in notes.said
    )
    monkeypatch.setattr("suffice.training.sft.train_sft", None)  # the killed run was trained already
    with pytest.raises(TypeError):
        go(place)
    assert (trained[3] == trained[2]).all()
    monkeypatch.undo()
    monkeypatch.chdir(place)
    monkeypatch.setattr(running, "Workers", Here)
    [task] = go(place)["tasks"]
    arms = {row["arm"]: row["runs"] for row in task["metrics"][0]["arms"]}
    assert arms == {"base": 1, "template": 1, "critique": 1, "critique-other": 1}
    assert task["choice"]["example"] == "r0"
    assert task["critiques"] == {"kept": 3, "right": 1, "dropped": {"C102 false-conclusion": 1}}
    dev = json.loads((place / "run" / "arms" / "critique" / "0" / "dev.json").read_text())
    assert dev["scores"] == {"1": 0.0, "2": 0.5, "3": 0.25}
    kept = [json.loads(line) for line in (place / "run" / "critiques.jsonl").read_text().splitlines()]
    assert len(kept) == 5
    assert kept[0] == CRITIQUES[0] | {"right": True}
    manifest = json.loads((place / "run" / "manifest.json").read_text())
    assert manifest["recipe"]["kind"] == "critique"
    monkeypatch.setattr(run, "run_arm", None)
    assert go(place)["tasks"] == [task]


def test_solutions_of_the_base_are_criticised_once_each(place, monkeypatch):
    (place / "critic.py").write_text(
        "def critic(question, solution, answer):\n"
        "    word = 'right' if solution == answer else 'wrong'\n"
        "    return {'1': 'Yes.', '7': 1 / 0 if solution == '7' else ''}.get(solution, 'No.') + '\\nConclusion: ' + word\n"
    )
    replies = [Judged(text, stopped, value) for text, stopped, value in [
        ("1", True, 1.0), ("1 ", True, 1.0), ("2", True, 0.0), ("cut", False, 0.0), ("3", True, None), ("", True, 0.0),
        ("7", True, 0.0), ("4", True, 0.0),
    ]]  # fmt: skip
    monkeypatch.setattr(run.Critiqued, "_read", lambda self, name, jobs: [[replies]] * len(jobs))
    monkeypatch.setattr(
        run.Critiqued, "_tries", lambda self, candidates, template: [replies] * len(candidates)
    )
    monkeypatch.setattr(run, "run_arm", None)
    with pytest.raises(TypeError):
        go(place, **{"critiques.file": "", "critiques.function": "critic:critic", "critiques.samples": 8})
    kept = [json.loads(line) for line in (place / "run" / "critiques.jsonl").read_text().splitlines()]
    first = [(row["solution"], row["critique"]) for row in kept if row["example"] == kept[0]["example"]]
    assert sorted(first) == [
        ("1", "Yes.\nConclusion: right"),
        ("2", "No.\nConclusion: wrong"),
        ("4", "No.\nConclusion: wrong"),
    ]
    rejected = [json.loads(line) for line in (place / "run" / "rejected.jsonl").read_text().splitlines()]
    assert {row["message"] for row in rejected} >= {"the function raised ZeroDivisionError: division by zero"}


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"critiques.file": ""}, "tiny.yaml: critiques: give one source of critiques: --set file=FILE, --set function=MODULE:FUNCTION, or --set endpoint=URL --set model=NAME; mend the recipe"),
        ({"critiques.instruction": "{question}"}, "tiny.yaml: critiques: instruction does not hold {question} and {solution} once each; mend the recipe"),
        ({"design.arms": ["base", "critique"]}, "tiny.yaml: design: the arm 'template' is missing, and the verdict stands on it; mend the recipe"),
        ({"critiques.file": "", "critiques.function": "nowhere"}, "the critic 'function' has the name 'nowhere'; name it as module:function"),
        ({"critiques.file": "", "critiques.teacher.model": "m"}, "the recipe critique needs an endpoint and a model; give --set endpoint=URL --set model=NAME"),
        ({"choice.row": 3}, "0 critiques of the example 'r2' can be trained on, 1 dropped by C102 false-conclusion; see {run}/rejected.jsonl"),
        ({"critiques.file": "", "critiques.teacher.endpoint": "http://h/v1", "critiques.teacher.model": "m", "tasks": ["a", "b"]}, "tiny.yaml: : a teacher's caps hold for one task; run each of the tasks by itself; mend the recipe"),
        ({"kind": "one-shot"}, "tiny.yaml is no recipe of the kind critique; give one, such as critique-lab"),
    ],
)  # fmt: skip
def test_mistakes_of_the_user(place, overrides, text, monkeypatch):
    monkeypatch.setattr(run.Critiqued, "_tries", lambda self, candidates, template: [[]] * len(candidates))
    with pytest.raises(UserError, match=f"^{re.escape(text.replace('{run}', str(place / 'run')))}$"):
        go(place, **overrides)


def test_no_dev_items_to_pick_a_checkpoint_on(place):
    write_rows(place / "target.jsonl", [{"prompt": "What?", "answer": "4", "split": "test"}])
    with pytest.raises(
        UserError,
        match="there are no dev items to pick a checkpoint on; add some, or give training\\.checkpoints: 1",
    ):
        go(place)


def test_a_cap_may_be_raised_and_the_teacher_not_changed(place):
    teacher = {
        "critiques.file": "",
        "critiques.teacher.endpoint": "http://localhost:1/v1",
        "critiques.teacher.model": "m",
    }
    out = place / "run"
    out.mkdir()
    for cap in (1, 2):
        adopt(
            out, read_rewarded(CritiqueRecipe, "tiny.yaml", teacher | {"critiques.teacher.max_requests": cap})
        )
    with pytest.raises(UserError, match="holds a run of another recipe: critiques differ"):
        adopt(out, read_rewarded(CritiqueRecipe, "tiny.yaml", teacher | {"critiques.teacher.model": "n"}))


def test_the_packaged_recipes_are_whole_and_the_papers_settings_are_the_defaults():
    given = {"examples": "e", "target": "t", "critiques.file": "c"}
    paper = read_rewarded(CritiqueRecipe, "critique", given).training
    assert paper == CritiqueTraining()
    assert paper.settings(600) == SFTSettings(
        learning_rate=5e-6,
        schedule="cosine",
        steps=59,
        batch_size=512,
        warmup_ratio=0.05,
        weight_decay=0.05,
        checkpoint_steps=10,
    )
    assert len(paper.judged_at(59)) == 50
    assert (paper.judged_at(3), paper.judged_at(59)[-1]) == ([1, 2, 3], 59)
    lab = read_rewarded(CritiqueRecipe, "critique-lab")
    assert lab.training.judged_at(lab.training.steps) == [10, 20, 30, 40]


def test_a_teacher_is_asked_once_and_what_it_did_not_answer_is_told(place, monkeypatch):
    asked = []

    def ask(requests, settings, cache, asker, reporter):
        first, *rest = requests
        asked.extend(requests)
        cache.put((request.key, Answer("Fine.\nConclusion: right [END]")) for request in rest)
        return Asked(Meter(settings), failed={first.key: "status 400"})

    monkeypatch.setattr(critics, "ask", ask)
    teacher = {"endpoint": "http://localhost:1/v1", "model": "m"}
    recipe = read_rewarded(CritiqueRecipe, "tiny.yaml", {"critiques.file": "", "critiques.teacher": teacher})
    [item, *_] = read_examples(place / "examples.jsonl").items
    task = run.Critiqued("", place, recipe, [item], [1], [], [], [], None, Silent())
    [failed, fine] = task._texts([(item, "2"), (item, "1")])
    assert (failed.message, fine) == ("status 400", "Fine.\nConclusion: right [END]")
    body = asked[1].body
    assert body["messages"][0]["content"].endswith("Question:\nAdd 0 and one.\n\nSolution:\n1")
    assert (body["model"], body["max_tokens"]) == ("m", 4096)
    [failed, fine] = task._texts([(item, "2"), (item, "1")])
    assert (failed.message, len(asked)) == ("no answer came", 2)
