"""Constraints as a command and a recipe name them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from made_data import chat
from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.pool import read_pool
from suffice.runs.checks import check
from suffice.runs.choose import select
from suffice.runs.constraints import Wanted, files_in, read_bounds
from suffice.runs.context import Run
from suffice.runs.folder import RunFolder
from suffice.runs.notes import constraint_note
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.selection_settings import SelectionSettings
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.openings import holds
from suffice.selectors.protocol import Choice
from tiny_run import pool_rows, write_inputs, write_rows

SELECT = ["select", "--pool", "pool.jsonl", "--scorer", "length", "--out", "out", "--quiet", "--json"]


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_rows(tmp_path / "pool.jsonl", pool_rows())


def chosen(capsys, *words):
    assert run([*SELECT, *words]) == 0
    manifest = json.loads(capsys.readouterr().out)
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    return manifest, rows


def test_a_command_holds_to_them(pool, capsys):
    _, free = chosen(capsys, "--budget", "8")
    write_rows(Path("ban.jsonl"), [{"id": free[0]["id"]}, {"messages": free[1]["messages"]}])
    last = pool_rows()[1]
    write_rows(Path("pin.jsonl"), [{"messages": last["messages"]}])
    words = ["--pin", "pin.jsonl", "--ban", "ban.jsonl", "--at-least", "odd=5", "--at-most", "even=2,odd=6"]
    manifest, rows = chosen(capsys, "--budget", "8", *words)
    assert rows[0]["messages"] == last["messages"]
    assert rows[0]["reason"].startswith("pinned; score ")
    assert not {row["id"] for row in rows} & {row["id"] for row in free[:2]}
    assert Counter(row["source"] for row in rows) == {"odd": 6, "even": 2}
    assert manifest["constraints"] == {
        "pin": [rows[0]["id"]],
        "ban": [row["id"] for row in free[:2]],
        "at_least": {"odd": 5},
        "at_most": {"even": 2, "odd": 6},
        "languages": [],
        "no_twins": "",
    }


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--at-least", "web"], "--at-least has 'web'; write SOURCE=ROWS once for each source, such as web=100"),
        (["--at-most", "odd=-1"], "--at-most has 'odd=-1'; write SOURCE=ROWS once for each source, such as web=100"),
        (["--at-most", "od=1"], "unknown source 'od'; did you mean 'odd'?"),
        (["--pin", "none"], "no row of the pool has the id 'none', which is pinned; give ids of its rows"),
        (["--pin", "none.jsonl"], "no selection file none.jsonl; check the path"),
        (
            ["--at-most", "odd=1,even=1"],
            "the constraints leave 2 rows to choose, fewer than the budget of 3; give --budget 2 or less, or allow more",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_scored(pool, capsys, words, text):
    assert run([*SELECT, "--budget", "3", *words]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": text}
    assert not Path("out/cache").exists()


def saying(*pairs):
    return [{"messages": chat(asked, said), "license": name} for asked, said, name in pairs]


def test_languages_and_twins_and_licences(tmp_path, monkeypatch, capsys):
    pytest.importorskip("py3langid")
    monkeypatch.chdir(tmp_path)
    river = "the river runs past the old mill and then down to the grey sea, as it always did"
    rows = saying(
        ("Tell me about the river.", f"Well, {river}.", "mit"),
        ("Tell me about the river.", f"Well now, {river}!", "mit"),
        ("Erzähle mir etwas vom Fluss.", "Der Fluss fließt an der alten Mühle vorbei und weiter zum Meer.", "mit"),
        ("What is a stone?", "A stone is a small piece of rock that you find on the ground.", "mit"),
        ("What is a tree?", "A tree is a tall plant with a trunk of wood and many green leaves.", "gpl"),
        ("2 + 2", "4", "mit"),
    )  # fmt: skip
    write_rows(Path("pool.jsonl"), rows)
    words = ["--budget", "2", "--language", "en", "--no-twins", "near", "--allow-license", "MIT"]
    manifest, found = chosen(capsys, *words)
    assert [(row["line"], row["license"]) for row in found] == [(2, "mit"), (4, "mit")]
    assert manifest["constraints"]["languages"] == ["en"]
    assert manifest["constraints"]["no_twins"] == "near@0.8"
    _, found = chosen(capsys, "--budget", "4", "--language", "en,und", "--no-twins", "near")
    assert [row["line"] for row in found] == [2, 5, 4, 6]
    _, found = chosen(capsys, "--budget", "2", "--no-twins", "near@1")
    assert [row["line"] for row in found] == [2, 1]
    assert run([*SELECT, "--budget", "3", *words[2:]]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == (
        "the constraints leave 2 rows to choose, fewer than the budget of 3; give --budget 2 or less, or allow more"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--no-twins", "neer"], "unknown kind of twins 'neer'; did you mean 'near'?"),
        (["--no-twins", "near@x"], "'x' is no threshold of twins; write KIND@THRESHOLD, such as near@0.7"),
        (["--no-twins", "near@0.5"], "the threshold of near twins is 0.5; give 0.6 to 1; pairs below are not stored"),
        (
            ["--selector", "k_center"],
            "the selector 'k_center' looks at the rows' vectors, and the scorer 'length' makes none; score with --scorer sentence or embedding",
        ),
        (
            ["--selector", "round_robin"],
            "the selector 'round_robin' looks at the rows' affinities, and the scorer 'length' makes none to dev examples; score with --scorer embedding and a --target, or choose --selector top",
        ),
        (
            ["--scorer", "sentence", "--selector", "deita"],
            "the selector 'deita' looks at the rows' scores, and the scorer 'sentence' makes none without a target; give --target FILE, or choose --selector facility_location",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_read(pool, capsys, words, text):
    Path("pool.jsonl").write_text("no JSON")
    assert run([*SELECT, "--budget", "3", *words]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": text}


@pytest.fixture
def recipe_file(tiny_model_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    return "tiny.yaml"


def test_a_run_refuses_a_selector_that_its_scorer_makes_nothing_for(recipe_file):
    recipe = read_recipe(recipe_file, {"selection.scorer": "length", "selection.selector": "dpp"})
    with pytest.raises(
        UserError, match="the selector 'dpp' looks at the rows' vectors, and the scorer 'length'"
    ):
        check(Run(RunFolder(Path("new")), recipe, Silent()))


def test_arms_of_a_run_hold_to_what_its_recipe_asks(recipe_file):
    """A draw at random from the whole pool would take a banned row, or two twins, or too many of a source."""
    settings = {"selection.at_most": {"odd": 3}, "selection.no_twins": "near", "design.draws": 5}
    recipe = read_recipe(recipe_file, settings)
    folder = RunFolder(Path("held"))
    with folder.locked():
        folder.adopt(recipe)
        held = bring_up_to_date(folder, recipe, Silent(), until="select")
    assert held.constraints.no_twins == "near@0.8"
    for arm in held.arms:
        if arm.kind not in ("base", "full"):
            assert holds(arm.rows, held.pool, held.constraints), arm.arm


def test_the_report_says_what_arms_hold_to():
    assert constraint_note(SelectionSettings()) == ""
    settings = SelectionSettings(at_most={"web": 5}, languages=["en", "de"], no_twins="near")
    assert constraint_note(settings) == (
        "All arms but the base and full hold to the constraints of the recipe: greatest numbers of sources, languages "
        "(en, de), no two twins (near). What is compared is the choice within them."
    )


def test_a_source_may_have_a_sign_in_its_name():
    assert read_bounds("--at-most", ["a=b=3", "c=0"]) == {"a=b": 3, "c": 0}
    assert read_bounds("--at-most", None) == {}
    with pytest.raises(UserError, match="--at-most has 'a=2'"):
        read_bounds("--at-most", ["a=1", "a=2"])


def test_files_are_told_from_ids():
    assert files_in(["0123456789abcdef", "rows.jsonl"]) == [Path("rows.jsonl")]


def test_without_any_there_are_none(pool, tmp_path):
    assert Wanted().made(read_pool([pool]).pool, tmp_path) == NONE


class Deaf:
    """A selector that knows of no constraints."""

    def select(self, request):
        return [Choice(index, "as it comes", {}) for index in range(request.budget)]


@pytest.mark.parametrize(
    ("constraints", "good"),
    [
        ({"pin": 0}, True),
        ({"pin": 5}, False),
        ({"ban": 5}, True),
        ({"ban": 0}, False),
        ({"at_least": {"odd": 2}}, True),
        ({"at_least": {"odd": 3}}, False),
        ({"at_most": {"even": 2}}, True),
        ({"at_most": {"even": 1}}, False),
    ],
)
def test_a_selector_that_does_not_know_of_them_is_found_out(pool, monkeypatch, constraints, good):
    made = read_pool([pool]).pool
    named = {k: (made.ids[v],) if isinstance(v, int) else v for k, v in constraints.items()}
    monkeypatch.setattr("suffice.runs.choose.registry.load", lambda kind, name: Deaf)
    scores = Scores(made.ids, np.zeros(len(made), np.float32))
    if good:
        assert (
            len(select("length", "deaf", made, scores, 4, target=None, constraints=Constraints(**named))) == 4
        )
        return
    with pytest.raises(UserError) as caught:
        select("length", "deaf", made, scores, 4, target=None, constraints=Constraints(**named))
    assert str(caught.value) == (
        "the selector 'deaf' does not hold to constraints; choose another selector, or leave them out"
    )


def test_a_recipe_holds_them(tmp_path):
    given = {"pool": ["p.jsonl"], "target.file": "t.jsonl"}
    recipe = read_recipe("lima", given | {"selection.at_most": {"web": 5}, "selection.pin": ["a"]})
    assert (recipe.selection.at_most, recipe.selection.pin) == ({"web": 5}, ["a"])
    with pytest.raises(UserError) as caught:
        read_recipe("lima", given | {"selection.file": "s.jsonl", "selection.ban": ["a"]})
    assert str(caught.value) == (
        "recipe lima: selection: a selection made elsewhere takes no constraints; leave out selection.file or them; "
        "mend the recipe"
    )
    with pytest.raises(UserError, match=r"selection\.at_least\.web = -1"):
        read_recipe("lima", given | {"selection.at_least": {"web": -1}})
