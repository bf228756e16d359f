"""Corrupted files of every container, compression and format: no traceback, and no row that is not accounted for.

A few hundred by default; ``SUFFICE_FUZZ=5000`` tries as many as that.
"""

import gzip
import io
import json
import lzma
import os
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suffice.data.batches import examples_of
from suffice.data.findings import Findings
from suffice.data.formats import load_formats
from suffice.data.intake import Intake
from suffice.data.paths import expand
from suffice.data.pool import read_batches
from suffice.data.terms import Terms

FILES = int(os.environ.get("SUFFICE_FUZZ", "300"))
ROWS = [row for format_ in load_formats().values() for row in format_.examples] * 2
FLAT = [{"question": f"q {i}", "answer": f'ä "{i}"', "source": "s", "license": None} for i in range(12)]


def zip_of(name, data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def columnar(kind):
    table, sink = pa.Table.from_pylist(FLAT), pa.BufferOutputStream()
    if kind == "parquet":
        pq.write_table(table, sink)
    else:
        with (pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file)(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=5)
    return sink.getvalue().to_pybytes()


def texts():
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in ROWS).encode()
    cells = "question,answer\n" + "".join(
        '{question},"{answer}"\n'.format(**row).replace(' "', ' ""').replace('""\n', '"""\n') for row in FLAT
    )
    return {
        "a.jsonl": b"\xef\xbb\xbf" + lines,
        "a.json": json.dumps(ROWS, indent=1).encode(),
        "b.json": json.dumps(ROWS, ensure_ascii=False).encode(),
        "c.json": "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(),
        "a.csv": cells.encode(),
    }


def files():
    plain = texts()
    made = dict(plain)
    for name, data in plain.items():
        made[f"{name}.gz"] = gzip.compress(data, mtime=0)
        made[f"{name}.xz"] = lzma.compress(data)
        made[f"{name}.zst"] = pa.compress(data, codec="zstd", asbytes=True)
        made[f"{name}.zip"] = zip_of(name, data)
    made |= {"a.parquet": columnar("parquet"), "a.arrow": columnar("file"), "b.arrow": columnar("stream")}
    made["a.parquet.gz"] = gzip.compress(made["a.parquet"], mtime=0)
    return made


WHOLE = files()
CUT = st.tuples(st.just("cut"), st.floats(0, 1))
CHANGE = st.tuples(st.just("change"), st.floats(0, 1), st.integers(0, 30), st.binary(max_size=12))
FLIP = st.tuples(st.just("flip"), st.floats(0, 1), st.integers(0, 7))
SWAP = st.tuples(
    st.just("swap"),
    st.floats(0, 1),
    st.sampled_from(
        [
            b"null",
            b"NaN",
            b'"\\ud800"',
            b"[]",
            b"{}",
            b"1e999",
            b'"',
            b",",
            b"\n",
            b"\0",
            b"9" * 5000,
            b"[" * 3000,
        ]
    ),
)


def damaged(data, harm):
    at = int(harm[1] * len(data))
    match harm:
        case ("cut", _):
            return data[:at]
        case ("change", _, removed, added):
            return data[:at] + added + data[at + removed :]
        case ("flip", _, bit) if at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        case ("swap", _, added):
            return data[:at] + added + data[at + len(added) :]
    return data


def examples_in(intake, paths):
    batches = read_batches(intake, paths, lambda _: None)
    return [example for batch in batches for example in examples_of(batch)]


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(WHOLE)), harms=st.lists(CUT | CHANGE | FLIP | SWAP, min_size=1, max_size=3)
)
def test_no_damage_ends_in_a_traceback_or_loses_a_row(tmp_path_factory, name, harms):
    data = WHOLE[name]
    for harm in harms:
        data = damaged(data, harm)
    path = tmp_path_factory.getbasetemp() / "fuzz" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    findings, rejected = Findings(), []

    def reject(row):
        rejected.append(row)
        findings.reject(row)

    intake = Intake(Terms(), reject, findings.warn)
    examples = examples_in(intake, expand([path]))
    for file in intake.files:
        assert file.rows == file.accepted + file.rejected
        assert file.rejected == sum(findings.errors[file.path].values())
        assert findings.errors[file.path]["E109 broken-file"] == (file.broken is not None)
    assert sum(file.accepted for file in intake.files) == len(examples)
    for row in rejected:
        json.dumps(row.as_json(), allow_nan=False)


@settings(max_examples=max(50, FILES // 5))
@given(
    lines=st.lists(st.sampled_from(ROWS), min_size=1, max_size=8),
    bad=st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from(["{", "[1,", "nul", '"x', "{}}", "\x00", "{'a': 1}"])),
        max_size=3,
    ),
)
def test_a_bad_line_costs_itself_alone(tmp_path_factory, lines, bad):
    """The good rows of a file are those that are good in a file without the bad ones."""
    texts = [json.dumps(row) for row in lines]
    mixed = list(texts)
    for place, text in bad:
        mixed.insert(min(place, len(mixed)) or 1, text)
    folder = tmp_path_factory.getbasetemp() / "lines"
    folder.mkdir(exist_ok=True)

    def read(name, rows):
        (folder / name).write_text("\n".join(rows), encoding="utf-8")
        intake = Intake(Terms(), lambda _: None)
        return examples_in(intake, [folder / name]), intake.files[0]

    good, alone = read("good.jsonl", texts)
    found, file = read("mixed.jsonl", mixed)
    assert [example.messages for example in found] == [example.messages for example in good]
    assert (file.rows, file.rejected) == (alone.rows + len(bad), alone.rejected + len(bad))


def test_the_whole_files_are_read_whole(tmp_path):
    for name, data in WHOLE.items():
        (tmp_path / name).write_bytes(data)
        intake = Intake(Terms(), lambda row: None)
        count = len(examples_in(intake, [tmp_path / name]))
        assert count == (
            len(FLAT) if any(kind in name for kind in ("csv", "parquet", "arrow")) else len(ROWS)
        ), name
