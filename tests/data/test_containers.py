"""Containers and compressions beyond those of test_reading.py, and that memory holds a row and not a file."""

import contextlib
import csv
import io
import json
import tracemalloc
import zipfile

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_rows import rows_of, told
from suffice.data import compression
from suffice.data.containers import BrokenError, json_values
from suffice.data.containers import row as limits
from suffice.data.containers.json_values import read_array, read_values
from suffice.data.pool import read_pool

ROWS = [{"question": f"q{i}", "answer": f'ä "{i}",\n;'} for i in range(3)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
ARRAY = json.dumps(ROWS, indent=1).encode()
CSV = 'question,answer\nq0,"ä ""0"",\n;"\nq1,"ä ""1"",\n;"\n\nq2,"ä ""2"",\n;"\n'.encode()


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


def zipped(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def arrow(kind):
    table = pa.Table.from_pylist(ROWS)
    sink = pa.BufferOutputStream()
    if kind == "feather":
        pyarrow.feather.write_feather(table, sink, compression="zstd")
    else:
        with (pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file)(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "data", "lines"),
    [
        ("a.jsonl.zst", zstd(LINES), [1, 2, 3]),
        ("a.json.zst", zstd(ARRAY), [1, 2, 3]),
        ("a.csv.zst", zstd(CSV), [2, 4, 7]),
        ("a.jsonl.zip", zipped({"a.jsonl": LINES}), [1, 2, 3]),
        ("a.zip", zipped({"b.json": ARRAY, "notes.txt": b"x", "__MACOSX/b.json": b"x"}), [1, 2, 3]),
        ("a.arrow", arrow("file"), [1, 2, 3]),
        ("a.arrow", arrow("stream"), [1, 2, 3]),
        ("a.feather", arrow("feather"), [1, 2, 3]),
        ("a.arrow.zst", zstd(arrow("stream")), [1, 2, 3]),
        ("a.csv", CSV, [2, 4, 7]),
        ("a.csv", b"\xef\xbb\xbf" + CSV, [2, 4, 7]),
        ("a.tsv", CSV.replace(b"question,", b"question\t").replace(b',"\xc3', b'\t"\xc3'), [2, 4, 7]),
        ("a.jsonl", ARRAY, [1, 2, 3]),  # an array under the wrong name
        ("a.jsonl", json.dumps(ROWS).encode(), [1, 2, 3]),
        ("a.json", ARRAY[:-1].rstrip() + b",\n]", [1, 2, 3]),  # a comma behind the last item
        ("a.json", "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(), [1, 2, 3]),
        ("a.json", b"\n\n" + LINES, [3, 4, 5]),
    ],
)
def test_containers(tmp_path, name, data, lines):
    rows = rows_of(tmp_path / name, data)
    assert [row.error for row in rows] == [None] * 3
    assert [row.value for row in rows] == ROWS
    assert [row.line for row in rows] == lines


def test_the_files_of_an_archive_are_told_apart(tmp_path):
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"one.jsonl": LINES, "two/one.csv": CSV}))
    reading = read_pool([path])
    assert [(file.path, file.rows) for file in reading.files] == [
        (f"{path}/one.jsonl", 3),
        (f"{path}/two/one.csv", 3),
    ]
    assert set(reading.pool.sources) == {"all/one"}
    assert reading.pool[3].file == f"{path}/two/one.csv"


@pytest.mark.parametrize(
    "name", ["a.zip", "a.jsonl.zip", "a.jsonl.zst", "a.arrow", "a.arrow.gz", "a.feather"]
)
def test_a_file_that_is_no_such_container(tmp_path, name):
    (row,) = rows_of(tmp_path / name, b"hello, world\n" * 10)
    assert (row.line, str(row.error.rule)) == (1, "E109 broken-file")
    assert row.offset is not None


def test_an_archive_without_rows(tmp_path):
    (row,) = rows_of(tmp_path / "a.zip", zipped({"notes.txt": b"x"}))
    assert "the archive holds no file of rows" in row.error.message


def test_a_truncated_zstd_file_gives_the_rows_before_the_break(tmp_path):
    many = b"".join(
        b'{"question": "%08x", "answer": "a"}\n' % (i * 2654435761 % 2**32) for i in range(30_000)
    )
    packed = zstd(many)
    rows = rows_of(tmp_path / "a.jsonl.zst", packed[: len(packed) // 2])
    assert len(rows) > 1000
    assert all(row.error is None for row in rows[:-1])
    assert rows[-1].offset == sum(map(len, many.splitlines(keepends=True)[: len(rows) - 1]))


@pytest.mark.parametrize(
    ("data", "offset", "message"),
    [
        (b'[{"a": 1} {"a": 2}]', 10, "no comma between two items"),
        (b'[{"a": 1}] {"a": 2}', 11, "text stands behind the end of the array"),
        (b'[{"a": "\xc3\xa4"}, {"a": "' + b"x" * 50, 20, "Unterminated string starting at byte 20"),
        (b'[{"a": 1}, oops]', 11, "Expecting value"),
        (b"\xff\xfe[\0", 0, "the file is UTF-16, not UTF-8"),
    ],
)
def test_a_broken_array_names_its_byte(tmp_path, data, offset, message):
    (*_, last) = rows_of(tmp_path / "a.json", data)
    assert str(last.error.rule) == "E109 broken-file"
    assert last.error.message == f"nothing can be read from byte {offset:,} on ({message})"
    assert last.offset == offset


def test_a_table_names_its_bad_rows(tmp_path):
    rows = rows_of(tmp_path / "a.csv", b'question,answer\nq\nq,a,b\nq,"a"b\nq,a\n')
    assert [told(row) for row in rows[:3]] == [
        (2, "E115 bad-table-row", "the row has 1 cells and the first line 2"),
        (3, "E115 bad-table-row", "the row has 3 cells and the first line 2"),
        (4, "E115 bad-table-row", "the row cannot be taken apart (',' expected after '\"')"),
    ]
    assert rows[3].value == {"question": "q", "answer": "a"}
    rows = rows_of(tmp_path / "b.csv", b'question,answer\nq,a\nq,"never\nclosed\n')
    assert rows[0].value == {"question": "q", "answer": "a"}
    message = "nothing can be read from byte 20 on (the quotation mark of line 3 is never closed)"
    assert told(rows[1]) == (2 + 1, "E109 broken-file", message)
    (row,) = rows_of(tmp_path / "c.csv", b"\xff\xfeq\0")
    assert row.error.message == "nothing can be read from byte 0 on (the file is UTF-16, not UTF-8)"
    assert rows_of(tmp_path / "d.csv", b"") == rows_of(tmp_path / "e.csv", b"a,b\n") == []


@pytest.fixture
def short_cells():
    """The csv module's limit belongs to the whole process: other libraries read files with it."""
    before = csv.field_size_limit(100)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("short_cells")
def test_a_cell_that_is_too_long_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LIMIT", 100)
    rows = rows_of(tmp_path / "a.csv", b"question,answer\nq," + b"a" * 97 + b"\nq,a\n")
    assert [row.value for row in rows] == [
        {"question": "q", "answer": "a" * 97},
        {"question": "q", "answer": "a"},
    ]
    rows = rows_of(tmp_path / "b.csv", b"question,answer\nq," + b"a" * 250 + b"\nq,a\n")
    assert told(rows[0]) == (2, "E108 file-too-large", "the line is longer than 100 bytes")
    assert rows[1].value == {"question": "q", "answer": "a"}
    rows = rows_of(tmp_path / "c.csv", b'question,answer\nq,"' + b"a\n" * 60 + b'"\nq,a\n')
    assert told(rows[0]) == (2, "E108 file-too-large", "a cell is longer than 100 characters")


def test_a_control_character_in_an_array_is_named(tmp_path):
    (row,) = rows_of(tmp_path / "a.json", b'[{"question": "a\x01"},\n{}]')
    assert row.error.message == "nothing can be read from byte 16 on (Invalid control character at byte 16)"


def test_an_arrow_file_with_bad_offsets_ends_in_an_error(tmp_path):
    data = bytearray(arrow("stream"))
    at = data.index(b"q0q1") - 16  # among the offsets of the first column
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    (*_, last) = rows_of(tmp_path / "a.arrow", bytes(data))
    assert str(last.error.rule) == "E109 broken-file"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    values=st.lists(JSON, max_size=6),
    indent=st.sampled_from([None, 1]),
    ascii_=st.booleans(),
    chunk=st.integers(1, 40),
)
def test_a_window_reads_what_the_whole_reader_reads(values, indent, ascii_, chunk):
    """Whatever the chunks, an array read through the window is the array read at once."""
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_CHUNK", chunk)
        rows = [row.value for row in read_array(io.BufferedReader(io.BytesIO(text), chunk))]
        assert json.dumps(rows) == json.dumps(json.loads(text.decode("utf-8", "surrogateescape")))
        joined = b"\n".join(
            json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "surrogatepass") for value in values
        )
        rows = [row.value for row in read_values(io.BufferedReader(io.BytesIO(joined), chunk))]
        assert len(rows) == len(values)


@given(data=st.binary(max_size=60), chunk=st.integers(1, 20))
def test_a_window_ends_at_any_bytes(data, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_CHUNK", chunk)
        for reader in (read_array, read_values):
            with contextlib.suppress(BrokenError):
                list(reader(io.BufferedReader(io.BytesIO(b"[" + data))))


class Endless(io.RawIOBase):
    """A long array, made as it is read."""

    def __init__(self, items):
        item = json.dumps({"question": "q" * 500, "answer": "a" * 500}).encode()
        self.parts = iter([b"[", *([item + b","] * (items - 1)), item, b"]"])
        self.rest = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while len(self.rest) < len(buffer) and (part := next(self.parts, b"")):
            self.rest += part
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def test_a_long_array_is_never_held_whole():
    stream = io.BufferedReader(Endless(40_000), 2**16)  # 41 MB
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_array(stream)) == 40_000
        assert tracemalloc.get_traced_memory()[1] < 12e6
    finally:
        tracemalloc.stop()


def test_a_packed_file_that_is_searched_is_unpacked_to_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "UNPACKED", 100)
    (row,) = rows_of(tmp_path / "a.arrow.zst", zstd(arrow("file")))
    assert told(row) == (1, "E108 file-too-large", "the file holds more than 100 bytes")


def test_reading_a_table_never_lowers_the_limit_that_others_read_with(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LIMIT", 100)
    before = csv.field_size_limit()
    rows_of(tmp_path / "a.csv", b"question,answer\nq,a\n")
    assert csv.field_size_limit() >= before
