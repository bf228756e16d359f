"""Tables in temporary files."""

import pyarrow as pa
import pytest

from suffice.data.tables import mapped_table

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.large_string())])


def batch(*numbers):
    return pa.record_batch(
        [pa.array(numbers, pa.int64()), pa.array([str(n) for n in numbers])], names=SCHEMA.names
    ).cast(SCHEMA)


@pytest.mark.parametrize("batches", [[], [batch()], [batch(1, 2), batch(), batch(3)]])
def test_a_mapped_table_is_what_its_batches_are(batches):
    table = mapped_table(SCHEMA, iter(batches))
    assert table.equals(pa.Table.from_batches(batches, schema=SCHEMA))


def test_a_mapped_table_takes_no_memory_of_arrow_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = pa.total_allocated_bytes()
    table = mapped_table(SCHEMA, (batch(*range(1000)) for _ in range(100)))
    assert pa.total_allocated_bytes() - before < table.nbytes / 10
    assert list(tmp_path.iterdir()) == []
    assert table["text"][99_999].as_py() == "999"
