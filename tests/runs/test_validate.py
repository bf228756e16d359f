"""Validating scores by trainings on random halves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from made_data import make_pool, make_target
from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.models import ModelSource, load_model
from suffice.runs import retraining
from suffice.runs.retraining import Course, Retraining, answer_losses
from suffice.runs.validate import Validation, validate
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.training import SFTSettings
from tiny_run import Here

TRAINING = SFTSettings(1e-3, steps=1, batch_size=4)


@pytest.fixture
def course(tiny_model_folder):
    source = ModelSource(str(tiny_model_folder), "cpu")
    return Course(make_pool(9), make_target(["a", "b", "a"]), source, TRAINING, subsets=3, seeds=1)


def test_halves_are_random_halves_that_do_not_depend_on_how_many_there_are(course):
    many = dataclasses.replace(course, subsets=200)
    halves = many.halves()
    assert halves.sum(axis=1).tolist() == [4] * 200
    assert (halves[:3] == course.halves()).all()
    assert abs(halves.mean(axis=0) - 4 / 9).max() < 0.15
    assert len({tuple(half) for half in halves}) > 80
    assert (dataclasses.replace(many, seed=1).halves() != halves).any()


def test_trainings_are_kept_resumed_and_lead_to_the_losses_of_a_plain_training(
    course, tiny_model_folder, tmp_path, monkeypatch
):
    from suffice.common.progress import Silent
    from suffice.training import train_sft

    monkeypatch.setattr(retraining, "Workers", Here)
    series = Retraining(course, tmp_path)
    assert series.left == 3
    assert series.first() > 0
    assert series.left == 2
    first = next(series.folder.iterdir())
    before = first.read_bytes()
    trained = []
    monkeypatch.setattr(
        retraining,
        "train_half",
        lambda job, report, real=retraining.train_half: trained.append(job) or real(job, report),
    )
    series.run(1, Silent())
    assert len(trained) == 2
    assert first.read_bytes() == before
    assert sorted(path.name for path in series.folder.iterdir()) == [
        f"half-000{i}-seed-0.json" for i in range(3)
    ]
    losses = series.losses()
    assert losses.shape == (1, 3, 3)
    model = load_model(tiny_model_folder, device="cpu")
    rows = [row for row, held in zip(course.pool, course.halves()[1], strict=True) if held]
    train_sft(model, rows, TRAINING, seed=0, out=tmp_path / "plain")
    np.testing.assert_allclose(losses[0, :, 1], answer_losses(model, course.target.dev), rtol=1e-5)


def test_the_loss_of_an_answer_is_the_mean_over_its_tokens(tiny_model):
    import torch

    item = make_target(["a"]).dev[0]
    (row,) = tiny_model.chat.encode_many([(item.conversation, None)])
    logits = tiny_model.network(input_ids=torch.tensor([row.ids])).logits[0]
    each = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(row.ids[1:]), reduction="none")
    wanted = each[torch.tensor(row.trained[1:])].mean().detach()
    assert answer_losses(tiny_model, [item]) == pytest.approx([float(wanted)], rel=1e-5)


def test_other_trainings_are_kept_apart(course, tmp_path):
    others = [
        course,
        dataclasses.replace(course, seed=1),
        dataclasses.replace(course, pool=make_pool(8)),
        dataclasses.replace(course, target=make_target(["new"])),
        dataclasses.replace(course, training=dataclasses.replace(TRAINING, steps=2)),
    ]
    assert len({Retraining(one, tmp_path).folder for one in others}) == len(others)
    more = dataclasses.replace(course, subsets=9, seeds=2)
    assert Retraining(more, tmp_path).folder == Retraining(course, tmp_path).folder  # more of the same


@pytest.mark.parametrize("text", ["", "{}", '{"losses": [1]}'])
def test_a_damaged_training_is_refused_by_name(course, tmp_path, text):
    series = Retraining(course, tmp_path)
    for subset in range(3):
        write_json(series.folder / f"half-000{subset}-seed-0.json", {"losses": [1.0, 2.0, 3.0]})
    path = series.folder / "half-0001-seed-0.json"
    path.write_text(text)
    if text == '{"losses": [1]}':
        text = path.write_text('{"losses": [1, 2]}')
    with pytest.raises(UserError) as caught:
        series.losses()
    assert str(caught.value) == f"{path} does not tell the losses of a training; remove it and run again"


@pytest.fixture
def planted(tiny_model, tiny_model_folder, tmp_path):
    """A pool of 12 rows whose trainings are done: losses fall by what rows are worth, with little noise."""
    pool, target = make_pool(12), make_target(["a", "b", "a"])
    settings = Validation(TRAINING, rows=12, subsets=40, seeds=2)
    context = ScoringContext(tmp_path / "cache", tiny_model, target)
    course = Course(pool, target, ModelSource(str(tiny_model_folder), "cpu"), TRAINING, 40, 2)
    generator = np.random.default_rng(0)
    worth = generator.normal(size=(12, 3)).astype(np.float32)
    series = Retraining(course, context.folder)
    for subset, half in enumerate(course.halves()):
        for seed in range(2):
            losses = 5 - worth[half].sum(axis=0) + generator.normal(scale=0.1, size=3)
            write_json(
                series.folder / f"half-{subset:04}-seed-{seed}.json", {"losses": [float(x) for x in losses]}
            )
    scores = Scores(pool.ids, worth.max(axis=1), worth, ["d0", "d1", "d2"])
    return scores, pool, context, course, settings


def test_a_scorer_that_knows_what_rows_are_worth_is_told_apart(planted, tmp_path):
    scores, pool, context, course, settings = planted
    asked = []
    found = validate(
        "knowing", scores, pool, context, course.source, settings, out=tmp_path, confirm=asked.append
    )
    assert not asked  # nothing was left to train
    for part in (found["by_example"], found["by_family"]):
        assert part["scores"]["knowing"]["value"] > 0.95
        assert part["reliability"] > 0.95
        assert set(part["differences"]) == {"bm25", "length", "embedding", "random"}
        assert all(each["low"] > 0 for each in part["differences"].values())
    assert set(found["by_family"]["targets"]["knowing"]) == {"a", "b"}
    assert read_json(tmp_path / "validation.json") == found
    assert found["sentence"].startswith("knowing: linear datamodeling score 0.9")
    assert found["sentence"].endswith("it foretells retraining better than bm25, length, embedding, random.")
    assert (found["rows"], found["subsets"], found["seeds"]) == (12, 40, 2)


def test_the_cost_is_told_and_nothing_more_trained_unless_confirmed(planted, tmp_path, monkeypatch):
    scores, pool, context, course, settings = planted
    monkeypatch.setattr(Retraining, "first", lambda self: 2.5)
    asked = []
    more = dataclasses.replace(settings, subsets=42)
    found = validate(
        "knowing", scores, pool, context, course.source, more, out=tmp_path, confirm=asked.append
    )
    assert found is None
    assert asked == [
        "Cost: 4 more trainings on 6 rows, 2.5 s each as the first took, 1 at a time: about 10 s."
    ]
    assert not (tmp_path / "validation.json").exists()


def test_what_it_needs(planted, course, tmp_path):
    scores, pool, context, _, settings = planted
    with pytest.raises(UserError) as caught:
        validate(
            "x",
            scores,
            pool,
            dataclasses.replace(context, target=None),
            course.source,
            settings,
            out=tmp_path,
            confirm=bool,
        )
    assert str(caught.value) == (
        "scores are validated on the answers of dev examples, and there are none; give --target FILE with dev rows, or "
        "--dev FILE"
    )
    with pytest.raises(UserError) as caught:
        dataclasses.replace(course, subsets=2)
    assert str(caught.value) == (
        "2 halves of 9 rows and 1 seeds are too few to tell anything; give 4 rows, 3 halves and 1 seed at the least"
    )


def test_a_dev_answer_beyond_the_window_is_refused(tiny_model):
    item = make_target(["a"]).dev[0]
    long = dataclasses.replace(item, answer=" ".join(str(i) for i in range(400)))
    with pytest.raises(UserError) as caught:
        answer_losses(tiny_model, [long])
    assert str(caught.value) == (
        "the dev example 'd0' has no answer within the model's window that its template takes; mend it or take it out "
        "of the target"
    )


def test_on_the_command_line(tiny_model_folder, tmp_path, monkeypatch, capsys):
    """Scored, refused where nobody can confirm (the first training is kept), then done; the trainings are made up."""
    import json

    from suffice.cli.main import run
    from suffice.cli.validating import tell
    from tiny_run import write_inputs

    def made_up(job, report):
        losses = [len(job.pool[0].answer) + place * job.seed for place in range(len(job.dev))]
        write_json(job.file, {"losses": losses})
        report(1)

    monkeypatch.setattr(retraining, "Workers", Here)
    monkeypatch.setattr(retraining, "train_half", made_up)
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    words = ["score", "--pool", "pool.jsonl", "--target", "target.jsonl", "--model", str(tiny_model_folder)]
    words += ["--scorer", "bm25", "--out", "out", "--validate", "--validate-rows", "8", "--halves", "3"]
    words += ["--epochs", "1", "--batch-size", "4", "--jobs", "1", "--json"]
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert run(words) == 2
    refused = json.loads(capsys.readouterr().out)["error"]
    assert refused.startswith("nobody is there to confirm the trainings. Cost: 5 more trainings on 4 rows, ")
    assert refused.endswith("give --yes; the first is kept")
    assert len(list((tmp_path / "out").rglob("half-*.json"))) == 1
    assert run([*words, "--yes"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)["validation"]
    assert "Cost: 4 more trainings" in said.err
    assert (found["scorer"], found["rows"], found["subsets"], found["seeds"]) == ("bm25", 8, 3, 2)
    assert set(found["by_example"]["scores"]) == {"bm25", "length", "embedding", "random"}
    tell(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["scorer", "score", "95", "%", "difference", "95", "%", "by", "family"]
    assert [line.split()[0] for line in lines[1:5]] == ["bm25", "length", "embedding", "random"]
    assert lines[6].startswith("bm25: linear datamodeling score ")
