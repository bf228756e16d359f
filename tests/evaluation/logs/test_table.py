"""Tables of scores: CSV, TSV, JSON Lines, JSON and Parquet, with named columns."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.evaluation.logs import read_log
from suffice.evaluation.logs.table import COLUMNS, parse_columns

ROWS = [{"id": f"q{i}", "ok": i % 2, "seed": 7, "text": f"ä, {i}\nmore"} for i in range(4)]
NAMED = {"item": "id", "score": "ok", "run": "seed", "prompt": "text"}


def csv_text(rows, **options):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), **options)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def parquet_bytes(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = csv_text(ROWS).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", CSV),
        ("a.CSV", b"\xef\xbb\xbf" + CSV),
        ("a.csv", CSV.replace(b"\r\n", b"\r\n\r\n")),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.csv.xz", lzma.compress(CSV)),
        ("a.tsv", csv_text(ROWS, delimiter="\t").encode()),
        ("a.jsonl", LINES),
        ("a.jsonl.gz", gzip.compress(LINES, mtime=0)),
        ("a.json", json.dumps(ROWS).encode()),
        ("a.parquet", parquet_bytes(ROWS)),
    ],
)
def test_containers(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    log = read_log(path, NAMED)
    assert (log.format, log.aggregates, log.notes) == ("table", False, [])
    assert [(row.item, row.score, row.run, row.prompt) for row in log.rows] == [
        (row["id"], float(row["ok"]), "7", row["text"]) for row in ROWS
    ]
    assert {(row.task, row.metric, row.filter, row.sample) for row in log.rows} == {("", "ok", "", 0)}
    assert [row.cluster for row in log.rows] == [row.item for row in log.rows]


def test_columns_that_bear_their_own_name_need_no_mention(tmp_path):
    names = [name for name in COLUMNS if name != "arm"]
    row = {name: name for name in names} | {"score": "0.5", "sample": "3"}
    path = tmp_path / "a.csv"
    path.write_text(csv_text([row]))
    (found,) = read_log(path).rows
    assert found._asdict() == row | {
        "score": 0.5, "sample": 3, "arm": "", "order": "", "difficulty": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1", 1),
        ("0.25", 0.25),
        (" -3e-2 ", -0.03),
        ("true", 1),
        ("False", 0),
        ("TRUE", 1),
        ("38.29238123310137", None),
    ],
)
def test_scores_as_text(tmp_path, text, score):
    path = tmp_path / "a.csv"
    path.write_text(f"item,score\na,{text}\n")
    assert read_log(path).rows[0].score == (float(text) if score is None else score)


def test_without_items_a_row_is_the_average_of_a_run(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("dataset,method,seed,acc\nbbh,A,0,38.5\nbbh,A,1,39\nbbh,B,0,37\ntydiqa,A,0,50\n")
    log = read_log(path, {"task": "dataset", "arm": "method", "run": "seed", "score": "acc"})
    assert log.aggregates
    assert [(row.task, row.metric, row.arm, row.run, row.item, row.score) for row in log.rows] == [
        ("bbh", "acc", "A", "0", "", 38.5),
        ("bbh", "acc", "A", "1", "", 39.0),
        ("bbh", "acc", "B", "0", "", 37.0),
        ("tydiqa", "acc", "A", "0", "", 50.0),
    ]


BAD_SCORE = "which is no finite number; score every item, or leave it out of every log that is compared"


@pytest.mark.parametrize(
    ("name", "data", "columns", "message"),
    [
        ("a.csv", "", {}, " has no rows; give a table with one score a row"),
        ("a.csv", "item,score\n", {}, " has no rows; give a table with one score a row"),
        ("a.jsonl", "", {}, " has no rows; give a table with one score a row"),
        (
            "a.csv",
            "item,acc\na,1\n",
            {},
            " has no column 'score'; name it with --columns score=NAME, from: item, acc",
        ),
        (
            "a.csv",
            "id,score\na,1\n",
            {"item": "name"},
            " has no column 'name' (asked for as item); choose from: id, score",
        ),
        ("a.csv", "item,score\na,nan\n", {}, f", line 2: item 'a' has the score nan, {BAD_SCORE}"),
        ("a.csv", "item,score\na,inf\n", {}, f", line 2: item 'a' has the score inf, {BAD_SCORE}"),
        ("a.csv", "item,score\na,high\n", {}, f", line 2: item 'a' has the score 'high', {BAD_SCORE}"),
        ("a.csv", "item,score\na,1_0\n", {}, f", line 2: item 'a' has the score '1_0', {BAD_SCORE}"),
        (
            "a.csv",
            "item,score\na,1\nb,\n",
            {},
            ", line 3: item 'b' has no score; score every item, or leave it out of every log that is compared",
        ),
        ("a.jsonl", '{"item": "a", "score": [1]}', {}, f", line 1: item 'a' has the score [1], {BAD_SCORE}"),
        (
            "a.jsonl",
            '{"item": "a", "score": 1}\n{"item": "b"}',
            {},
            ", line 2: item 'b' has no score; score every item, or leave it out of every log that is compared",
        ),
        ("a.csv", "item,score\n,1\n", {}, ", line 2: the row has no item; fill in the column 'item'"),
        (
            "a.csv",
            "id,n,ok\na, ,1\n",
            {"item": "id", "run": "n", "score": "ok"},
            ", line 2: the row has no run; fill in the column 'n'",
        ),
        (
            "a.csv",
            "item,score\na,1\nb,1\na,0\n",
            {},
            (
                ", line 4: item 'a' was there before, in line 2; "
                "number repeated answers in a column and name it with --columns sample=NAME"
            ),
        ),
        (
            "a.csv",
            "item,run,score\na,x,1\na,x,0\n",
            {},
            (
                ", line 3: item 'a' was there before, in line 2 (run 'x'); "
                "number repeated answers in a column and name it with --columns sample=NAME"
            ),
        ),
        (
            "a.csv",
            "run,score\n0,1\n0,0\n",
            {},
            (
                ", line 3: the run was there before, in line 2 (run '0'); name the column that tells items "
                "(--columns item=NAME), runs (run=NAME) or conditions (filter=NAME) apart"
            ),
        ),
        (
            "a.csv",
            "item,sample,score\na,one,1\n",
            {},
            ", line 2: the sample 'one' is no whole number; number repeated answers 0, 1, 2 and so on",
        ),
        (
            "a.csv",
            "item,sample,score\na,0.5,1\n",
            {},
            ", line 2: the sample '0.5' is no whole number; number repeated answers 0, 1, 2 and so on",
        ),
        (
            "a.csv",
            "item,score\na,1,2\n",
            {},
            ", line 2: the row has 3 fields, and the header 2; put text with commas into quotes",
        ),
        ("a.csv", "item,item,score\na,b,1\n", {}, " has two columns 'item'; rename one of them"),
        (
            "a.csv",
            'item,score\n"a"b,1\n',
            {},
            " cannot be read as a table: ',' expected after '\"'; save it as comma-separated text in UTF-8",
        ),
        (
            "a.csv",
            b"item,score\n\xff,1\n",
            {},
            (
                " cannot be read as a table: 'utf-8' codec can't decode byte 0xff in position 11: invalid start byte; "
                "save it as comma-separated text in UTF-8"
            ),
        ),
        (
            "a.csv.gz",
            gzip.compress(CSV, mtime=0)[:-9],
            {},
            (
                " cannot be read as a table: Compressed file ended before the end-of-stream marker was reached; "
                "save it as comma-separated text in UTF-8"
            ),
        ),
        ("a.jsonl", "[1]\n[2]", {}, ", line 1: [1] is no object; write one object for each score"),
        (
            "a.json",
            '[{"item": "a", "score": 1}, {"item"',
            {},
            ", row 2: nothing can be read from byte 35 on (Expecting ':' delimiter); write or fetch the log anew",
        ),
    ],
)
def test_bad_tables_are_refused(tmp_path, name, data, columns, message, refused):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    assert refused(path, columns) == f"{path}{message}"


def test_unknown_columns_are_refused(tmp_path, refused):
    path = tmp_path / "a.csv"
    path.write_text("item,score\na,1\n")
    assert refused(path, {"scores": "score"}) == "unknown column 'scores'; did you mean 'score'?"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), st.floats(-9, 9)
        ),
        min_size=1,
        unique_by=lambda pair: pair[0],
    )
)
def test_a_csv_gives_back_what_was_written(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    rows = [{"item": f"i{text}", "score": repr(score)} for text, score in pairs]
    path.write_text(csv_text(rows), encoding="utf-8", newline="")
    assert [(row.item, row.score) for row in read_log(path).rows] == [
        (f"i{text}", score) for text, score in pairs
    ]


def test_parsing_columns():
    assert parse_columns("item=id, score = correct ,run=seed,") == {
        "item": "id",
        "score": "correct",
        "run": "seed",
    }
    assert parse_columns("prompt=a=b") == {"prompt": "a=b"}
    assert parse_columns("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item", "'item' in --columns names no column; write it as item=NAME,score=NAME"),
        ("item=", "'item=' in --columns names no column; write it as item=NAME,score=NAME"),
        ("items=id", "unknown column 'items'; did you mean 'item'?"),
        ("item=a,item=b", "--columns names two columns for 'item'; give one"),
    ],
)
def test_bad_columns_are_refused(text, message):
    with pytest.raises(UserError) as error:
        parse_columns(text)
    assert str(error.value) == message


def test_the_same_seed_on_two_draws_is_two_runs(tmp_path, refused):
    rows = [{"item": "x", "score": 1, "seed": 0, "draw": draw} for draw in (0, 1)]
    path = tmp_path / "a.csv"
    path.write_text(csv_text(rows))
    log = read_log(path, {"run": "seed"})
    assert [(row.run, row.draw) for row in log.rows] == [("0", "0"), ("0", "1")]
    path.write_text(csv_text([*rows, rows[0]]))
    assert "item 'x' was there before, in line 2 (run '0')" in refused(path, {"run": "seed"})
    path.write_text(csv_text([rows[0], rows[1] | {"draw": ""}]))
    assert refused(path, {"run": "seed"}) == (
        f"{path}, line 3: the row has no draw; fill in the column 'draw'"
    )
