"""Looks: the designs in force, where a run goes on, and what it says."""

import shutil
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.common.progress import Silent
from suffice.proof.design.sequential import run_looks
from suffice.runs.folder import RunFolder
from suffice.runs.looks import designs, is_open, look_sentence, looks_done
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import DesignSettings, read_recipe


def test_without_looks_the_design_stands():
    design = DesignSettings()
    assert designs(design) == [design]
    assert look_sentence(design) == ""


def test_each_look_has_its_runs_and_its_level():
    found = designs(DesignSettings(looks=[3, 5, 8]))
    levels = run_looks([3, 5, 8], 0.05, arms=1).nominal_alpha
    assert [(one.seeds, one.draws, one.alpha) for one in found] == list(
        zip([3, 5, 8], [3, 5, 8], levels, strict=True)
    )
    assert look_sentence(found[1]).startswith(
        "This is look 2 of 3, after 5 runs an arm. Its intervals have a level"
    )


def test_looks_must_rise(workplace):
    with pytest.raises(UserError) as caught:
        read_recipe("tiny.yaml", {"design.looks": [5, 3]})
    assert str(caught.value) == (
        "tiny.yaml: design.looks: looks must rise, such as [3, 5, 8]; mend the recipe"
    )


def test_a_run_goes_on_while_its_outcome_is_open(workplace):
    about = {"design.arms": ["base", "selected"], "design.looks": [3, 4]}
    folder, recipe = RunFolder(Path("looks")), read_recipe("tiny.yaml", about)
    with folder.locked():
        folder.adopt(recipe)
        run = bring_up_to_date(folder, recipe, Silent())
    # Nothing that an untrained model learns in two steps is ever shown, so all looks are taken.
    assert is_open(folder)
    assert looks_done(folder) == 1
    assert len(list(folder.arms.glob("selected-8/*/evaluated.json"))) == 4
    assert run.recipe.design.seeds == 4
    manifest = read_json(folder.manifest)
    assert manifest["recipe"]["design"]["looks"] == [3, 4]
    assert manifest["level"] == pytest.approx(1 - run_looks([3, 4], 0.05, arms=1).nominal_alpha[1])
    assert "This is look 2 of 2" in folder.report.read_text()
    stamp = folder.path / "stages" / "prove.json"
    before = stamp.stat().st_mtime_ns
    bring_up_to_date(folder, recipe, Silent())
    assert stamp.stat().st_mtime_ns == before  # nothing is done again
    shutil.rmtree(folder.arms / "selected-8" / "3")
    write_json(stamp, read_json(stamp) | {"outcome": "sufficient", "runs": 3})
    assert looks_done(folder) == 0
