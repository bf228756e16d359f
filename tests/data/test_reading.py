"""Files as rows: containers, compression, damage. No row stops a file and nothing ends in a traceback."""

import gzip
import json
import lzma
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_rows import rows_of, told
from suffice.common.errors import UserError
from suffice.data import compression
from suffice.data.containers import json_values
from suffice.data.containers import row as limits
from suffice.data.pool import read_pool
from suffice.data.reading import expand, read_rows, source_names

ROWS = [{"question": f"q{i}", "answer": f"ä{i}"} for i in range(3)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
ARRAY = json.dumps(ROWS, indent=1).encode()


def parquet_bytes(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "data", "lines"),
    [
        ("a.jsonl", LINES, [1, 2, 3]),
        ("a.ndjson", LINES, [1, 2, 3]),
        ("A.JSONL", LINES, [1, 2, 3]),
        ("a.jsonl.gz", gzip.compress(LINES, mtime=0), [1, 2, 3]),
        ("a.jsonl.xz", lzma.compress(LINES), [1, 2, 3]),
        ("a.json", ARRAY, [1, 2, 3]),
        ("a.json", b"\xef\xbb\xbf \n" + ARRAY + b"\n", [1, 2, 3]),
        ("a.json.gz", gzip.compress(ARRAY, mtime=0), [1, 2, 3]),
        ("a.json.xz", lzma.compress(ARRAY), [1, 2, 3]),
        ("a.json", LINES, [1, 2, 3]),  # JSON Lines under the wrong name
        ("a.parquet", parquet_bytes(ROWS), [1, 2, 3]),
        ("a.parquet.gz", gzip.compress(parquet_bytes(ROWS), mtime=0), [1, 2, 3]),
        ("a.parquet.xz", lzma.compress(parquet_bytes(ROWS)), [1, 2, 3]),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n"), [1, 2, 3]),
        ("a.jsonl", LINES.replace(b"\n", b"\n \r\n\n"), [1, 4, 7]),
        ("a.jsonl", LINES.rstrip(), [1, 2, 3]),
    ],
)
def test_containers(tmp_path, name, data, lines):
    rows = rows_of(tmp_path / name, data)
    assert [row.value for row in rows] == ROWS
    assert [row.line for row in rows] == lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_files_have_no_rows(tmp_path, name, data):
    assert rows_of(tmp_path / name, data) == []


def test_an_empty_array_has_no_rows(tmp_path):
    assert rows_of(tmp_path / "a.json", b" [ ]") == []


def test_a_single_object_is_one_row(tmp_path):
    (row,) = rows_of(tmp_path / "a.json", json.dumps(ROWS[0], indent=2).encode())
    assert row.value == ROWS[0]


def test_a_bad_line_does_not_stop_the_file(tmp_path):
    data = LINES.replace(b"\n", b"\n{oops}\n", 1) + b"[" * 100_000 + b"\n" + b'{"x": ' + b"9" * 5000 + b"}\n"
    rows = rows_of(tmp_path / "a.jsonl", data)
    assert [row.value for row in rows if not row.error] == ROWS
    bad = [row for row in rows if row.error]
    assert told(bad[0]) == (
        2,
        "E100 not-json",
        "the line is no JSON: Expecting property name enclosed in double quotes (column 2)",
    )
    assert bad[0].value == "{oops}"
    assert [(row.line, row.error.rule.code) for row in bad] == [(2, "E100"), (5, "E100"), (6, "E100")]


def test_a_broken_array_gives_the_rows_before_the_break(tmp_path):
    rows = rows_of(tmp_path / "a.json", ARRAY[:-30])
    assert [row.value for row in rows[:-1]] == ROWS[:2]
    assert rows[-1].line == 3
    assert str(rows[-1].error.rule) == "E109 broken-file"
    (*_, last) = rows_of(tmp_path / "a.json", ARRAY[:-1])
    assert told(last) == (
        4,
        "E109 broken-file",
        f"nothing can be read from byte {len(ARRAY) - 1} on (the array has no end)",
    )
    assert last.offset == len(ARRAY) - 1


@pytest.mark.parametrize(("name", "pack"), [("a.jsonl.gz", gzip.compress), ("a.jsonl.xz", lzma.compress)])
def test_a_truncated_archive_gives_the_rows_before_the_break(tmp_path, name, pack):
    many = b"".join(
        json.dumps({"question": os.urandom(30).hex(), "answer": "a"}).encode() + b"\n" for _ in range(3000)
    )
    packed = pack(many)
    rows = rows_of(tmp_path / name, packed[: len(packed) // 2])
    assert len(rows) > 500
    assert all(row.error is None for row in rows[:-1])
    whole = sum(map(len, many.splitlines(keepends=True)[: len(rows) - 1]))
    reason = "Compressed file ended before the end-of-stream marker was reached"
    message = f"nothing can be read from byte {whole:,} of what is packed in it on ({reason})"
    assert told(rows[-1]) == (rows[-2].line + 1, "E109 broken-file", message)
    assert rows[-1].offset == whole


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.gz", "a.jsonl.xz", "a.parquet", "a.parquet.gz"])
def test_a_file_that_is_no_such_container(tmp_path, name):
    (row,) = rows_of(tmp_path / name, b"hello, world\n" * 10)
    assert (row.line, str(row.error.rule)) == (1, "E109 broken-file")


def test_a_parquet_file_with_damaged_names(tmp_path):
    (row,) = rows_of(tmp_path / "a.parquet", parquet_bytes(ROWS).replace(b"question", b"\xd8uestion"))
    assert (row.line, str(row.error.rule)) == (1, "E109 broken-file")


def test_bytes_that_are_no_utf8_spoil_their_row_only(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES.replace("ä1".encode(), b"\xff") + b'{"question": "\\ud800", "answer": "a"}\n')
    result = read_pool([path])
    assert [row.messages[0]["content"] for row in result.pool] == ["q0", "q2"]
    assert [(r.line, r.rule, r.message) for r in result.rejected] == [
        (2, "E107 bad-content", "the text holds bytes or escapes that are no valid Unicode"),
        (4, "E107 bad-content", "the text holds bytes or escapes that are no valid Unicode"),
    ]


def test_a_text_too_large_to_be_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LIMIT", 100)
    rows = rows_of(tmp_path / "a.jsonl", LINES + b"x" * 250 + b"\n" + LINES)
    assert [row.line for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert told(rows[3]) == (4, "E108 file-too-large", "the line is longer than 100 bytes")
    monkeypatch.setattr(json_values, "_CHUNK", 64)
    rows = rows_of(tmp_path / "a.json", b"[[1], " + b'"' + b"x" * 250 + b'"]')
    assert told(rows[-1]) == (
        2,
        "E109 broken-file",
        "nothing can be read from byte 6 on (a row is longer than 100 bytes)",
    )
    monkeypatch.setattr(compression, "UNPACKED", 100)
    (row,) = rows_of(tmp_path / "a.parquet.gz", gzip.compress(parquet_bytes(ROWS)))
    assert told(row) == (1, "E108 file-too-large", "the file holds more than 100 bytes")


def test_parquet_leaves_out_fields_that_arrow_filled(tmp_path):
    chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "name": "bot"}]
    (row,) = rows_of(tmp_path / "a.parquet", parquet_bytes([{"messages": chat, "license": None}]))
    assert row.value == {"messages": chat}


def test_a_parquet_value_that_cannot_be_read_spoils_its_row_only(tmp_path):
    bad = pa.array([b"\xff", b"fine"]).view(pa.string())
    pq.write_table(pa.table({"question": bad, "answer": ["a", "b"]}), tmp_path / "a.parquet")
    first, second = read_rows(tmp_path / "a.parquet")
    assert first.error.rule.code == "E107"
    assert second.value == {"question": "fine", "answer": "b"}


def test_progress_counts_the_bytes_of_the_file(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(LINES))
    counts = []
    list(read_rows(path, counts.append))
    assert sum(counts) == path.stat().st_size


def test_expand_takes_files_and_globs_once_each(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "c[1].jsonl"):
        (tmp_path / name).write_bytes(LINES)
    found = expand([tmp_path / "c[1].jsonl", f"{tmp_path}/*.jsonl", tmp_path / "." / "a.jsonl"])
    assert [path.name for path in found] == ["c[1].jsonl", "a.jsonl", "b.jsonl"]


def user_error(patterns):
    with pytest.raises(UserError) as caught:
        expand(patterns)
    return str(caught.value)


def test_paths_that_cannot_be_read(tmp_path):
    (tmp_path / "alpaca.jsonl").write_bytes(LINES)
    (tmp_path / "notes.txt").write_bytes(b"")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    at = str(tmp_path)
    assert (
        user_error([f"{at}/alpacca.jsonl"])
        == f"no file {at}/alpacca.jsonl; did you mean '{at}/alpaca.jsonl'?"
    )
    assert user_error([f"{at}/zzz"]) == f"no file {at}/zzz; check the path"
    assert (
        user_error([f"{at}/no/a.jsonl"])
        == f"no file {at}/no/a.jsonl: there is no folder {at}/no; check the path"
    )
    assert user_error([f"{at}/*.parquet"]) == (
        f"no file matches '{at}/*.parquet'; check the folder and the pattern, and quote it in the shell"
    )
    long = "x" * 5000
    assert user_error([f"{at}/{long}"]) == f"no file {at}/{long}; check the path"
    assert (
        user_error([f"{at}/{long}/a"])
        == f"no file {at}/{long}/a: there is no folder {at}/{long}; check the path"
    )
    assert user_error([f"{at}/a\0"]) == f"no file {at}/a\0; check the path"
    assert (
        user_error([f"{at}/gone.jsonl"])
        == f"{at}/gone.jsonl is no regular file or leads nowhere; give a file"
    )
    assert user_error([f"{at}/notes.txt"]) == (
        f"{at}/notes.txt is of no known type; give .jsonl, .json, .csv, .parquet or .arrow, each also with .gz, .xz, "
        ".zst or .zip at the end, or a .zip of such"
    )


def test_sources_are_named_after_files(tmp_path):
    paths = [tmp_path / name for name in ("one/train.jsonl.gz", "two/train.json", "two/v1.2.parquet")]
    assert list(source_names(paths).values()) == ["one/train", "two/train", "v1.2"]


CONTAINERS = {
    "a.jsonl": LINES,
    "a.json": ARRAY,
    "a.jsonl.gz": gzip.compress(LINES),
    "a.json.xz": lzma.compress(ARRAY),
    "a.parquet": parquet_bytes(ROWS),
}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(CONTAINERS)),
    place=st.floats(0, 1),
    removed=st.integers(0, 40),
    added=st.binary(max_size=20),
    cut=st.booleans(),
)
def test_damage_anywhere_ends_in_rows_or_a_user_error(tmp_path_factory, name, place, removed, added, cut):
    data = CONTAINERS[name]
    at = int(place * len(data))
    path = tmp_path_factory.mktemp("damage") / name
    path.write_bytes(data[:at] + added + (b"" if cut else data[at + removed :]))
    try:
        result = read_pool([path])
    except UserError:
        return
    (file,) = result.files
    assert file.rows == file.accepted + file.rejected
    assert (file.accepted, file.rejected) == (len(result.pool), len(result.rejected))
    for row in result.rejected:
        json.dumps(row.as_json(), allow_nan=False)


FIELDS = [
    "messages",
    "conversations",
    "role",
    "content",
    "from",
    "value",
    "tools",
    "tool_calls",
    "function",
    "instruction",
    "output",
    "prompt",
    "completion",
    "history",
    "name",
    "arguments",
    "type",
    "text",
    "id",
]
WORDS = st.sampled_from(["user", "assistant", "tool", "function_call", "text", "[1", "{}"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | WORDS | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=st.lists(JSON, min_size=1, max_size=3))
def test_any_json_is_accepted_or_rejected(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in [*values, ROWS[0]]), encoding="utf-8")
    result = read_pool([path])
    assert len(result.pool) + len(result.rejected) == len(values) + 1
    for row in result.rejected:
        json.dumps(row.as_json(), allow_nan=False)
