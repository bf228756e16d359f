"""What `suffice lab export` writes is read like anybody's files."""

from suffice.data.leakage import without_test_rows
from suffice.data.pool import read_pool
from suffice.data.target import read_target
from suffice.lab.export import export_lab
from suffice.lab.families import FAMILIES


def test_the_files_are_read_without_options(tmp_path, target):
    paths = export_lab(tmp_path / "lab", rows=600, items=30)
    assert paths == {"pool": tmp_path / "lab/pool.jsonl", "target": tmp_path / "lab/target.jsonl"}
    reading = read_pool([paths["pool"]])
    assert len(reading.pool) + len(reading.rejected) == 600
    assert [file.format for file in reading.files] == ["messages"]
    read = read_target(paths["target"])
    assert read.families == list(FAMILIES)
    assert (len(read.dev), len(read.test)) == (90, 270)
    written = {row["id"]: row for row in target}
    for item in read.items:
        row = written[item.id]
        assert (item.messages[-1]["content"], item.answer, item.task, item.split, item.cluster) == (
            row["prompt"], row["answer"], row["task"], row["split"], row["cluster"]
        )  # fmt: skip
    assert without_test_rows(reading.pool, read) == (reading.pool, [], 0)


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    first, second = (export_lab(tmp_path / name, rows=50, items=5) for name in ("a", "b"))
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)
