"""A whole run on a tiny model: what is written, resumption, mistakes of the user."""

import json
import re
from dataclasses import asdict

import pytest
import yaml

from suffice.common.errors import UserError
from suffice.common.files import write_json
from suffice.common.progress import Silent
from suffice.runs.one_shot.recipe import read_one_shot
from suffice.runs.one_shot.run import run_one_shot
from suffice.runs.rewarded import task as running
from suffice.runs.rewarded.task import adopt
from suffice.training import grpo
from suffice.training.rollouts import Step
from tiny_run import Here

RECIPE = {
    "kind": "one-shot",
    "name": "tiny",
    "examples": "examples.jsonl",
    "target": "target.jsonl",
    "templates": ["{question}", "Q: {question}"],
    "max_new_tokens": 6,
    "reward": {"name": "exact", "format": {"pattern": "[a-z]"}, "require_stop": False},
    "choice": {"candidates": 3, "rollouts": 2, "wrong_label": "no"},
    "training": {
        "learning_rate": 1e-3,
        "steps": 2,
        "groups": 2,
        "samples": 2,
        "kl": 0.0,
        "checkpoint_steps": 0,
    },
    "evaluation": {"sampled_items": 2, "samples": 2},
    "design": {"seeds": 2, "singles": 2, "few": [2]},
    "execution": {"device": "cpu"},
}


class Recorder(Here):
    """Keeps the jobs that were done."""

    done: list

    def __init__(self, count):
        Recorder.done = []

    def map(self, function, jobs, on_result=None, on_progress=None):
        Recorder.done += jobs
        return super().map(function, jobs, on_result, on_progress)


def untrained(model, questions, reward, settings, *, seed, out, reward_key, save, on_step):
    """Stands for the training, which has tests of its own."""
    steps = [
        Step(n, 0.5, 0, 0.5, 1.0, 6.0, 1.0, None, 24, 0.2, 0.1, 0.1) for n in range(1, settings.steps + 1)
    ]
    for step in steps:
        on_step(step)
    write_json(out / "train.json", {"questions": len(questions), "history": [asdict(step) for step in steps]})


@pytest.fixture
def place(tmp_path, tiny_model_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "Workers", Recorder)
    monkeypatch.setattr(grpo, "train_grpo", untrained)

    def rows(start, split=None):
        more = {"split": split} if split else {}
        return [
            {"prompt": f"Add {i} and one.", "answer": str(i + 1), "id": f"r{i}"} | more
            for i in range(start, start + 5)
        ]

    write(tmp_path / "examples.jsonl", rows(0))
    write(tmp_path / "target.jsonl", rows(10, "dev") + rows(20, "test"))
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(RECIPE | {"model": str(tiny_model_folder)}))
    return tmp_path


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(place, reporter=None, **overrides):
    recipe = read_one_shot("tiny.yaml", overrides)
    out = place / "run"
    out.mkdir(exist_ok=True)
    adopt(out, recipe)
    return run_one_shot(out, recipe, reporter or Silent())


class Notes(Silent):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def test_all_arms_are_trained_and_judged_and_nothing_is_done_twice(place):
    notes = Notes()
    [task] = run(place, notes)["tasks"]
    arms = {row["arm"]: row["runs"] for row in task["metrics"][0]["arms"]}
    assert arms == {
        "base": 1, "template": 1, "format": 2, "random": 2, "wrong": 2, "entropy": 2, "one": 2, "random-one": 2,
        "alike-one": 2, "few-2": 2, "whole": 2,
    }  # fmt: skip
    runs = [job.run for job in Recorder.done if hasattr(job, "run") and hasattr(job.run, "arm")]
    coins = [dict(one.options) for one in runs if one.arm == "random"]
    assert coins == [{"seed": 0}, {"seed": 1}]
    assert [table["metric"] for table in task["metrics"]] == ["greedy", "pass@1", "pass@2"]
    assert task["time"] == {"rollout": 0.5, "reward": 0.25, "update": 0.25}
    assert any(text.startswith("template ") for text in notes.said)
    assert json.loads((place / "run" / "manifest.json").read_text())["recipe"]["name"] == "tiny"
    trained = json.loads((place / "run" / "arms" / "whole" / "0" / "train.json").read_text())
    assert trained["questions"] == 5
    run(place)
    assert Recorder.done == []


def test_a_run_really_trains(place, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(place)
    monkeypatch.setattr(running, "Workers", Recorder)
    [task] = run(place, **{"design.arms": ["base", "template", "one"], "design.seeds": 1})["tasks"]
    trained = json.loads((place / "run" / "arms" / "one" / "0" / "train.json").read_text())
    assert (trained["questions"], trained["rollouts"], trained["steps"]) == (1, 8, 2)
    assert sum(task["time"].values()) == pytest.approx(1, abs=1e-3)


def test_only_a_lost_run_is_done_again(place):
    few = {"design.arms": ["base", "template", "one"]}
    run(place, **few)
    (place / "run" / "arms" / "one" / "1" / "done.json").unlink()
    run(place, **few)
    assert [(job.run.arm, job.run.index) for job in Recorder.done] == [("one", 1)]


def test_a_single_example_is_copied_and_the_wrong_label_is_trained_on(place):
    run(place, **{"design.arms": ["base", "template", "one", "wrong"], "choice.row": 2})
    jobs = {job.run.arm: job for job in Recorder.done if hasattr(job, "run") and hasattr(job.run, "arm")}
    assert [question.answer for question in jobs["one"].run.questions] == ["2"]
    assert [question.answer for question in jobs["wrong"].run.questions] == ["no"]


def test_steps_are_shown_as_they_come(place, monkeypatch):
    told = []
    monkeypatch.setattr(Recorder, "map", lambda self, f, jobs, on_result=None, on_progress=None: [
        f(job, lambda news: told.append(news)) if on_progress else f(job) for job in jobs
    ])  # fmt: skip
    run(place, **{"design.arms": ["base", "template", "one"], "design.seeds": 1})
    assert [(arm, news.step) for arm, news in told if isinstance(news, Step)] == [("one", 1), ("one", 2)]


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"design.arms": ["base", "one"]}, "tiny.yaml: design: the arm 'template' is missing, and the verdict stands on it; mend the recipe"),
        ({"templates": ["Q"]}, "tiny.yaml: : the template 'Q' does not hold {question} once; mend the recipe"),
        ({"reward.nam": "x"}, "unknown field of tiny.yaml: 'reward.nam'; did you mean 'reward.name'?"),
        ({"reward.name": "mth"}, "unknown reward 'mth'; did you mean 'math'?"),
        ({"tasks": ["sums"]}, "there are no examples of the task 'sums'; check the files and the recipe's tasks"),
        ({"reward.name": "choice"}, "the reward 'choice' finds no answer in the reference '1'; mend the row or name another reward"),
        ({"kind": "lima"}, "tiny.yaml is no recipe of the kind one-shot; give one, such as one-shot-lab"),
    ],
)  # fmt: skip
def test_mistakes_of_the_user(place, overrides, text):
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        run(place, **overrides)


def test_a_test_item_that_is_an_example_is_refused(place):
    write(place / "target.jsonl", [{"prompt": "add 3  and one.", "answer": "4", "id": "t", "split": "test"}])
    with pytest.raises(UserError, match="the item 't' of the target is an example too"):
        run(place, templates=["{question}"])


def test_no_dev_items_and_several_templates(place):
    write(place / "target.jsonl", [{"prompt": "What?", "answer": "4", "split": "test"}])
    with pytest.raises(UserError, match="there are no dev items to pick a template on"):
        run(place)


def test_a_folder_keeps_its_recipe(place):
    run(place, **{"design.arms": ["base", "template", "one"]})
    with pytest.raises(UserError, match="holds a run of another recipe: training, design differ"):
        run(place, **{"training.steps": 3})


def test_no_wrong_answer_to_be_had(place):
    with pytest.raises(UserError, match="gives no wrong answer to the example"):
        run(
            place,
            **{
                "reward.name": "regex",
                "choice.wrong_label": "",
                "design.arms": ["base", "template", "wrong", "one"],
            },
        )


def past(place, **accuracies):
    (place / "past.json").write_text(json.dumps(accuracies))
    return {
        "choice.history": str(place / "past.json"),
        "design.arms": ["base", "template", "one", "alike-one"],
    }


def test_by_a_history_the_example_that_moved_most_is_chosen_and_the_base_is_asked_it_alone(place):
    notes = Notes()
    given = past(place, r1=[1, 1, 1], r3=[0, 1, 0, 1], gone=[0, 1], r0=[0.5, 0.75], r4=[1, 0])
    [task] = run(place, notes, **given)["tasks"]
    assert task["choice"]["example"] == "r3"
    ranking = [(row["example"], row["rate"], row["std"]) for row in task["choice"]["ranking"]]
    assert ranking == [("r3", 0.5, 0.5), ("r4", 0.5, 0.5), ("r0", 0.625, 0.125), ("r1", 1.0, 0.0)]
    assert task["choice"]["wrong"] == "no"
    asked = [[item.id for item in job.items] for job in Recorder.done if getattr(job, "samples", 1) > 1]
    assert asked == [["r3"]]
    runs = [job.run for job in Recorder.done if hasattr(job, "run") and hasattr(job.run, "arm")]
    alike = [one.questions[0].answer for one in runs if one.arm == "alike-one"]
    assert alike == ["5", "1"]
    assert (
        "history    4 examples met by id; 1 problems without an example; 1 examples without a history, which cannot be "
        "chosen"
    ) in notes.said
    assert "choose     r3, whose accuracy had the standard deviation 0.500 in the history" in notes.said
    page = (place / "run" / "report.html").read_text()
    assert "The one whose accuracy has the largest standard deviation over them is chosen." in page
    assert "preferred band" not in page


@pytest.mark.parametrize(
    ("accuracies", "given", "message", "remedy"),
    [
        (
            {"r1": [1, 0]},
            {"choice.row": 4},
            "choice.row is 4, and {} has no accuracies of that example",
            "name another, or leave out choice.history",
        ),
        (
            {"x": [1, 0]},
            {},
            "the keys of {} (first 'x') are no ids of rows and no whole numbers",
            "name the field of the pool's files that holds them with choice.history_key: FIELD",
        ),
    ],
)
def test_a_history_without_the_examples_is_refused_before_anything_is_sampled(
    place, accuracies, given, message, remedy
):
    with pytest.raises(UserError) as error:
        run(place, **past(place, **accuracies), **given)
    assert error.value.message == message.format(place / "past.json")
    assert error.value.remedy == remedy
    assert Recorder.done == []


def test_a_run_that_was_begun_before_histories_goes_on(place):
    recipe = read_one_shot("tiny.yaml")
    old = recipe.model_dump(mode="json")
    for name in ("history", "history_reward", "history_key"):
        del old["choice"][name]
    out = place / "run"
    out.mkdir()
    (out / "recipe.yaml").write_text(yaml.safe_dump(old))
    adopt(out, recipe)


LOOK = {"contamination.items": 4, "contamination.fresh": "fresh.jsonl"}
FEW = {
    "design.arms": ["base", "template", "format", "one"],
    "design.seeds": 1,
    "evaluation.sampled_items": 0,
}


@pytest.fixture
def fresh(place):
    rows = [{"prompt": f"Now add {i} and one, if you can.", "answer": str(i + 1)} for i in range(30, 36)]
    write(place / "fresh.jsonl", rows)
    write(
        place / "target.jsonl",
        [
            {"prompt": f"Please add {i} and one.", "answer": str(i + 1), "id": f"t{i}", "split": split}
            for split, start in (("dev", 10), ("test", 20))
            for i in range(start, start + 5)
        ],
    )
    return place


def test_a_look_at_contamination(fresh):
    [task] = run(fresh, **FEW, **LOOK)["tasks"]
    found = task["contamination"]
    assert (found["test"]["items"], found["fresh"]["items"], found["fraction"]) == (4, 4, 0.6)
    assert found["sentence"] in task["sentences"]
    scores = {row["arm"]: row["runs"] for row in found["arms"]["scores"]}
    assert (scores, found["arms"]["items"]) == ({"template": 1, "format": 1, "one": 1}, 4)
    assert [row["arm"] for row in found["arms"]["gains"]] == ["format", "one"]
    assert found["arms"]["left_out"] == []
    assert found["arms"]["sentences"][-1] in task["sentences"]
    run(fresh, **FEW, **LOOK)
    assert Recorder.done == []


def test_a_look_that_is_asked_for_later_trains_nothing_again(fresh):
    run(fresh, **FEW)
    [task] = run(fresh, **FEW, **LOOK)["tasks"]
    assert {type(job).__name__ for job in Recorder.done} == {"ReadQuestions", "ReadBase"}
    arms = task["contamination"]["arms"]
    assert [row["arm"] for row in arms["scores"]] == ["template"]
    assert (arms["left_out"], arms["gains"]) == (["format", "one"], [])
    [sentence] = arms["sentences"]
    assert sentence.startswith(
        "Not judged on fresh problems, since trained before these were asked for: format, one ("
    )
    with pytest.raises(UserError, match="holds a run of another recipe: contamination differ"):
        run(fresh, **FEW)


def test_fresh_problems_that_cannot_be_taken(fresh):
    write(fresh / "fresh.jsonl", [{"prompt": "Add 3 and one.", "answer": "4", "id": "f"}])
    with pytest.raises(
        UserError, match=r"^the fresh question 'f' is an example too; take it out of one of the files$"
    ):
        run(fresh, **FEW, **LOOK)
    (fresh / "run" / "recipe.yaml").unlink()
    write(fresh / "fresh.jsonl", [{"prompt": "Add it.", "answer": "4", "task": "sums"}])
    with pytest.raises(
        UserError, match=r"^fresh.jsonl has no fresh questions of the task 'all'; add some, or "
    ):
        run(fresh, tasks=["all"], **FEW, **LOOK)
