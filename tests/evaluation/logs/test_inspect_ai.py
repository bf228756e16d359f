"""Logs of inspect-ai: really written by it on the lab's base, and edited or damaged copies of them."""

from __future__ import annotations

import json
import logging
import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.evaluation.logs import read_log
from suffice.evaluation.logs.align import align
from suffice.evaluation.logs.arms import load_arms
from suffice.evaluation.logs.inspect_ai import as_score

ITEMS = 20
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning")


@pytest.mark.parametrize("name", ["base.eval", "noisy.json"])
def test_means_are_those_that_it_reports(inspect_logs, name, means):
    from inspect_ai.log import read_eval_log

    log = read_log(inspect_logs / name)
    assert (log.format, log.notes) == ("inspect_ai", [])
    found = means(log)
    results = {score.name: score.metrics for score in read_eval_log(str(inspect_logs / name)).results.scores}
    assert sorted(metric for _, metric, _ in found) == ["includes", "shape.ended", "shape.words"]
    assert found["lab", "includes", ""] == pytest.approx(results["includes"]["accuracy"].value)
    assert found["lab", "shape.words", ""] == pytest.approx(results["words"]["mean"].value)
    assert found["lab", "shape.ended", ""] == pytest.approx(results["ended"]["mean"].value)


def test_epochs_are_averaged(inspect_logs, questions):
    arms = load_arms(
        [str(inspect_logs / "base.eval"), str(inspect_logs / "noisy.json")], {"cluster": "family"}
    )
    one = next(one for one in align(arms) if one.metric == "shape.words")
    assert sorted(one.items) == sorted(row["id"] for row in questions)
    assert {name: scores.shape for name, scores in one.arms.items()} == {
        "base": (1, ITEMS),
        "noisy": (1, ITEMS),
    }
    assert one.clusters == [item.split("-")[0] for item in one.items]
    asked = {row["id"]: row["prompt"] for row in questions}
    assert one.prompts == [asked[item] for item in one.items]
    rows = [row for row in read_log(inspect_logs / "noisy.json").rows if row.metric == "shape.words"]
    assert {row.sample for row in rows} == {0, 1}
    assert all(row.score == len(row.reply.split()) for row in rows)
    assert len({row.reply for row in rows}) > ITEMS  # the epochs really differ
    averages = [np.mean([row.score for row in rows if row.item == item]) for item in one.items]
    assert one.arms["noisy"].tolist() == [averages]


@pytest.fixture
def edited(inspect_logs, tmp_path):
    """Writes a copy of ``noisy.json`` that a function has changed, and returns its path."""

    def write(change, name="log.json"):
        log = json.loads((inspect_logs / "noisy.json").read_text())
        change(log)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(log))
        return path

    return write


def put(value, *places):
    """A change that puts a value at a place in the log."""

    def change(log):
        for place in places[:-1]:
            log = log[place]
        log[places[-1]] = value

    return change


FIRST_SCORE = ("samples", 0, "scores", "includes", "value")
AGAIN = "run the evaluation again, or finish it with `inspect eval-retry`"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("error", "status"), " is the log of an evaluation that ended as 'error'; " + AGAIN),
        (put("started", "status"), " is the log of an evaluation that ended as 'started'; " + AGAIN),
        (put(True, "invalidated"), " is the log of an evaluation that was invalidated; " + AGAIN),
        (put([], "samples"), " has no samples; run the evaluation with log_samples"),
        (
            put({}, "samples", 0, "scores"),
            ", sample 'arith-test-1', epoch 1: the sample has no score; " + AGAIN,
        ),
        (
            lambda log: log["samples"][0].update(
                scores=None, error={"message": "m", "traceback": "t", "traceback_ansi": "t"}
            ),
            ", sample 'arith-test-1', epoch 1: the sample ended in an error; " + AGAIN,
        ),
        (
            put(math.nan, *FIRST_SCORE),
            (
                ", sample 'arith-test-1', epoch 1, includes: item 'arith-test-1' has the score nan, which is no finite "
                "number; score every item, or leave it out of every log that is compared"
            ),
        ),
        (
            put("A", *FIRST_SCORE),
            (
                ", sample 'arith-test-1', epoch 1, includes: item 'arith-test-1' has the score 'A', which is no finite "
                "number; score every item, or leave it out of every log that is compared"
            ),
        ),
        (
            put([1, 0], *FIRST_SCORE),
            (
                ", sample 'arith-test-1', epoch 1: scorer 'includes' gives [1, 0], which is no single number; "
                "score with one number, or an object of numbers, for each sample"
            ),
        ),
        (
            put(None, "samples", 0, "scores", "shape", "value", "words"),
            (
                ", sample 'arith-test-1', epoch 1, shape.words: item 'arith-test-1' has no score; "
                "score every item, or leave it out of every log that is compared"
            ),
        ),
        (
            lambda log: log["samples"].append(log["samples"][0]),
            (
                ", sample 'arith-test-1', epoch 1: item 'arith-test-1' was there before, in sample 'arith-test-1', epoch 1; "
                "give every sample of the dataset an id of its own"
            ),
        ),
    ],
)
def test_logs_that_are_refused(edited, change, message, refused):
    path = edited(change)
    assert refused(path) == f"{path}{message}"


def test_words_become_numbers(edited):
    values = ["C", "I", "P", "N", True, False, "yes", "No", "0.25", -2]

    def change(log):
        for sample, value in zip(log["samples"], values, strict=False):
            sample["scores"]["includes"]["value"] = value

    rows = [row for row in read_log(edited(change)).rows if row.metric == "includes"]
    assert [row.score for row in rows[: len(values)]] == [1, 0, 0.5, 0, 1, 0, 1, 0, 0.25, -2]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.sampled_from(
            ["C", "I", "P", "N", "c", "yes", "NO", "True", "false", "", "nan", "inf", "1_0", " 2 "]
        ),
        st.floats(),
        st.integers(-(10**6), 10**6),
        st.booleans(),
        st.text(max_size=5),
        st.floats(allow_nan=False, allow_infinity=False).map(str),
    )
)
def test_scores_are_as_its_own_function_makes_them(value):
    """Where inspect-ai finds no number it warns and gives 0, and here there is none."""
    metric = pytest.importorskip("inspect_ai.scorer._metric")
    warnings = []
    handler = logging.Handler()
    handler.emit = warnings.append
    metric.logger.addHandler(handler)
    try:
        theirs = metric.value_to_float()(value)
    finally:
        metric.logger.removeHandler(handler)
    expected = None if warnings or not math.isfinite(theirs) else theirs
    assert as_score(value) == expected


def test_reducer_is_told(edited):
    path = edited(put(["max"], "eval", "config", "epochs_reducer"))
    assert read_log(path).notes == [f"{path}: inspect-ai reduced epochs by max; here they are averaged."]
    assert read_log(edited(put(["mean"], "eval", "config", "epochs_reducer"))).notes == []


def test_cluster_must_be_in_the_metadata(edited, refused):
    path = edited(lambda log: None)
    assert refused(path, {"cluster": "topic"}) == (
        f"{path}, sample 'arith-test-1', epoch 1: the metadata have no 'topic' (asked for as cluster); "
        "choose from: family"
    )
    assert (
        refused(path, {"item": "id"}) == "unknown column of an inspect-ai log 'item'; choose one of: cluster"
    )


@pytest.mark.parametrize("name", ["noisy.json", "base.eval"])
def test_log_that_is_damaged(inspect_logs, tmp_path, name, refused):
    data = (inspect_logs / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    told = refused(path)
    assert told.startswith(f"{path} cannot be read as an inspect-ai log: ")
    assert told.endswith("; fetch or write the log anew")
    assert "\n" not in told


def test_folder_gives_the_newest_of_each_task(edited, tmp_path):
    edited(put("2026-01-02T00:00:00+00:00", "eval", "created"), "logs/b.json")
    edited(put("2026-01-01T00:00:00+00:00", "eval", "created"), "logs/a.json")
    failed = edited(put("cancelled", "status"), "logs/c.json")
    (tmp_path / "logs/logs.json").write_text("{}")  # inspect-ai keeps lists of its logs beside them
    log = read_log(tmp_path / "logs")
    assert log.notes == [
        f"{failed} is passed over: its evaluation ended as 'cancelled'.",
        (
            f"{tmp_path / 'logs'} holds task 'lab' 2 times; the newest is read (b.json). "
            "Give the files as NAME=FILE,FILE where they are runs."
        ),
    ]
    assert len(log.rows) == 3 * 2 * ITEMS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("other", "eval", "model"),
            "holds logs of 2 models: other, suffice_lab/noisy; give the logs of one model, or each arm as NAME=FILE,FILE",
        ),
        (
            put({"k": 1}, "eval", "task_args"),
            "holds task 'lab' with several sets of task arguments; give the files one by one, as NAME=FILE",
        ),
    ],
)
def test_folder_of_other_things(edited, tmp_path, change, message, refused):
    edited(lambda log: None, "logs/a.json")
    edited(change, "logs/b.json")
    assert refused(tmp_path / "logs") == f"{tmp_path / 'logs'} {message}"


def test_folder_without_a_finished_log(edited, tmp_path, refused):
    edited(put("error", "status"), "logs/a.json")
    assert refused(tmp_path / "logs") == f"{tmp_path / 'logs'} has no finished inspect-ai log; {AGAIN}"


def test_arms_with_other_samples_are_refused(edited, inspect_logs):
    path = edited(put(["x"], "samples", 0, "target"))
    cut = edited(lambda log: log.update(samples=log["samples"][1:20] + log["samples"][21:]), "cut.json")
    arms = load_arms([str(inspect_logs / "base.eval"), f"cut={cut}"])
    with pytest.raises(UserError) as error:
        align(arms)
    assert "lacks 1 of 20: 'arith-test-1' (" in str(error.value)
    arms = load_arms([str(inspect_logs / "base.eval"), f"other={path}"])
    assert "1 of 20 answers differ between 'base' and 'other'." in align(arms)[0].warnings


def test_it_may_be_missing(tmp_path, monkeypatch, refused):
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    path = tmp_path / "a.eval"
    path.write_bytes(b"PK")
    assert refused(path) == (
        f"{path} is a log of inspect-ai, which is not installed to read it; run pip install 'suffice[evaluators]'"
    )
