"""``suffice explain`` on the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from suffice.cli.main import run
from tiny_run import BAD_ROWS, pool_rows, target_rows, write_rows


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = pool_rows(30)
    rows[0]["license"] = "mit"
    write_rows(Path("data.jsonl"), [*rows, *BAD_ROWS])
    write_rows(Path("target.jsonl"), target_rows())
    command = ["select", "--pool", "data.jsonl", "--target", "target.jsonl", "--out", "out", "--quiet"]
    assert run([*command, "--scorer", "sentence", "--selector", "round_robin", "--budget", "4"]) == 0
    return [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]


def told(capsys, row):
    assert run(["explain", "out", row]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_a_chosen_row(chosen, capsys):
    row = chosen[1]
    lines = told(capsys, row["id"])
    assert lines[0].startswith(f"{row['id']}  data.jsonl:{row['line']}  source {row['source']}")
    assert lines[1] == f'"{row["messages"][0]["content"]}"'
    assert lines[3] == "Chosen, as number 2 of 4."
    assert " ".join(line.strip() for line in lines[4:6]).startswith('serves "sum" (dev item-1)')
    text = "\n".join(lines)
    assert re.search(r"\nscore +value +rank +percentile\nsentence +-?0\.\d+ +\d+ of 30 +\d+\.\d\n", text)
    assert '\ntarget     serves item-1 "Add 1 and one." of "sum": affinity ' in text
    assert "\nmost like  " in text
    assert "\nbeat       " in text


def test_a_row_left_out(chosen, capsys):
    left = next(line for line in range(1, 31) if line not in {row["line"] for row in chosen})
    lines = told(capsys, f"data.jsonl:{left}")
    assert lines[3] == "Not chosen: 4 of 30 rows were."
    assert lines[4].startswith("  nearest to being taken by ")
    assert lines[-1] == f"To choose it all the same: --pin {lines[0].split()[0]}"


def test_a_rejected_row_and_a_licence(chosen, capsys):
    assert told(capsys, "data.jsonl:31")[:3] == ["data.jsonl:31", "", "Rejected when it was read."]
    assert told(capsys, "data.jsonl:1")[0].endswith("data.jsonl:1  source even, licence mit")


def test_json(chosen, capsys):
    assert run(["explain", "out", chosen[0]["id"], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["turn"], found["chosen"], found["rows"]) == ("chosen", 1, 4, 30)
    assert found["reason"] == chosen[0]["reason"]
    assert found["evidence"] == chosen[0]["evidence"]
    assert found["serves"]["id"] == "item-0"
    assert set(found["scores"][0]) == {"scorer", "value", "unit", "rank", "of", "percentile"}


def test_mistakes(chosen, capsys):
    assert run(["explain", "out", "zz"]) == 2
    assert capsys.readouterr().err == (
        "suffice: no row of the pool has an id that begins with 'zz'; "
        "give an id of selection.jsonl or pool.parquet, or FILE:LINE\n"
    )
