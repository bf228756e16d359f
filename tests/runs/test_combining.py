"""Pipelines: steps that filter, weigh and select."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.runs.combining import combine, read_combined, weighted
from suffice.runs.folder import RunFolder
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.steps import make_pipeline, read_keep, read_pipeline
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from tiny_run import pool_rows, write_inputs, write_rows

NAN = float("nan")
SOME = st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.5]), min_size=8, max_size=8)


def places(values, able):
    """The share of the other rows that a score beats, those it equals counted half."""
    return {
        i: sum((values[j] < values[i]) + 0.5 * (values[j] == values[i]) for j in able if j != i)
        / max(1, len(able) - 1)
        for i in able
    }


@settings(max_examples=60)
@given(SOME, SOME, st.sampled_from([-2.0, -1.0, 1.0, 3.0]), st.lists(st.booleans(), min_size=8, max_size=8))
def test_weights_count_places_in_the_order(one, other, weight, among):
    able = [i for i in range(8) if among[i] and not (math.isnan(one[i]) or math.isnan(other[i]))]
    first, second = places(one, able), places(other, able)
    wanted = np.full(8, NAN)
    for i in able:
        turned = second[i] if weight > 0 else 1 - second[i]
        wanted[i] = (2 * first[i] + abs(weight) * turned) / (2 + abs(weight))
    scores = {"one": np.array(one, np.float32), "other": np.array(other, np.float32)}
    found = weighted(scores, {"one": 2.0, "other": weight}, np.array(among))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def scores_of(**values):
    return {
        name: Scores([str(i) for i in range(len(v))], np.array(v, np.float32)) for name, v in values.items()
    }


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("top 50%", [0, 2, 3]),
        ("top 2", [0, 2]),
        ("top 90", [0, 1, 2, 3, 4]),
        ("bottom 1", [1]),
        ("bottom 30%", [1, 4]),
        ("at least 4", [0, 2, 3]),
        ("at most  3", [1, 4]),
        ("at most -1", []),
    ],
)
def test_what_a_filter_keeps(keep, kept):
    made = combine(
        make_pipeline([{"filter": "a", "keep": keep}], "x"), scores_of(a=[9.0, 2.0, 9.0, 4.0, 3.0, NAN])
    )
    assert np.flatnonzero(made.kept).tolist() == kept
    assert np.flatnonzero(~np.isnan(made.scores.values)).tolist() == kept


def test_each_step_looks_at_what_the_one_before_kept():
    steps = [
        {"filter": "a", "keep": "top 4"},
        {"weigh": {"b": 1, "c": -1}, "keep": "top 50%"},
        {"select": "top"},
    ]
    scores = scores_of(a=[1, 2, 3, 4, 5, 6], b=[9, 9, 1, 2, 3, 4], c=[0, 0, 1, 1, 1, 9])
    made = combine(make_pipeline(steps, "x"), scores)
    assert [passed.words for passed in made.trail] == [
        "filter a, keep top 4",
        "weigh b 1, c -1, keep top 50%",
    ]
    assert made.trail[0].kept.tolist() == [False, False, True, True, True, True]
    # b: 0, 1/3, 2/3, 1 and c turned round: 2/3, 2/3, 2/3, 0
    np.testing.assert_allclose(made.trail[1].values[2:], [1 / 3, 1 / 2, 2 / 3, 1 / 2], atol=1e-6)
    assert made.trail[1].kept.tolist() == [False, False, False, True, True, False]
    assert made.trail[0].cut == 3
    assert made.trail[1].cut == 0.5
    held = made.within(Constraints(), 2)
    assert held.left_out.tolist() == [True, True, True, False, False, True]
    with pytest.raises(UserError) as caught:
        made.within(Constraints(), 3)
    assert str(caught.value) == (
        "the steps of the pipeline leave 2 rows, fewer than the budget of 3; keep more rows, or give --budget 2 or less"
    )


def test_the_selector_looks_at_the_vectors_of_the_scorer_named():
    def made(values, width):
        return Scores(["a", "b"], np.array(values, np.float32), None, [], {}, np.ones((2, width), np.float32))

    scores = scores_of(length=[1, 2]) | {"one": made([1, 2], 3), "two": made([NAN, NAN], 5)}
    free = [{"weigh": {"length": 1, "one": 1}}, {"select": "deita"}]
    assert combine(make_pipeline(free, "x"), scores).scores.vectors.shape == (2, 3)
    named = [{"filter": "length", "keep": "top 2"}, {"select": "k_center", "by": "two"}]
    assert combine(make_pipeline(named, "x"), scores).scores.vectors.shape == (2, 5)
    only = make_pipeline([{"select": "k_center", "by": "two"}], "x")
    assert combine(only, scores).kept.all()
    assert np.isnan(combine(only, scores).scores.values).all()


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ("- {filter: length}", "p.yaml, step 1 (filter) lacks 'keep'; add it"),
        (
            "- {filter: length, keep: top half}",
            ("p.yaml, step 1 (filter): 'top half' says not what to keep; write top 50%, bottom 2000, at least 20 or at most 3; "
            "mend the step"),
        ),
        (
            "- {filter: length, keep: top 2}\n- {weigh: {}}",
            "p.yaml, step 2 (weigh): name scorers, each with a weight that is not 0; mend the step",
        ),
        (
            "- {filter: length, keep: top 2}\n- {weigh: {length: x}}",
            ("p.yaml, step 2 (weigh): weigh.length = 'x': Input should be a valid number, unable to parse string as a number; "
            "mend the value"),
        ),
        ("- {filter: length, kep: top 2}", "p.yaml, step 1 (filter) lacks 'keep'; add it"),
        ("- {weigh: {length: 1}, kep: top 2}", "unknown field of p.yaml, step 1 (weigh): 'kep'; did you mean 'keep'?"),
        (
            "- {sort: length}",
            ("p.yaml, step 1: a step filters, weighs or selects; "
            "write {filter: SCORER, keep: top 50%}, {weigh: {SCORER: 1, …}} or {select: SELECTOR}"),
        ),
        ("- length", ("p.yaml, step 1: a step filters, weighs or selects; "
            "write {filter: SCORER, keep: top 50%}, {weigh: {SCORER: 1, …}} or {select: SELECTOR}")),
        ("- {select: top}", "p.yaml: it names no scorer; begin with a filter or a weighing; mend the pipeline"),
        (
            "- {select: top, by: length}\n- {filter: length, keep: top 2}",
            "p.yaml: step 1 selects, and step 2 follows it; put select last; mend the pipeline",
        ),
        ("{", "p.yaml is not YAML; write a list of steps"),
        ("3", "p.yaml holds no pipeline; write a list of steps, such as - {select: top, by: length}"),
    ],
)  # fmt: skip
def test_mistakes_name_the_step(tmp_path, monkeypatch, steps, text):
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(steps)
    with pytest.raises(UserError) as caught:
        read_pipeline(Path("p.yaml"))
    assert str(caught.value) == text


@given(st.text() | st.from_regex(r"(top|at least) -?[0-9.]{0,9}%?", fullmatch=True))
def test_any_text_keeps_something_or_is_refused(text):
    with suppress(ValueError):
        keep = read_keep(text)
        assert math.isfinite(keep.amount)
        assert keep.side.startswith("at") or keep.amount > 0


STEPS = "- {filter: length, keep: top 50%}\n- {weigh: {random: 1, length: -1}, keep: top 10}\n- {select: k_center, by: sentence}\n"
WORDS = ["select", "--pool", "pool.jsonl", "--pipeline", "p.yaml", "--budget", "5", "--out", "out", "--quiet"]


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "pool.jsonl", pool_rows(40))
    Path("p.yaml").write_text(STEPS)


def test_a_command_chooses_by_steps(pool, capsys):
    assert run([*WORDS, "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert (manifest["scorer"], manifest["selector"]) == ("pipeline", "k_center")
    assert manifest["pipeline"] == [
        {"filter": "length", "keep": "top 50%"},
        {"weigh": {"random": 1.0, "length": -1.0}, "keep": "top 10"},
        {"select": "k_center", "by": "sentence"},
    ]
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    folder = RunFolder(Path("out"))
    scores = {name: Scores.read(folder.scores_by(name)) for name in ("length", "random", "sentence")}
    made = read_combined(read_pipeline(Path("p.yaml")), folder)
    assert len(rows) == 5
    assert {row["id"] for row in rows} <= {made.scores.ids[i] for i in np.flatnonzero(made.kept)}
    assert min(scores["length"].values[made.kept]) >= np.median(scores["length"].values)
    assert Scores.read(folder.scores).notes["kept"] == 10
    assert run(["select", "out", "--budget", "5", "--json", "--quiet"]) == 0  # again, from what is there
    again = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    assert [row["id"] for row in again] == [row["id"] for row in rows]
    assert run(["select", "out", "--budget", "2", "--pin", rows[0]["id"], "--quiet"]) == 0


@pytest.mark.parametrize(
    ("steps", "words", "text"),
    [
        (STEPS, ["--scorer", "length"], "a pipeline names scorers and selector itself; leave out --scorer and --selector"),
        (STEPS, ["--budget", "11"], ("the steps of the pipeline leave 10 rows, fewer than the budget of 11; "
            "keep more rows, or give --budget 10 or less")),
        ("- {filter: lenght, keep: top 2}", [], "unknown scorer 'lenght'; did you mean 'length'?"),
        (
            "- {weigh: {length: 1, sentence: 1}, keep: top 9}\n- {select: k_centre}", [],
            "unknown selector 'k_centre'; did you mean 'k_center'?",
        ),
        (
            "- {filter: length, keep: top 9}\n- {select: k_center}", [],
            ("the selector 'k_center' looks at the rows' vectors, and length makes none; "
            "name a scorer that does, such as {select: k_center, by: sentence}"),
        ),
        (
            "- {weigh: {length: 1, random: 1}}\n- {select: k_center, by: sentence}", [],
            ("the selector 'k_center' looks at no scores, so that the weights decide nothing; "
            "add keep to their step, such as keep: top 10%, or select with top"),
        ),
        (STEPS, ["--set", "encoder=x"], ("the option 'encoder' is of no scorer of the pipeline; "
            "write SCORER.NAME, with one of length, random, sentence")),
    ],
)  # fmt: skip
def test_mistakes_of_a_command(pool, capsys, steps, words, text):
    Path("p.yaml").write_text(steps)
    assert run([*WORDS, *words]) == 2
    assert capsys.readouterr().err == f"suffice: {text}\n"


def test_a_run_chooses_by_steps(tiny_model_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    steps = [
        {"filter": "loss", "keep": "bottom 90%"},
        {"weigh": {"embedding": 2, "length": -1}, "keep": "top 30"},
        {"select": "round_robin"},
    ]
    recipe = read_recipe("tiny.yaml", {"selection.pipeline": steps}).with_checked_options()
    assert recipe.selection.scorer == "pipeline"
    folder = RunFolder(Path("run"))
    with folder.locked():
        folder.adopt(recipe)
        done = bring_up_to_date(folder, read_recipe(folder.recipe_file), Silent(), until="select")
    made = read_combined(recipe.selection.steps, folder)
    assert len(done.selected) == 8
    assert set(done.selected) <= set(np.flatnonzero(made.kept).tolist())
    assert made.kept.sum() == 30
    assert not read_recipe(folder.recipe_file).differences(recipe)


def test_mistakes_of_a_recipe():
    given_ = {"pool": ["p"], "target.file": "t"}
    with pytest.raises(UserError) as caught:
        read_recipe(
            "lima",
            given_
            | {"selection.scorer": "pipeline", "selection.pipeline": [{"filter": "length", "keep": "most"}]},
        )
    assert str(caught.value) == (
        "recipe lima: selection.pipeline, step 1 (filter): 'most' says not what to keep; "
        "write top 50%, bottom 2000, at least 20 or at most 3; mend the step"
    )
    steps = [{"select": "top", "by": "length"}]
    with pytest.raises(UserError) as caught:
        read_recipe("lima", given_ | {"selection.pipeline": steps, "selection.selector": "top"})
    assert str(caught.value) == (
        "recipe lima: selection: a pipeline names scorers and selector itself; "
        "leave out selection.scorer, .selector and .file; mend the recipe"
    )
