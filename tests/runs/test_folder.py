"""The run folder: one process at a time, one recipe for ever, and stages that are marked when done."""

import subprocess
import sys
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.runs.folder import RunFolder
from suffice.runs.recipe import read_recipe

HOLD = """
import sys
from pathlib import Path
from suffice.runs.folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return RunFolder(Path("runs/a"))


def recipe(**overrides):
    given = {"pool": ["p"], "target.file": "t"}
    return read_recipe("lima", given | {name.replace("__", "."): value for name, value in overrides.items()})


def refused(action, *arguments):
    with pytest.raises(UserError) as caught:
        action(*arguments)
    return str(caught.value)


def test_two_processes_exclude_each_other_even_after_kill_9(folder):
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        assert refused(folder.locked().__enter__) == (
            "another process is working in runs/a; wait until it ends, or choose another --out"
        )
        other.kill()
        other.wait()
        with folder.locked():
            pass
    finally:
        other.kill()
        other.communicate()


def test_a_folder_that_cannot_be_made_is_named(folder):
    Path("runs").write_text("a file")
    assert (
        refused(folder.locked().__enter__)
        == "the folder runs/a cannot be made: Not a directory; choose another --out"
    )


def test_how_the_work_is_done_may_differ(folder):
    folder.adopt(recipe())
    folder.finish("pool", "key", 0.1)
    folder.adopt(recipe(execution__jobs=3, execution__keep_weights="all"))
    assert folder.recipe().execution.jobs == 3


@pytest.mark.parametrize(
    ("overrides", "difference"),
    [
        ({"design__margin": 1.0}, "design.margin is 2.0 there and 1.0 here"),
        ({"target__file": "u"}, "target.file is 't' there and 'u' here"),
        ({"pool": ["p", "q"]}, "pool is ['p'] there and ['p', 'q'] here"),
        (
            {"seed": 1, "design__draws": 1, "design__seeds": 1, "selection__budget": 1},
            (
                "selection.budget is 1000 there and 1 here; design.draws is 5 there and 1 here; "
                "design.seeds is 3 there and 1 here"
            ),
        ),
    ],
)
def test_another_design_is_refused_and_the_recipe_stays(folder, overrides, difference):
    folder.adopt(recipe())
    folder.finish("pool", "key", 0.1)
    before = folder.recipe_file.read_bytes()
    assert refused(folder.adopt, recipe(**overrides)) == (
        f"runs/a holds a run of another recipe: {difference}; choose a new --out"
    )
    assert folder.recipe_file.read_bytes() == before


def test_before_the_pool_was_read_another_recipe_is_taken(folder):
    folder.adopt(recipe(pool=["mistyped"]))
    folder.plan.write_text("{}")
    folder.adopt(recipe())
    assert folder.recipe() == recipe()
    assert not folder.plan.exists()


def test_a_folder_of_other_things_is_left_alone(folder):
    folder.path.mkdir(parents=True)
    (folder.path / "thesis.tex").touch()
    assert refused(folder.adopt, recipe()) == "runs/a is not empty and holds no run; choose a new --out"
    assert refused(folder.recipe) == "runs/a holds no run; begin one with: suffice run lima … --out runs/a"
    assert [path.name for path in folder.path.iterdir()] == ["thesis.tex"]


def test_a_stage_is_current_while_its_key_and_outputs_stand(folder):
    assert folder.stamp("score") is None
    folder.finish("score", "k", 1.23456, notes={"rows_cut": 2})
    assert folder.stamp("score") == {"key": "k", "seconds": 1.235, "notes": {"rows_cut": 2}}
