"""The budget curve of a tiny run, its spreads and its pairs of replies, from recipe to JSON and page."""

import json
import shutil

import pytest

from suffice.common.files import read_json
from suffice.common.progress import Silent
from suffice.proof.draws import new_draw, spreads
from suffice.proof.outcomes import read_outcomes, run_means
from suffice.runs.folder import RunFolder
from suffice.runs.pairs import item_pairs
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.summary import as_json
from tiny_run import Here


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """A finished run with a curve, trained in this process; read only."""
    place = tmp_path_factory.mktemp("curve")
    shutil.copytree(tiny_run, place, dirs_exist_ok=True)
    about = {
        "design.arms": ["base", "random", "selected", "full"],
        "design.budgets": [2, 8, 16],
        "design.scorers": ["length", "embedding+top"],
        "design.seeds": 1,
        "design.draw_seeds": 2,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr("suffice.runs.stages.train.Workers", Here)
        folder = RunFolder(place / "curve")
        recipe = read_recipe("tiny.yaml", about)
        with folder.locked():
            folder.adopt(recipe)
            yield bring_up_to_date(folder, recipe, Silent())


def test_every_method_has_every_budget_once(run):
    found = as_json(run.folder)
    assert [arm["name"] for arm in found["arms"]] == ["base", "random-8", "selected-8", "full"]
    methods = {method["method"]: method for method in found["curve"]["methods"]}
    assert set(methods) == {"random", "selected", "longest", "embedding+top"}
    assert all([point["rows"] for point in method["points"]] == [2, 8, 16] for method in methods.values())
    assert found["curve"]["yardstick"] in {"full", "random-8", "selected-2", "longest-2"} | {
        f"{method}-{rows}" for method in methods for rows in (2, 8, 16)
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_random_counts_draws_and_not_trainings(run):
    [random] = [arm for arm in as_json(run.folder)["arms"] if arm["kind"] == "random"]
    assert len(random["runs"]) == 2  # two draws, each trained twice
    means = run_means(read_outcomes(run.folder.outcomes))["random-8"]
    assert [(one.draw, one.seed) for one in means] == [(0, 0), (0, 10_000), (1, 1), (1, 10_001)]
    [told] = [one for one in read_json(run.folder.verdict)["spreads"] if one["name"] == "random-8"]
    assert told["draw_sd"] is not None
    assert "told apart" in told["sentence"]


def test_the_other_selections_are_written_down(run):
    found = read_json(run.folder.curve)
    assert {method: {int(rows) for rows in by} for method, by in found.items()} == {
        "selected": {2, 16},
        "longest": {2, 8, 16},
        "embedding+top": {2, 8, 16},
    }
    assert (
        found["selected"]["16"][:2] == found["selected"]["2"]
    )  # round robin: fewer rows are the first of more


def test_the_page_shows_the_curve_and_both_replies(run):
    page = run.folder.report.read_text()
    assert "longest" in page
    pairs = item_pairs(run, "selected-8", "full")
    assert [pair.id for pair in pairs] == [item.id for item in run.target.test]
    assert all(0 <= pair.own_score <= 1 for pair in pairs)


def test_no_spread_and_no_prediction_from_single_runs():
    means = {"base": [(0, 0, 3.0)]}
    assert spreads(means) == []
    assert new_draw([], []) is None
