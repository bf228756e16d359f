"""Options of `suffice run` for recipes whose arms a reward judges."""

import pytest

from suffice.cli.main import run
from suffice.cli.rewarded import _fields, _tell
from suffice.common.errors import UserError


def test_options_find_their_fields(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.jsonl").touch()
    given = {
        "pool": ["e.jsonl"],
        "target.file": "t.jsonl",
        "training.epochs": 3,
        "selection.options.file": "c.jsonl",
        "selection.options.max_cost": "2",
        "selection.options.samples": "64",
        "seed": None,
    }
    assert _fields("critique", "critique", given) == {
        "examples": "e.jsonl",
        "target": "t.jsonl",
        "training.epochs": 3,
        "critiques.file": str(tmp_path / "c.jsonl"),
        "critiques.teacher.max_cost": "2",
        "critiques.samples": "64",
    }


@pytest.mark.parametrize("name", ["training.epochs", "selection.options.samples", "selection.budget"])
def test_an_option_without_a_field_is_refused(name):
    with pytest.raises(
        UserError, match=f"the recipe one-shot has no field for the option of '{name}'; leave it out"
    ):
        _fields("one-shot", "one-shot", {name: "3"})


def test_a_run_without_a_page_names_its_verdict(tmp_path, capsys):
    _tell({"tasks": []}, tmp_path)
    assert capsys.readouterr().out == f"Verdict: {tmp_path / 'verdict.json'}\n"
    (tmp_path / "report.html").touch()
    _tell({"tasks": []}, tmp_path)
    assert capsys.readouterr().out == f"Report: {tmp_path / 'report.html'}\n"


@pytest.mark.parametrize("recipe", ["critique", "one-shot"])
def test_a_recipe_without_examples_names_the_option(capsys, recipe):
    assert run(["run", recipe, "--model", "lab"]) == 2
    assert capsys.readouterr().err == f"suffice: recipe {recipe} lacks 'examples'; give it with --pool\n"
