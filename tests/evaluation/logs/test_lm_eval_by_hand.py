"""Logs in the form of lm-evaluation-harness, made by hand: folders of all kinds, and bad files."""

from __future__ import annotations

import json

import pytest

from suffice.evaluation.logs import read_log

DATE = "2026-01-02T03-04-05.678901"
AGAIN = "run lm_eval again with --log_samples"


def line(number, acc=1.0, **more):
    return {
        "doc_id": number,
        "doc": {"question": f"q{number}"},
        "target": "yes",
        "arguments": {"gen_args_0": {"arg_0": f"q{number}", "arg_1": {"until": []}}},
        "resps": [["yes"]],
        "filtered_resps": ["yes"],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": f"{number:064x}"[::-1],
        "prompt_hash": "p",
        "target_hash": "t" * 64,
        "acc": acc,
    } | more


def write(folder, lines, task="t", date=DATE, results=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"samples_{task}_{date}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if results is not None:
        (folder / f"results_{date}.json").write_text(json.dumps(results))
    return path


def told_without_results(path):
    return f"{path} has no results file beside it: higher is taken to be better, and nothing shows whether the file is whole."


def test_a_folder_without_results_is_read_and_told(tmp_path):
    path = write(tmp_path, [line(0), line(1, 0)])
    log = read_log(tmp_path)
    assert log.notes == [told_without_results(path)]
    assert log.lower_is_better == {}
    assert [(row.task, row.metric, row.filter, row.item, row.score, row.sample) for row in log.rows] == [
        ("t", "acc", "none", "0000000000000000-tttttttt", 1.0, 0),
        ("t", "acc", "none", "1000000000000000-tttttttt", 0.0, 0),
    ]
    assert (log.rows[0].prompt, log.rows[0].reply, log.rows[0].answer) == ("q0", "yes", "yes")
    assert [row.cluster for row in log.rows] == ["0" * 64, "1" + "0" * 63]
    assert read_log(path) == type(log)(str(path), log.format, log.rows, notes=log.notes)


def test_twins_are_items_of_one_cluster(tmp_path):
    write(tmp_path, [line(0), line(1, 0, doc_hash=line(0)["doc_hash"]), line(2)])
    rows = read_log(tmp_path).rows
    assert [row.item for row in rows] == [
        "0000000000000000-tttttttt",
        "0000000000000000-tttttttt-2",
        "2000000000000000-tttttttt",
    ]
    assert rows[0].cluster == rows[1].cluster != rows[2].cluster


def test_the_newest_of_several_dates_is_read(tmp_path):
    for date, score in (
        ("2026-01-02T03-04-05.9", 0.0),
        ("2026-01-02T03-04-06", 1.0),
        ("2025-12-31T23-00-00.1", 0.5),
    ):
        write(tmp_path / "model", [line(0, score)], date=date, results={})
    log = read_log(tmp_path)
    assert [row.score for row in log.rows] == [1.0]
    assert log.notes == [
        (
            f"{tmp_path} holds task 't' 3 times; the newest is read (2026-01-02T03-04-06). "
            "Give the files as NAME=FILE,FILE where they are runs."
        )
    ]


def test_one_task_in_two_folders_is_refused(tmp_path, refused):
    write(tmp_path / "one", [line(0)])
    write(tmp_path / "two", [line(0)])
    assert refused(tmp_path) == (
        f"{tmp_path} holds task 't' in 2 folders, first {tmp_path / 'one'} and {tmp_path / 'two'}; "
        "give the folder of one model, or several as NAME=FOLDER,FOLDER where they are runs"
    )


def test_all_tasks_of_a_group_are_read(tmp_path):
    write(tmp_path, [line(0)], task="mmlu_law")
    write(
        tmp_path,
        [line(0), line(1)],
        task="mmlu_art_2",
        results={"higher_is_better": {"mmlu_art_2": {"acc": None}}},
    )
    log = read_log(tmp_path)
    assert [(row.task, row.item[0]) for row in log.rows] == [
        ("mmlu_art_2", "0"),
        ("mmlu_art_2", "1"),
        ("mmlu_law", "0"),
    ]
    assert log.lower_is_better == {}


def test_old_lists_of_arguments_are_read(tmp_path):
    write(tmp_path, [line(0, arguments=[["q", {"until": []}]]), line(1, arguments=None, filtered_resps=None)])
    assert [(row.prompt, row.reply) for row in read_log(tmp_path).rows] == [("q", "yes"), ("", "")]


def test_documents_may_have_other_metrics(tmp_path):
    write(tmp_path, [line(0), line(1, metrics=["em"], em=True), line(2, metrics=["acc", "em"], em=False)])
    rows = read_log(tmp_path).rows
    assert [(row.metric, row.item[0], row.score) for row in rows] == [
        ("acc", "0", 1.0),
        ("acc", "2", 1.0),
        ("em", "1", 1.0),
        ("em", "2", 0.0),
    ]


BAD = [
    (
        [line(0), line(1, None)],
        (
            ", line 2, acc: item '1000000000000000-tttttttt' has no score; "
            "score every item, or leave it out of every log that is compared"
        ),
    ),
    (
        [line(0), line(1, float("nan"))],
        (
            ", line 2, acc: item '1000000000000000-tttttttt' has the score nan, which is no finite number; "
            "score every item, or leave it out of every log that is compared"
        ),
    ),
    ([line(0), line(0, 0)], f", line 2: document '0' was there before, in line 1; {AGAIN}"),
    (
        [{key: value for key, value in line(0).items() if key not in ("doc_hash", "target_hash")}],
        f", line 1: the sample lacks doc_hash, target_hash; {AGAIN}, with lm-eval 0.4.2 or newer",
    ),
    (
        [line(0, metrics="acc")],
        f", line 1: the sample lacks a list of metrics; {AGAIN}, with lm-eval 0.4.2 or newer",
    ),
    ([7], ", line 1: 7 is no object; write one object for each score"),
    ([], f" holds 0 of 1 documents; {AGAIN}: it is cut short"),
    (
        [line(0), line(1), line(0, filter="other")],
        f" holds 1 of 2 documents; {AGAIN}: it is cut short",
    ),
]


@pytest.mark.parametrize(("lines", "message"), BAD)
def test_bad_sample_files_are_refused(tmp_path, lines, message, refused):
    path = write(tmp_path, lines)
    assert refused(tmp_path) == f"{path}{message}"


def test_a_folder_with_no_metric_of_items_is_refused(tmp_path, refused):
    write(tmp_path, [line(0, [1, 2])], results={"results": {"t": {"acc,none": 0.5}}})
    assert refused(tmp_path) == f"{tmp_path} has no metric with a score for each item; {AGAIN}"


def test_results_that_are_no_json_are_refused(tmp_path, refused):
    write(tmp_path, [line(0)])
    (tmp_path / f"results_{DATE}.json").write_text("{")
    told = refused(tmp_path)
    assert told.startswith(
        f"{tmp_path / f'results_{DATE}.json'} cannot be read as JSON: Expecting property name"
    )


def test_a_line_that_is_no_json_is_refused(tmp_path, refused):
    path = write(tmp_path, [line(0)])
    path.write_text(path.read_text() + '{"doc_id": 1,')
    assert refused(tmp_path) == (
        f"{path}, line 2: the line is no JSON: Expecting property name enclosed in double quotes (column 14); "
        "write or fetch the log anew"
    )


def test_only_the_cluster_may_be_named(tmp_path, refused):
    write(tmp_path, [line(0)])
    assert (
        refused(tmp_path, {"run": "seed"}) == "unknown column of an lm-eval log 'run'; choose one of: cluster"
    )
