"""Files are whole or absent, and hashes do not depend on how a value is written."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.files import (
    atomic_path,
    digest,
    digest_file,
    dump_json,
    read_json,
    write_json,
    write_jsonl,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"a": 1}])

    def rows():
        yield {"a": 2}
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        write_jsonl(path, rows())
    assert path.read_text() == '{"a": 1}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    write_text(path, "old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent  # another file system would make the last step a copy
    assert path.read_text() == "new"


def test_rows_are_counted_and_any_text_survives(tmp_path):
    rows = [{"t": "é ≥ 1\u2028"}, {"t": "lone \ud800"}, [None, 1.5]]
    assert write_jsonl(tmp_path / "a.jsonl", rows) == 3
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines[0] == '{"t": "é ≥ 1\u2028"}'
    assert lines[1] == '{"t": "lone \\ud800"}'
    assert [json.loads(line) for line in lines[:3]] == rows


def test_a_number_that_json_lacks_is_refused_rather_than_written(tmp_path):
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="Out of range float values"):
            write_json(tmp_path / "a.json", {"a": value})
        with pytest.raises(ValueError, match="Out of range float values"):
            dump_json(value)
        with pytest.raises(ValueError, match="Out of range float values"):
            digest([value])
    assert list(tmp_path.iterdir()) == []


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, None], "a": "é"})
    assert read_json(tmp_path / "a.json") == {"b": [1, None], "a": "é"}
    assert (tmp_path / "a.json").read_text(
        encoding="utf-8"
    ) == '{\n  "b": [\n    1,\n    null\n  ],\n  "a": "é"\n}\n'


def test_a_digest_is_that_of_the_canonical_form():
    written = '{"a":"\\u00e9\\ud800","b":[1,2.5,null]}'
    assert digest({"b": [1, 2.5, None], "a": "é\ud800"}) == hashlib.sha256(written.encode()).hexdigest()
    assert digest([]) == hashlib.sha256(b"[]").hexdigest()


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(value=JSON)
def test_a_digest_survives_a_round_trip_through_json(value):
    assert digest(json.loads(dump_json(value))) == digest(value)
