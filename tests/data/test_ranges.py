"""Files read in ranges: the same rows, lines and reasons as in one piece."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.data import intake, ranges
from suffice.data.compression import Part
from suffice.data.containers import row as limits
from suffice.data.convert import Origin
from suffice.data.findings import Findings
from suffice.data.intake import Intake
from suffice.data.pool import read_batches, read_pool
from suffice.data.terms import Terms

LINES = [
    b'{"question": "q", "answer": "a"}',
    b'{"question": "q", "answer": ""}',
    b'{"question": "p", "answer": "[/INST] a"}',
    '{"question": "ü", "answer": "\u4e2d\u6587\u4e2d\u6587"}'.encode(),
    b'{"question": "\xff", "answer": "a"}',
    b"{",
    b"",
    b"  ",
    b"\xef\xbb\xbf[1]",
    b"nul\x00l",
    b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
    b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "\xff"}], "source": "b"}',
    b'{"question": "' + b"x" * 300 + b'", "answer": "a"}',
]


def read(path, terms, *, cut):
    rejected, findings = [], Findings()
    reading = Intake(terms, rejected.append, findings.warn)
    sizes = []
    with pytest.MonkeyPatch.context() as patch:
        if not cut:
            patch.setattr(intake, "divisible", lambda part: False)
        rows = [row for batch in read_batches(reading, [path], sizes.append) for row in batch.to_pylist()]
    return rows, rejected, findings, reading.files, sum(sizes)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(ranges, "LEAST", 0)
    monkeypatch.setattr(ranges, "_STEP", 100)


@settings(max_examples=150)
@given(
    lines=st.lists(st.sampled_from(LINES), max_size=40),
    end=st.sampled_from([b"\n", b"\r\n"]),
    last=st.booleans(),
    twins=st.booleans(),
)
def test_ranges_give_what_one_piece_gives(tmp_path_factory, lines, end, last, twins):
    path = tmp_path_factory.getbasetemp() / "ranges.jsonl"
    path.write_bytes(
        b"".join(line + end for line in lines) + (b'{"question": "q", "answer": "z"}' if last else b"")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "_STEP", 100)
        terms = Terms(reject_twins=twins)
        *apart, size = read(path, terms, cut=True)
        *whole, _ = read(path, terms, cut=False)
    assert apart == whole
    assert size == path.stat().st_size if ranges.divisible(Part(path)) else True


@pytest.mark.usefixtures("small")
def test_ranges_begin_and_end_with_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"question": "q" * (i % 7 * 30), "answer": "a"}) + "\n" for i in range(50)]
    path.write_text("".join(lines))
    found = list(ranges.split(Part(path), Origin("a", "a", None), Terms()))
    data = path.read_bytes()
    assert [some.start for some in found] == [0, *(some.end for some in found[:-1])]
    assert found[-1].end == len(data)
    assert all(data[some.end - 1 : some.end] == b"\n" for some in found)
    assert max(some.end - some.start for some in found) < 100 + max(map(len, lines))
    assert sum(ranges.read_range(some).lines for some in found) == 50


@pytest.mark.usefixtures("small")
def test_a_line_that_is_too_long_lies_in_one_range(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LIMIT", 150)
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES[0] + b"\n" + b"x" * 5000 + b"\n" + LINES[0] + b"\n")
    assert read(path, Terms(), cut=True)[:4] == read(path, Terms(), cut=False)[:4]
    assert [row.line for row in read(path, Terms(), cut=True)[1]] == [2]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "data", "divisible"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', True),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', True),
        ("b.json", b'[\n{"a": 1}]\n', False),
        ("a.csv", b"a,b\n1,2\n", False),
        ("c.jsonl", b"\xff\xfeq\0", False),
        ("a.jsonl.gz", b"", False),
    ],
)
def test_files_of_lines_alone_are_cut(tmp_path, name, data, divisible):
    (tmp_path / name).write_bytes(data)
    assert ranges.divisible(Part(tmp_path / name)) is divisible


def never(*_):
    raise AssertionError("nothing is spread")


def test_small_files_start_no_processes(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES[0] + b"\n")
    assert len(read_pool([tmp_path / "a.jsonl"], spread=never).pool) == 1


@pytest.mark.usefixtures("small")
def test_worker_processes_give_the_same_pool(tmp_path: Path, monkeypatch):
    from suffice.scale.local import Workers

    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(LINES * 30))
    whole = read_pool([path])
    with Workers(2) as crew:
        apart = read_pool([path], spread=crew.stream)
    assert list(apart.pool) == list(whole.pool)
    assert (apart.rejected, apart.files) == (whole.rejected, whole.files)
