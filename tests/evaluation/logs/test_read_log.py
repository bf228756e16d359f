"""Finding out in which form a log is, and bad input of every kind."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.evaluation.logs import load_formats, read_log

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "doc_id",
    "doc_hash",
    "target_hash",
    "filter",
    "metrics",
    "acc",
    "arguments",
    "resps",
    "filtered_resps",
    "doc",
)
ANNOTATION = ("instruction", "output_1", "output_2", "generator_1", "generator_2", "preference", "annotator")


def test_formats_are_tried_in_a_fixed_order():
    assert list(load_formats()) == ["inspect_ai", "lm_eval", "alpaca_eval", "table"]


def test_nothing_at_the_path(tmp_path, refused):
    assert refused(tmp_path / "none.csv") == f"there is no log at {tmp_path / 'none.csv'}; check the path"


@pytest.mark.parametrize("name", ["", "a.txt", "a.pkl", "a.eval.bak"])
def test_no_known_form(tmp_path, name, refused):
    path = tmp_path / name
    if name:
        path.write_bytes(b"\x80\x04.")
    assert refused(path) == (
        f"{path} is in no known form of evaluation log (tried: inspect_ai, lm_eval, alpaca_eval, table); "
        "give an lm-eval folder with --log_samples, an inspect-ai log, AlpacaEval annotations, or a CSV or JSONL "
        "with --columns item=NAME,score=NAME"
    )


def test_a_score_column_makes_any_file_a_table(tmp_path):
    path = tmp_path / "annotations.json"
    row = dict.fromkeys(ANNOTATION, "x") | {"preference": 2}
    path.write_text(json.dumps([row]))
    assert read_log(path).format == "alpaca_eval"
    log = read_log(path, {"item": "instruction", "score": "preference"})
    assert (log.format, log.rows[0].score) == ("table", 2.0)


def read_or_refused(path):
    """Reads a log, which gives scores or one line that says what is wrong."""
    told, rows = "", []
    try:
        rows = read_log(path).rows
    except UserError as error:
        told = str(error)
    assert bool(rows) != bool(told)
    assert "\n" not in told
    assert all(isinstance(row.score, float) and row.score == row.score for row in rows)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.sampled_from(["a.csv", "a.tsv.gz", "a.jsonl", "a.json", "a.parquet", "a.csv.xz"]),
    st.binary(max_size=60),
)
@example("a.csv", b"item,score\n\x00,1\n")
@example("a.csv", b"\xef\xbb\xbf")
@example("a.csv", b"item,score\r1,1\r2,2")
@example("a.csv", b'item,"a\nb"\n1,1\n')
@example("a.csv", b'item,score\n"a\nb",x\n')
@example("a.json", b"{")
@example("a.json", b"[" * 5000)
@example("a.jsonl", b'{"item": 1, "score": 1e999}')
@example("a.jsonl", b'{"item": 1, "score": 1' + b"0" * 400 + b"}")
@example("a.jsonl", b'{"item": "\\ud800", "score": 1}')
def test_any_bytes_are_read_or_refused(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(data)
    read_or_refused(path)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=12), max_size=3),
    st.dictionaries(st.sampled_from(["results", "n-samples", "higher_is_better"]), JSON),
)
@example([dict.fromkeys(FIELDS, 0) | {"metrics": [["acc"]], "acc": True}], {"results": {"t": 3}})
@example(
    [{key: [[]] for key in FIELDS} | {"metrics": ["acc"], "acc": [1, 2], "resps": [[1, 2]]}],
    {"n-samples": {"t": {}}},
)
def test_any_sample_file_is_read_or_refused(tmp_path_factory, lines, results):
    folder = tmp_path_factory.mktemp("lm-eval")
    date = "2026-01-02T03-04-05.6"
    (folder / f"samples_t_{date}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / f"results_{date}.json").write_text(json.dumps(results))
    read_or_refused(folder)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(ANNOTATION[:5], JSON), optional={"preference": JSON, "annotator": JSON}
        ),
        max_size=3,
    )
)
def test_any_annotations_are_read_or_refused(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("alpaca") / "a.json"
    path.write_text(json.dumps(rows))
    read_or_refused(path)
