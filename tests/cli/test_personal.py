"""``suffice personal``: what it says and writes."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suffice.cli.main import run


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prompts = ["Hello", "I am bob@acme.com", "Call +1 650-253-0000 or a@b.com"]
    rows = [{"prompt": prompt, "completion": "Yes."} for prompt in prompts]
    Path("pool.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, {"prompt": "x"}]))
    return tmp_path


def test_rows_are_flagged_and_counted(files, capsys):
    assert run(["personal", "pool.jsonl", "--out", "flags.parquet", "--json", "-q"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found = {"e-mail": 2, "phone": 1}
    assert json.loads(captured.out) == {"read": 4, "rejected": 1, "rows": 3, "flagged": 2, "found": found}
    assert [len(own) for own in pq.read_table("flags.parquet")["personal"].to_pylist()] == [0, 1, 2]


def test_what_it_says(files, capsys):
    assert run(["personal", "pool.jsonl"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "e-mail (2): pool.jsonl:2, turn 1, character 6; pool.jsonl:3, turn 1, character 25",
        "phone (1): pool.jsonl:3, turn 1, character 6",
        "2 of 3 rows hold personal data or secrets; none was changed.",
    ]


def test_an_unknown_region(files, capsys):
    assert run(["personal", "pool.jsonl", "--region", "XX"]) == 2
    said = "suffice: there is no region 'XX'; give two capital letters, such as US\n"
    assert capsys.readouterr() == ("", said)
