"""Errors are one line with a remedy; names are found by entry point, with a guess where they are not."""

import subprocess
import sys

import pytest

from suffice.common import registry
from suffice.common.errors import UserError, unknown_name


def test_an_error_is_one_line_with_its_remedy():
    assert str(UserError("a is wrong", "mend a")) == "a is wrong; mend a"
    assert str(UserError("a is wrong")) == "a is wrong"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lenght", "unknown scorer 'lenght'; did you mean 'length'?"),
        ("zzz", "unknown scorer 'zzz'; choose one of: embedding, length, random"),
        ("", "unknown scorer ''; choose one of: embedding, length, random"),
    ],
)
def test_an_unknown_name_gets_a_guess(name, text):
    assert str(unknown_name("scorer", name, ["random", "length", "embedding"])) == text


def test_the_built_in_names_are_registered_like_anybodys():
    assert set(registry.names("scorers")) >= {"length", "embedding", "random"}
    assert set(registry.names("selectors")) >= {"top", "random", "round_robin"}
    for kind in ("scorers", "selectors"):
        for name in registry.names(kind):
            assert registry.load(kind, name).name == name


def test_an_unknown_name_is_refused():
    with pytest.raises(UserError) as caught:
        registry.load("selectors", "tpo")
    assert str(caught.value) == "unknown selector 'tpo'; did you mean 'top'?"


def test_a_plug_in_that_cannot_be_imported_says_what_is_missing(tmp_path, monkeypatch):
    about = tmp_path / "broken-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[suffice.scorers]\nbroken = no_such_module:Broken\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "broken" in registry.names("scorers")
    with pytest.raises(UserError) as caught:
        registry.load("scorers", "broken")
    assert str(caught.value) == (
        "the scorer 'broken' (no_such_module:Broken) cannot be imported: No module named 'no_such_module'; "
        "install what it needs, such as pip install 'suffice[hf]'"
    )


@pytest.mark.parametrize(
    "module", ["suffice.data.pool", "suffice.proof.verdict", "suffice.cli", "suffice.runs.recipe"]
)
def test_light_rooms_do_not_import_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
