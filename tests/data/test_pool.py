"""The pool: reading files into it, accounts that add up, and its form on disk."""

import gzip
import hashlib
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.data import convert
from suffice.data import pool as pool_module
from suffice.data.example import Example, content_id
from suffice.data.pool import FileReading, Pool, Terms, read_pool
from suffice.data.rejected import Rejected
from suffice.data.rules import NOT_JSON, RowError


def qa(number, **more):
    return {"question": f"q{number}", "answer": f"a{number}", **more}


def write(path, rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def user_error(patterns, **options):
    with pytest.raises(UserError) as caught:
        read_pool(patterns, **options)
    return str(caught.value)


def test_a_row_becomes_an_example(tmp_path):
    path = write(
        tmp_path / "set.jsonl", [qa(1, source=" forum ", license="MIT"), qa(2, source=7, license="")]
    )
    first, second = read_pool([path]).pool
    messages = ({"role": "user", "content": "q1"}, {"role": "assistant", "content": "a1"})
    assert first == Example(content_id(messages), messages, None, "forum", "MIT", str(path), 1)
    assert (second.source, second.license, second.line) == ("set", None, 2)
    assert first.answer == "a1"


def test_the_id_is_a_hash_of_messages_and_tools():
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "ä"}]
    canonical = rb'[[{"content":"q","role":"user"},{"content":"\u00e4","role":"assistant"}],null]'
    assert (
        content_id(messages) == content_id(tuple(messages), []) == hashlib.sha256(canonical).hexdigest()[:16]
    )
    assert content_id(messages, [{"type": "function"}]) != content_id(messages)


@given(st.text(st.characters(), max_size=20))
def test_the_id_of_any_text_is_the_digest_of_its_canonical_form(text):
    messages = [{"role": "user", "content": text}]
    assert content_id(messages) == digest([messages, None])[:16]


def test_answer_joins_all_assistant_turns():
    turns = (
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "b"},
    )
    assert Example("x", turns, None, "s", None, "f", 1).answer == "a\nb"


def test_mixed_files_and_bad_rows_add_up(tmp_path):
    mixed = write(
        tmp_path / "mixed.jsonl",
        [
            qa(1),
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
            "{oops",
            "",
            [1, 2],
            "null",
            qa(2),
            {"instruction": "i", "output": ""},
            {"text": "once upon a time"},
        ],
    )
    other = tmp_path / "other.json.gz"
    other.write_bytes(gzip.compress(json.dumps([{"instruction": "i", "output": "o"}]).encode()))
    reading = read_pool([mixed, other])
    assert [(example.source, example.line) for example in reading.pool] == [
        ("mixed", 1),
        ("mixed", 2),
        ("mixed", 7),
        ("other", 1),
    ]
    assert reading.files == [
        FileReading(str(mixed), "question_answer", 8, 3, 5),
        FileReading(str(other), "alpaca", 1, 1, 0),
    ]
    assert [(row.line, row.rule, row.message, row.row) for row in reading.rejected] == [
        (
            3,
            "E100 not-json",
            "the line is no JSON: Expecting property name enclosed in double quotes (column 2)",
            "{oops",
        ),
        (5, "E114 not-an-object", "the row is a list, not an object", [1, 2]),
        (6, "E114 not-an-object", "the row is null, not an object", None),
        (8, "E101 empty-answer", "turn 2, of the assistant, has no text", {"instruction": "i", "output": ""}),
        (9, "E106 unknown-format", "no known format has the fields 'text'", {"text": "once upon a time"}),
    ]


def test_the_format_of_the_file_decides_where_a_row_fits_two(tmp_path):
    both = {"messages": [{"role": "user", "content": "m"}, {"role": "assistant", "content": "m"}], **qa(9)}
    assert read_pool([write(tmp_path / "a.jsonl", [both])]).pool[0].messages[0]["content"] == "m"
    few = read_pool([write(tmp_path / "b.jsonl", [qa(1), qa(2), both])])
    assert few.files[0].format == "question_answer"
    assert few.pool[2].messages[0]["content"] == "q9"


def test_twins_are_told_apart_by_their_place(tmp_path):
    path = write(tmp_path / "a.jsonl", [qa(1), qa(2), qa(1), qa(1)])
    again = write(tmp_path / "b.jsonl", [qa(2)])
    ids = read_pool([path, again]).pool.ids
    one, two = ids[:2]
    assert ids == [one, two, f"{one}-2", f"{one}-3", f"{two}-2"]


def test_twins_are_rejected_where_asked(tmp_path):
    reading = read_pool([write(tmp_path / "a.jsonl", [qa(1), qa(2), qa(1)])], terms=Terms(reject_twins=True))
    assert len(reading.pool) == 2
    (row,) = reading.rejected
    assert (row.line, row.rule) == (3, "E110 exact-twin")
    assert row.message == f"the row says what the row with the id {reading.pool.ids[0]} says"


def test_no_usable_row(tmp_path):
    empty = write(tmp_path / "empty.jsonl", [])
    bad = write(
        tmp_path / "bad.jsonl", [{"instruction": "i", "output": ""}, "{", {"instruction": "j", "output": ""}]
    )
    assert user_error([empty]) == f"the pool is empty: no row in {empty}; give a file with rows"
    assert user_error([bad]) == (
        f"no usable row among 3 in {bad}; most often E101 empty-answer "
        f"(2 rows, first {bad}, line 1: turn 2, of the assistant, has no text); fill in the answer or remove the row"
    )


def test_many_empty_files_are_not_all_named(tmp_path):
    for name in "abcde":
        write(tmp_path / f"{name}.jsonl", [])
    at = tmp_path
    assert user_error([f"{at}/*.jsonl"]) == (
        f"the pool is empty: no row in {at}/a.jsonl, {at}/b.jsonl, {at}/c.jsonl and 2 more; give a file with rows"
    )


def test_a_missing_file(tmp_path):
    at = write(tmp_path / "train.jsonl", [qa(1)]).parent
    assert user_error([f"{at}/trian.jsonl"]) == f"no file {at}/trian.jsonl; did you mean '{at}/train.jsonl'?"


@pytest.fixture
def pool(tmp_path, monkeypatch):
    for module in (convert, pool_module):
        monkeypatch.setattr(module, "BATCH", 4)  # several batches
    tools = [{"type": "function", "function": {"name": "f"}}]
    rows = [qa(number, source=f"s{number % 3}") for number in range(11)]
    rows[5] = {
        "messages": [{"role": "user", "content": "ü\u2028"}, {"role": "assistant", "content": "a"}],
        "tools": tools,
    }
    return read_pool([write(tmp_path / "a.jsonl", rows)]).pool


def test_access_by_place_and_in_order_agree(pool):
    assert len(pool) == 11
    assert [pool[i] for i in range(11)] == list(pool)
    assert pool[-1] == pool[10]
    assert pool.ids == [example.id for example in pool]
    assert pool.sources == [example.source for example in pool]
    assert pool[5].tools == ({"type": "function", "function": {"name": "f"}},)
    with pytest.raises(IndexError):
        pool[11]


def test_a_pool_on_disk_is_the_same_pool(pool, tmp_path):
    pool.write(tmp_path / "run" / "pool.parquet")
    again = Pool.read(tmp_path / "run" / "pool.parquet")
    assert list(again) == list(pool) == list(Pool.from_examples(pool))
    assert again.fingerprint == pool.fingerprint


def test_the_fingerprint_depends_on_rows_order_and_sources(pool):
    assert pool.take(range(11)).fingerprint == pool.fingerprint
    assert pool.take([1, 0, *range(2, 11)]).fingerprint != pool.fingerprint
    assert pool.take(range(10)).fingerprint != pool.fingerprint
    assert [example.line for example in pool.take([3, 1])] == [4, 2]
    assert list(pool.take([])) == []


def test_a_pool_file_that_is_none(pool, tmp_path):
    path = tmp_path / "pool.parquet"
    with pytest.raises(UserError, match=r"no pool file .*pool.parquet; read the pool first"):
        Pool.read(path)
    path.write_bytes(b"PAR1 this is not it")
    with pytest.raises(
        UserError, match=r"pool.parquet is no Parquet file or damaged; remove it and read the pool again"
    ):
        Pool.read(path)
    pq.write_table(pa.table({"id": ["x"]}), path)
    with pytest.raises(UserError, match=r"pool.parquet has other columns than a pool; remove it"):
        Pool.read(path)


def test_rejected_rows_are_bounded_and_plain_json():
    def shown(row):
        return Rejected.from_error("f", 1, RowError(NOT_JSON, "m"), row).as_json()["row"]

    assert shown({"x": [1, None]}) == {"x": [1, None]}
    assert shown({"x": float("nan")}) == {"x": "NaN"}
    assert shown({"x": b"\xff"}) == {"x": "b'\\xff'"}
    assert shown({"x": "y" * 5000}) == '{"x": "' + "y" * 1993
    assert len(shown("y" * 5000)) == 2000
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "(cannot be shown as JSON)"


def test_rejected_rows_have_their_fields_in_order():
    entry = Rejected.from_error("f", 3, RowError(NOT_JSON, "m"), "x").as_json()
    assert list(entry.items()) == [
        ("file", "f"),
        ("line", 3),
        ("rule", "E100 not-json"),
        ("message", "m"),
        ("remedy", "write one JSON object a line, as UTF-8"),
        ("row", "x"),
    ]


def test_the_reporter_is_told(tmp_path):
    told = []

    class Recorder:
        def track(self, name, total, unit):
            told.append((name, round(total * 1e6), unit))
            return self

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def advance(self, count=1):
            told.append(count)

        def result(self, text):
            told.append(text)

    path = write(tmp_path / "a.jsonl", [qa(1), "{"])
    read_pool([path], reporter=Recorder())
    size = path.stat().st_size
    assert told[0] == ("read", size, "MB")
    assert told[-1] == "1 rows, 1 rejected"
    assert sum(told[1:-1]) == pytest.approx(size / 1e6)


def test_sources_of_files_of_one_name(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "train.jsonl", [qa(1)])
    assert Counter(read_pool([f"{tmp_path}/*/train.jsonl"]).pool.sources) == {"one/train": 1, "two/train": 1}
