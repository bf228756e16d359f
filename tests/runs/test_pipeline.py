"""The path from files to verdict: what it leaves, what it does again, and what it refuses."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suffice.common.errors import UserError
from suffice.common.files import digest_file, read_json, write_json
from suffice.common.progress import Silent
from suffice.runs.context import Run
from suffice.runs.folder import STAGES, RunFolder
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.stages.train import arm_jobs
from suffice.runs.summary import as_json
from suffice.runs.tuning import tuned_rates, tuning_jobs
from tiny_run import pool_rows, write_rows

ARMS = {"base": 1, "random-8": 2, "longest-8": 2, "selected-8": 2, "full": 2}


def go(out="run", until="report", **overrides):
    """Runs the tiny recipe in a folder of its own."""
    folder = RunFolder(Path(out))
    recipe = read_recipe("tiny.yaml", {name.replace("__", "."): value for name, value in overrides.items()})
    with folder.locked():
        folder.adopt(recipe)
        return bring_up_to_date(folder, recipe, Silent(), until)


def go_on(until="report"):
    """Goes on with the run by the recipe that its folder holds."""
    folder = RunFolder(Path("run"))
    return bring_up_to_date(folder, folder.recipe(), Silent(), until)


def edit(name, old, new):
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new))


def refused(action, *arguments, **keywords):
    with pytest.raises(UserError) as caught:
        action(*arguments, **keywords)
    return str(caught.value)


def times():
    """When each file of the run was last written."""
    return {path: path.stat().st_mtime_ns for path in sorted(Path("run").rglob("*")) if path.is_file()}


def stages_done(before):
    """The stages that were done again since ``before``."""
    after = times()
    stamps = {stage: Path("run/stages") / f"{stage}.json" for stage in STAGES}
    return [stage for stage, path in stamps.items() if path in after and after[path] != before.get(path)]


def test_no_row_is_lost(tiny_run):
    stamp = read_json(tiny_run / "run/stages/pool.json")
    rejected = [json.loads(line) for line in (tiny_run / "run/rejected.jsonl").read_text().splitlines()]
    chosen = (tiny_run / "run/selection.jsonl").read_text().splitlines()
    assert (stamp["read"], stamp["rejected"], stamp["unchosen"]) == (62, 2, 60)
    counts = read_json(tiny_run / "run/manifest.json")["counts"]
    assert counts == {"read": 62, "chosen": 8, "unchosen": 52, "rejected": 2}
    assert len(rejected) == 2
    assert len(chosen) == 8 == len(set(chosen))
    assert [(row["line"], sorted(row)) for row in rejected] == [
        (line, ["file", "line", "message", "remedy", "row", "rule"]) for line in (61, 62)
    ]


def test_outcomes_have_every_arm_run_and_item_once(tiny_run):
    table = pq.read_table(tiny_run / "run/outcomes.parquet")
    rows = list(zip(*(table[name].to_pylist() for name in ("arm", "draw", "seed", "item")), strict=True))
    assert len(set(rows)) == len(rows) == 9 * 12
    assert {arm: count // 12 for arm, count in Counter(row[0] for row in rows).items()} == ARMS
    assert {row[3] for row in rows} == {f"item-{i}" for i in range(4, 16)}
    assert {row[1:3] for row in rows if row[0] == "random-8"} == {(0, 0), (1, 1)}
    assert {row[1:3] for row in rows if row[0] == "full"} == {(0, 0), (0, 1)}


def test_the_json_form_is_the_promised_one(tiny_run, monkeypatch):
    monkeypatch.chdir(tiny_run)
    found = as_json(RunFolder(Path("run")))
    assert list(found) == ["verdict", "arms", "costs", "run"]
    assert found["run"] == "run"
    assert list(found["verdict"]) == ["outcome", "yardstick", "selector", "sentence", "comparisons"]
    assert {arm["name"]: len(arm["runs"]) for arm in found["arms"]} == ARMS
    promised = {
        "name",
        "rows",
        "score",
        "low",
        "high",
        "runs",
        "families",
        "epochs",
        "steps",
        "train_seconds",
    }
    assert all(promised <= arm.keys() for arm in found["arms"])
    by_name = {arm["name"]: arm for arm in found["arms"]}
    assert [by_name[name]["rows"] for name in ARMS] == [0, 8, 8, 8, 60]
    assert [by_name[name]["steps"] for name in ARMS] == [0, 2, 2, 2, 2]
    assert by_name["full"]["epochs"] == pytest.approx(8 / 60, abs=1e-3)
    assert by_name["selected-8"]["families"].keys() == {"add", "sum"}
    costs = found["costs"]
    assert list(costs) == ["choose_seconds", "train_seconds", "evaluate_seconds", "total_seconds"]
    assert costs["total_seconds"] >= costs["choose_seconds"] > 0
    assert min(costs["train_seconds"], costs["evaluate_seconds"]) > 0
    json.dumps(found, allow_nan=False)


def test_only_the_weights_of_the_selection_are_kept(tiny_run):
    kept = sorted(
        str(path.relative_to(tiny_run / "run/arms")) for path in (tiny_run / "run/arms").glob("*/*/model")
    )
    assert kept == ["selected-8/0/model", "selected-8/1/model"]


def test_seeds_and_draws_are_trained_apart(tiny_run):
    digests = {digest_file(path) for path in (tiny_run / "run/arms").glob("selected-8/*/model/*.safetensors")}
    assert len(digests) == 2
    losses = {
        json.dumps(read_json(path)["losses"]) for path in (tiny_run / "run/arms").glob("*/*/trained.json")
    }
    assert len(losses) == 8


def test_a_second_run_does_nothing(workplace, monkeypatch):
    before = times()
    monkeypatch.setattr("suffice.runs.stages.train.Workers", None)  # nothing may be started
    monkeypatch.setattr("suffice.models.ModelSource.load", None)  # nor loaded
    go()
    after = times()
    after.pop(Path("run/recipe.yaml"))
    assert after == {path: before[path] for path in after}
    assert before.keys() - after.keys() == {Path("run/recipe.yaml")}


@pytest.mark.parametrize(
    ("lost", "stages"),
    [
        ("report.html", ["report"]),
        ("verdict.json", ["prove"]),
        ("outcomes.parquet", ["evaluate"]),
        ("selection.jsonl", ["select"]),
        ("scores-length.parquet", ["score"]),
        ("pool.parquet", ["pool"]),
        ("stages/select.json", ["select"]),
    ],
)
def test_a_lost_file_is_made_again_and_nothing_else(workplace, lost, stages):
    path = Path("run") / lost
    before, content = times(), path.read_bytes()
    path.unlink()
    go_on()
    assert stages_done(before) == stages
    if lost != "stages/select.json":  # which tells how long it took
        assert path.read_bytes() == content
    assert Path("run/manifest.json").exists()


def test_the_manifest_stands_only_beside_a_whole_run(workplace):
    go_on(until="score")
    assert Path("run/manifest.json").exists()
    Path("run/scores.parquet").unlink()
    go_on(until="score")
    assert not Path("run/manifest.json").exists()
    go_on()
    assert read_json(Path("run/manifest.json"))["selection"] == digest_file(Path("run/selection.jsonl"))


def test_a_lost_training_is_done_again_with_the_same_result(workplace):
    before, outcomes = times(), Path("run/outcomes.parquet").read_bytes()
    for path in (Path("run/arms/full/1/trained.json"), Path("run/arms/full/1/evaluated.json")):
        path.unlink()
    Path("run/outcomes.parquet").unlink()
    go_on()
    assert stages_done(before) == ["train", "evaluate"]
    assert Path("run/outcomes.parquet").read_bytes() == outcomes
    trained = [
        path for path, time in times().items() if path.name == "trained.json" and time != before.get(path)
    ]
    assert trained == [Path("run/arms/full/1/trained.json")]


def test_another_learning_rate_trains_anew_and_chooses_not(workplace):
    before = times()
    first = read_json(Path("run/arms/selected-8/0/trained.json"))["losses"]
    edit("run/recipe.yaml", "learning_rate: 0.001", "learning_rate: 0.01")
    go_on()
    assert stages_done(before) == ["train", "evaluate", "prove", "report"]
    changed = {path for path, time in times().items() if time != before.get(path)}
    assert sum(path.name == "trained.json" for path in changed) == 8
    assert Path("run/arms/base/0/evaluated.json") not in changed
    assert read_json(Path("run/arms/selected-8/0/trained.json"))["losses"] != first


def test_another_pool_is_scored_chosen_and_trained_anew(workplace):
    before = times()
    write_rows(Path("pool.jsonl"), pool_rows(40))
    go_on()
    assert stages_done(before) == ["pool", "score", "select", "train", "evaluate", "prove", "report"]
    assert read_json(Path("run/stages/pool.json"))["read"] == 40
    assert len(pq.read_table("run/outcomes.parquet")) == 9 * 12


def test_the_design_and_the_target_are_fixed(workplace):
    before = times()
    edit("run/recipe.yaml", "margin: 2.0", "margin: 3.0")
    assert refused(go_on) == "the design of run changed after the run was begun; choose a new --out"
    edit("run/recipe.yaml", "margin: 3.0", "margin: 2.0")
    edit("target.jsonl", '"answer": "12"', '"answer": "13"')
    assert refused(go_on) == "the target of run changed after the run was begun; choose a new --out"
    edit("run/recipe.yaml", "require_stop: true", "require_stop: false")
    assert (
        refused(go_on)
        == "the target and the judging of run changed after the run was begun; choose a new --out"
    )
    assert stages_done(before) == []


@pytest.mark.parametrize(("keep", "kept"), [("all", {"random-8", "selected-8"}), ("none", set())])
def test_arms_may_be_left_out_and_weights_kept(workplace, keep, kept):
    run = go("other", design__arms=["base", "random", "selected"], execution__keep_weights=keep)
    arms = run.folder.arms
    assert {path.name for path in arms.iterdir()} == {"base", "random-8", "selected-8"}
    assert {path.parts[-3] for path in arms.glob("*/*/model")} == kept
    assert not run.folder.scores_by("length").exists()
    found = as_json(run.folder)
    assert found["verdict"]["yardstick"] in ("random", "base")
    assert [arm["name"] for arm in found["arms"]] == ["base", "random-8", "selected-8"]
    # Workers and this process give the same bytes, and so do arms whatever the others are.
    for arm in ("random-8", "selected-8"):
        mine, theirs = (
            read_json(Path(f"{out}/arms/{arm}/1/trained.json"))["losses"] for out in ("other", "run")
        )
        assert mine == theirs


def test_trained_first_and_evaluated_later(workplace):
    run = go("other", until="train", design__arms=["base", "selected"], execution__keep_weights="none")
    assert len(list(run.folder.arms.glob("*/*/model"))) == 2
    assert not list(run.folder.arms.glob("*/*/evaluated.json"))
    go("other", design__arms=["base", "selected"], execution__keep_weights="none")
    assert len(list(run.folder.arms.glob("*/*/evaluated.json"))) == 3
    assert not list(run.folder.arms.glob("*/*/model"))


def test_a_selection_made_elsewhere_takes_the_place_of_scoring(workplace):
    edit("tiny.yaml", "steps: 2", "epochs: 3")
    about = {"selection__file": "mine.jsonl", "design__arms": ["selected"], "design__seeds": 1}
    mine = [{"messages": row["messages"]} for row in pool_rows()[10:15]]
    write_rows(Path("mine.jsonl"), mine)
    run = go("other", **about)
    assert run.selected == [10, 11, 12, 13, 14]
    assert not run.folder.scores.exists()
    [arm] = as_json(run.folder)["arms"]
    assert (arm["name"], arm["rows"], arm["steps"]) == (
        "selected-5",
        5,
        6,
    )  # ceil(5 / 4) x 3, whatever the budget
    write_rows(Path("mine.jsonl"), mine[:4])
    assert go("other", **about).selected == [10, 11, 12, 13]


def test_tuning_picks_each_arms_rate_on_dev(workplace):
    about = {"training__tune": True, "training__rates": [3e-3, 1e-3], "design__arms": ["base", "selected"]}
    run = go("other", **about)
    jobs = tuning_jobs(run)
    assert [str(job.folder) for job in jobs] == [
        "other/tuning/selected-8/0.001",
        "other/tuning/selected-8/0.003",
    ]
    for job in jobs:
        items = [
            json.loads(line)["item"] for line in (job.folder / "outcomes.jsonl").read_text().splitlines()
        ]
        assert items == [f"item-{i}" for i in range(4)]
        assert not (job.folder / "model").exists()
        found = read_json(job.folder / "evaluated.json")
        write_json(job.folder / "evaluated.json", found | {"score": 0.5})
    assert tuned_rates(run) == {"selected": 1e-3}  # the lowest of equal ones
    path = jobs[1].folder / "evaluated.json"
    write_json(path, read_json(path) | {"score": 0.75})
    assert tuned_rates(run) == {"selected": 3e-3}
    rates = {job.run.kind: job.recipe.training.learning_rate for job in arm_jobs(run, evaluate=True)}
    assert rates == {"base": 1e-3, "selected": 3e-3}


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"selection__scorer": "embeding"}, "unknown scorer 'embeding'; did you mean 'embedding'?"),
        ({"selection__selector": "tpo"}, "unknown selector 'tpo'; did you mean 'top'?"),
        ({"selection__file": "mine.jsonl"}, "no selection file mine.jsonl; check the path"),
        (
            {"target__extractor": "choice"},
            (
                "the extractor 'choice' finds no answer in the reference of item 'item-4': '5'; "
                "mend the item or name another extractor (number, exact, last_line)"
            ),
        ),
        (
            {"model": "nowhere"},
            (
                "no model 'nowhere': it is neither a folder nor a registered name nor a hub id; give a folder with "
                "config.json, an id such as owner/name, or one of: lab"
            ),
        ),
    ],
)
def test_what_is_wrong_shows_before_anything_is_read(workplace, overrides, text):
    assert refused(go, "other", **overrides) == text
    assert not Path("other/plan.json").exists()
    assert not Path("other/pool.parquet").exists()
    go("other", until="pool")  # and the folder is free for the right one


def test_a_target_without_dev_examples_cannot_steer_or_tune(workplace):
    rows = [json.loads(line) for line in Path("target.jsonl").read_text().splitlines()]
    write_rows(Path("target.jsonl"), [row for row in rows if row["split"] == "test"])
    assert refused(go, "other") == (
        "the scorer 'embedding' compares rows to dev examples, and there are none; "
        "give --target FILE with dev rows, or --dev FILE"
    )
    assert refused(go, "other", selection__scorer="length", training__tune=True) == (
        "--tune picks learning rates on dev examples, and there are none; "
        "give --target FILE with dev rows, or --dev FILE"
    )


def test_a_budget_larger_than_the_pool_is_refused(workplace):
    assert refused(go, "other", selection__budget=61) == (
        "the budget of 61 rows is larger than the pool of 60 usable rows; give --budget 60 or less"
    )
    go("other", until="pool", selection__budget=60)  # the remedy works in the same folder


def test_rows_that_ask_test_items_stay_out_of_the_pool(workplace):
    leak = {
        "messages": [{"role": "user", "content": "add 7 and ONE."}, {"role": "assistant", "content": "8"}]
    }
    write_rows(Path("pool.jsonl"), [*pool_rows(10), leak])
    run = go("other", until="pool")
    assert (len(run.pool), read_json(Path("other/stages/pool.json"))["rejected"]) == (10, 1)
    write_rows(Path("pool.jsonl"), [leak])
    assert refused(go, "third", until="pool") == (
        "all 1 usable rows of the pool ask what the test items ask; give a pool that is not the target itself"
    )


@pytest.mark.parametrize(
    ("answers", "extractor"),
    [(["so\n#### 4", "#### 1,000"], "number"), (["so\n#### 4", "5"], "exact"), (["4", "5"], "exact")],
)
def test_the_extractor_of_gsm8k_is_known_by_itself(workplace, answers, extractor):
    write_rows(
        Path("gsm.jsonl"),
        [{"question": f"Q{i}?", "answer": a, "split": "test"} for i, a in enumerate(answers)],
    )
    run = Run(RunFolder(Path("x")), read_recipe("tiny.yaml", {"target.file": "gsm.jsonl"}), Silent())
    assert run.extractor == extractor
    named = Run(RunFolder(Path("x")), read_recipe("tiny.yaml", {"target.extractor": "last_line"}), Silent())
    assert named.extractor == "last_line"
