from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from made_data import make_pool, make_target
from suffice.common.errors import UserError
from suffice.common.files import write_jsonl
from suffice.common.progress import Silent
from suffice.runs.suspects import (
    check_drops,
    influence_on_target,
    note_dropped,
    without_worst,
    worst,
    write_suspects,
)
from suffice.scorers.influence import Influence
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from tiny_model import build_tiny_model
from tiny_run import write_inputs

TARGET = make_target(["a", "b", "a"])
# On each dev example; on the families a and b: -2 and 1, 1 and -4, 1 and 1, none, -1 and -2, -3 and 3.
AFFINITY = [[-3, 1, -1], [1, -4, 1], [2, 1, 0], [np.nan] * 3, [-1, -2, -1], [-3, 3, -3]]
INFLUENCE = [-0.5, -1.5, 1, np.nan, -1.5, 0]


@pytest.fixture
def pool():
    return make_pool(6)


@pytest.fixture
def scores(pool):
    affinity = np.array(AFFINITY, dtype=np.float32)
    return Scores(pool.ids, affinity.max(axis=1), affinity, [item.id for item in TARGET.dev])


def test_influence_is_the_mean_over_families_and_the_worst_are_below_zero(scores):
    np.testing.assert_array_equal(influence_on_target(scores, TARGET), np.float32(INFLUENCE))
    assert worst(scores, TARGET, 2) == [1, 4]  # ties in pool order
    assert worst(scores, TARGET, 6) == [1, 4, 0]


def test_scores_of_another_target_are_refused(scores):
    with pytest.raises(UserError) as caught:
        influence_on_target(scores, make_target(["a", "b"]))
    assert str(caught.value) == (
        "the scores hold no affinity to the target's dev examples; score anew with the same target"
    )


class Hears(Silent):
    def __init__(self):
        self.heard = []

    def say(self, text):
        self.heard.append(text)


def test_suspects_are_written_with_their_influence_on_each_family(pool, scores, tmp_path):
    reporter = Hears()
    write_suspects(tmp_path / "suspects.jsonl", pool, scores, TARGET, reporter, 2)
    rows = [json.loads(line) for line in (tmp_path / "suspects.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [pool.ids[1], pool.ids[4]]
    assert rows[0]["influence"] == -1.5
    assert rows[0]["families"] == {"a": 1.0, "b": -4.0}
    assert (rows[0]["file"], rows[0]["line"]) == ("made.jsonl", 2)
    assert rows[0]["messages"] == list(pool[1].messages)
    assert reporter.heard == ["suspects   3 rows with an influence below 0, the worst in suspects.jsonl"]


def test_dropped_rows_are_banned_but_for_those_that_are_pinned(pool, scores):
    given = Constraints(pin=(pool.ids[1],), ban=(pool.ids[2],))
    held, dropped = without_worst(pool, scores, TARGET, 1, given)
    assert held == Constraints(pin=(pool.ids[1],), ban=(pool.ids[2], pool.ids[4]))
    assert [(row.line, row.rule, row.message) for row in dropped] == [
        (5, "E121 raises-the-loss", "the row's influence on the target is -1.5000")
    ]
    held, dropped = without_worst(pool, scores, TARGET, 100, given)
    assert held.ban == (
        pool.ids[2],
        pool.ids[4],
        pool.ids[0],
    )  # none whose influence is 0 or more, or unknown
    assert without_worst(pool, scores, TARGET, 0, given) == (given, [])


def test_dropped_rows_replace_those_dropped_before(pool, scores, tmp_path):
    path = tmp_path / "rejected.jsonl"
    write_jsonl(path, [{"rule": "E101 empty-answer", "line": 1}])
    for count, lines in ((2, [1, 2, 5]), (1, [1, 2]), (0, [1])):
        note_dropped(path, without_worst(pool, scores, TARGET, count, Constraints())[1])
        assert [json.loads(line)["line"] for line in path.read_text().splitlines()] == lines


def test_a_scorer_that_does_not_tell_harm_drops_nothing():
    check_drops("influence")
    with pytest.raises(UserError) as caught:
        check_drops("embedding")
    assert str(caught.value) == (
        "the worst rows cannot be dropped by the scorer 'embedding', whose scores do not tell which rows harm; "
        "take --scorer influence, or leave out drop_worst"
    )


@pytest.fixture
def centred(monkeypatch):
    """Influence less its median, since an untrained model finds no row that harms."""
    score = Influence.score

    def centre(self, pool, context):
        scores = score(self, pool, context)
        return dataclasses.replace(scores, affinity=scores.affinity - np.median(scores.affinity, axis=0))

    monkeypatch.setattr(Influence, "score", centre)


def test_a_run_of_less_chooses_with_another_model_and_rejects_the_worst(
    tiny_model_folder, tmp_path, monkeypatch, centred
):
    """LESS-T: warm-up, features, scores and choice by the model that the recipe names for it."""
    from suffice.models.loading import model_fingerprint
    from suffice.runs.folder import RunFolder
    from suffice.runs.notes import notes
    from suffice.runs.pipeline import bring_up_to_date
    from suffice.runs.recipe import read_recipe

    write_inputs(tmp_path, tiny_model_folder)
    monkeypatch.chdir(tmp_path)
    smaller = build_tiny_model(tmp_path / "smaller", width=16, mlp=24)
    recipe = read_recipe(
        "less",
        {
            "model": str(tiny_model_folder),
            "pool": ["pool.jsonl"],
            "target.file": "target.jsonl",
            "selection.budget": 8,
            "selection.model": str(smaller),
            "selection.drop_worst": 3,
            "execution.device": "cpu",
            "execution.jobs": 1,
        },
    )
    folder = RunFolder(Path("less"))
    with folder.locked():
        folder.adopt(recipe)
        run = bring_up_to_date(folder, recipe, Silent(), "select")
    stores = list(folder.cache.glob("gradients-*/settings.json"))
    assert len(stores) == 4  # one for each epoch of the warm-up
    assert {json.loads(path.read_text())["model"] for path in stores} == {model_fingerprint(smaller)}
    suspects = [json.loads(line) for line in folder.suspects.read_text().splitlines()]
    rejected = [json.loads(line) for line in folder.rejected.read_text().splitlines()]
    dropped = [row["line"] for row in rejected if row["rule"] == "E121 raises-the-loss"]
    assert dropped == [row["line"] for row in suspects[:3]]
    assert len(rejected) == 5
    chosen = [json.loads(line) for line in folder.selection.read_text().splitlines()]
    assert [row["evidence"]["task"] for row in chosen[:4]] == ["add", "sum", "add", "sum"]
    assert not {row["line"] for row in chosen} & set(dropped)
    told = notes(run, [])
    assert f"{smaller} chose the rows, and {tiny_model_folder} was trained." in told
    # 32 rows are one batch: four steps, the rate falling from its peak by a quarter each.
    assert "Shares of the warm-up's checkpoints in the score: 40%, 30%, 20%, 10%." in told
    assert (
        "3 rows of the most negative influence were rejected before choosing; the other arms keep them."
        in told
    )


def test_score_select_and_suspects_by_the_command_line(
    tiny_model_folder, tmp_path, monkeypatch, centred, capsys
):
    from suffice.cli.main import run

    write_inputs(tmp_path, tiny_model_folder)
    monkeypatch.chdir(tmp_path)
    files = ["--pool", "pool.jsonl", "--target", "target.jsonl", "--model", str(tiny_model_folder)]
    options = ("preconditioner=none", "size=512", "bits=1bit")
    how = [word for option in options for word in ("--set", option)] + ["--device", "cpu", "--jobs", "1"]
    assert run(["score", "--scorer", "influence", *files, *how, "--out", "scored"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[2] == (
        "influence  no warm-up and no preconditioner: plain gradients of the model as it is, which in the paper of LESS "
        "choose hardly better than chance"
    )
    assert told[4].endswith("rows with an influence below 0, the worst in suspects.jsonl")
    for drop in (5, 2):
        choice = ["select", "scored", "--budget", "8", "--drop-worst", str(drop), "--json"]
        assert run(choice) == 0
        counts = json.loads(capsys.readouterr().out)["counts"]
        assert counts == {"read": 62, "chosen": 8, "unchosen": 52 - drop, "rejected": 2 + drop}
        assert len(Path("scored/rejected.jsonl").read_text().splitlines()) == 2 + drop
    check = ["--check", "2", "--items", "4", "--device", "cpu", "--quiet"]
    assert run(["suspects", "scored", "--count", "3", "--model", str(tiny_model_folder), *check]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == [
        json.loads(line)["id"] for line in Path("scored/suspects.jsonl").read_text().splitlines()[:3]
    ]
    assert [line.split(" items by ")[0] for line in lines[4:]] == [
        "one step on each of 2 suspects changes the loss of 4 dev",
        "one step on each of 2 suspects changes the loss of 4 test",
    ]
    assert run(["suspects", "scored", *check]) == 2
    assert capsys.readouterr().err == (
        "suffice: a check makes steps of training, and there is no model; give --model\n"
    )
    assert run(["score", "--scorer", "length", "--pool", "pool.jsonl", "--out", "scored", "--quiet"]) == 0
    assert run(["suspects", "scored"]) == 2
    assert capsys.readouterr().err == (
        "suffice: scored holds no suspects; score with --scorer influence, which tells which rows harm\n"
    )
