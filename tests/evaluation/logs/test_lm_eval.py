"""Logs that lm-evaluation-harness really wrote, on the lab's base and on noisy copies of it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from suffice.common.errors import UserError
from suffice.evaluation.logs import read_log
from suffice.evaluation.logs.align import align, not_shared
from suffice.evaluation.logs.arms import load_arms

ITEMS = 20


def reported(folder):
    (path,) = folder.rglob("results_*.json")
    return json.loads(path.read_text())["results"]


def sample_lines(folder, task):
    (path,) = folder.rglob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_means_are_those_that_it_reports(harness_logs, means):
    log = read_log(harness_logs / "base")
    results = reported(harness_logs / "base")
    assert log.format == "lm_eval"
    found = means(log)
    assert sorted(found) == [
        ("lab_choice", "acc", "none"),
        ("lab_each", "hit", "both"),
        ("lab_likelihood", "acc", "none"),
        ("lab_match", "exact_match", "last-word"),
        ("lab_match", "exact_match", "vote"),
    ]
    for (task, metric, filter_), mean in found.items():
        assert mean == pytest.approx(results[task][f"{metric},{filter_}"], abs=1e-12)
    assert 0 < found["lab_choice", "acc", "none"] < 1
    assert log.lower_is_better["lab_choice", "acc"] is False
    assert log.lower_is_better["lab_likelihood", "perplexity"] is True


def test_leaves_out_what_is_no_mean_of_items(harness_logs):
    notes = read_log(harness_logs / "base").notes
    results = reported(harness_logs / "base")
    likelihoods = [line["perplexity"] for line in sample_lines(harness_logs / "base", "lab_likelihood")]
    assert notes == [
        (
            "Metric 'brier_score' of task 'lab_choice' (filter 'none') is left out: lm-eval makes it of all items together, "
            "so that items cannot be compared."
        ),
        (
            "Metric 'perplexity' of task 'lab_likelihood' (filter 'none') is left out: lm-eval makes it of all items "
            f"together ({results['lab_likelihood']['perplexity,none']:.6g}; the mean of the items is "
            f"{np.mean(likelihoods):.6g}), so that items cannot be compared."
        ),
    ]


def test_arms_are_aligned_by_document(harness_logs, tmp_path):
    """The matrices against a join by hand, with the lines of one run in another order."""
    shuffled = tmp_path / "noisy-2"
    shutil.copytree(harness_logs / "noisy-2", shuffled)
    (path,) = shuffled.rglob("samples_lab_match_*.jsonl")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[::-1]) + "\n")
    arms = load_arms([f"base={harness_logs / 'base'}", f"noisy={harness_logs / 'noisy-1'},{shuffled}"])
    found = {(one.task, one.metric, one.filter): one for one in align(arms)}
    assert len(found) == 5
    assert not_shared(arms) == []
    for filter_ in ("last-word", "vote"):
        one = found["lab_match", "exact_match", filter_]
        assert {name: scores.shape for name, scores in one.arms.items()} == {
            "base": (1, ITEMS),
            "noisy": (2, ITEMS),
        }
        assert one.warnings == []
        assert not one.aggregates
        for name, run, folder in (("base", 0, "base"), ("noisy", 0, "noisy-1"), ("noisy", 1, "noisy-2")):
            by_prompt = {
                line["arguments"]["gen_args_0"]["arg_0"]: line["exact_match"]
                for line in sample_lines(harness_logs / folder, "lab_match")
                if line["filter"] == filter_
            }
            assert one.arms[name][run].tolist() == [by_prompt[prompt] for prompt in one.prompts]


def test_repeats_are_samples(harness_logs):
    log = read_log(harness_logs / "noisy-1")
    rows = [row for row in log.rows if row.task == "lab_each"]
    assert len(rows) == 2 * ITEMS
    assert {row.sample for row in rows} == {0, 1}
    raw = {line["doc_hash"][:16]: line for line in sample_lines(harness_logs / "noisy-1", "lab_each")}
    for row in rows:
        line = raw[row.item.split("-")[0]]
        assert (row.score, row.reply) == (line["hit"][row.sample], line["resps"][0][row.sample])
    assert any(line["resps"][0][0] != line["resps"][0][1] for line in raw.values())
    one = next(
        one
        for one in align(load_arms([str(harness_logs / "base"), str(harness_logs / "noisy-1")]))
        if one.task == "lab_each"
    )
    assert one.warnings == [
        "Answers to one item in one run are averaged and do not count as runs ('base' 2, 'noisy-1' 2 an item)."
    ]
    assert one.arms["noisy-1"].tolist() == [
        [np.mean([row.score for row in rows if row.item == item]) for item in one.items]
    ]


def test_texts_of_choices(harness_logs):
    rows = [row for row in read_log(harness_logs / "base").rows if row.task == "lab_choice"]
    lines = sample_lines(harness_logs / "base", "lab_choice")
    for row, line in zip(rows, lines, strict=True):
        best = np.argmax([float(pair[0]) for pair in line["filtered_resps"]])
        assert row.reply == line["arguments"][f"gen_args_{best}"]["arg_1"]
        assert (row.prompt, row.answer) == (line["doc"]["question"], "0")
        assert row.score == float(best == 0)


def test_other_prompts_warn(harness_logs):
    arms = load_arms([str(harness_logs / "base"), str(harness_logs / "reworded")])
    (one,) = align(arms)
    assert (one.task, one.metric) == ("lab_choice", "acc")
    assert one.warnings == ["20 of 20 prompts differ between 'base' and 'reworded'."]
    lacking = f"'reworded' (run '{harness_logs / 'reworded'}')"
    assert not_shared(arms) == [
        f"Not compared, since {lacking} lacks it: task 'lab_each', metric 'hit', filter 'both'.",
        f"Not compared, since {lacking} lacks it: task 'lab_likelihood', metric 'acc', filter 'none'.",
        f"Not compared, since {lacking} lacks it: task 'lab_match', metric 'exact_match', filter 'last-word'.",
        f"Not compared, since {lacking} lacks it: task 'lab_match', metric 'exact_match', filter 'vote'.",
    ]


def test_cluster_may_be_a_field_of_the_documents(harness_logs):
    log = read_log(harness_logs / "base", {"cluster": "gold"})
    assert {row.cluster for row in log.rows} == {"0"}
    with pytest.raises(UserError) as error:
        read_log(harness_logs / "base", {"cluster": "passage"})
    (path,) = (harness_logs / "base").rglob("samples_lab_choice_*.jsonl")
    assert str(error.value) == (
        f"{path}, line 1: the document has no field 'passage' (asked for as cluster); "
        "choose from: question, answer, choices, gold"
    )


def test_file_that_is_cut_short(harness_logs, tmp_path):
    shutil.copytree(harness_logs / "base", tmp_path / "base")
    (path,) = (tmp_path / "base").rglob("samples_lab_choice_*.jsonl")
    path.write_text("\n".join(path.read_text().splitlines()[:12]) + "\n")
    with pytest.raises(UserError) as error:
        read_log(tmp_path / "base")
    assert str(error.value) == (
        f"{path} holds 12 of 20 documents; run lm_eval again with --log_samples: it is cut short"
    )
