"""``suffice score --history``: problems ranked without a pool, and joined to the rows of one."""

import json
from pathlib import Path

import pytest

from suffice.cli.main import run
from suffice.scorers.protocol import Scores

HISTORY = {"0": [0, 0], "7": [0.5, 1], "2": [0, 1, 0, 1], "bad": [2], "5": [0, 0, 0]}
COMMAND = ["score", "--scorer", "reward_variance", "--history", "acc.json"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("acc.json").write_text(json.dumps(HISTORY))
    return tmp_path


def test_the_ranking_as_json(folder, capsys):
    assert run([*COMMAND, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "scorer": "reward_variance",
        "format": "accuracies",
        "problems": 4,
        "bands": {"never": 2, "sometimes": 2, "always": 0},
        "notes": {},
        "unread": [{"place": 'key "bad"', "reason": "the accuracy 2 in place 1 is no number from 0 to 1"}],
        "ranking": [
            {"key": "2", "std": 0.5, "mean": 0.5},
            {"key": "7", "std": 0.25, "mean": 0.75},
            {"key": "0", "std": 0.0, "mean": 0.0},
            {"key": "5", "std": 0.0, "mean": 0.0},
        ],
    }


def test_the_ranking_in_words(folder, capsys):
    assert run([*COMMAND, "--set", "low=0.1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "place     std    mean  problem",
        "    1  0.5000  0.5000  2",
        "    2  0.2500  0.7500  7",
        'not read: key "bad": the accuracy 2 in place 1 is no number from 0 to 1',
        "2 of 4 problems ranked (accuracies): 2 solved never, 2 sometimes, 0 always. To score rows: add --pool and --out",
    ]
    assert run([*COMMAND, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_a_long_ranking_is_cut(folder, capsys):
    Path("acc.json").write_text(
        json.dumps({f"p{i}": [0, i / 40] for i in range(30)} | {f"x{i}": 1 for i in range(5)})
    )
    assert run([*COMMAND]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[20].split() == ["20", "0.1250", "0.1250", "p10"]
    assert lines[21] == "       and 10 more; --json prints all"
    assert lines[-2] == "not read: 2 more"


def test_rows_are_scored_by_their_place_in_the_file(folder, capsys):
    rows = [{"instruction": f"q{i}", "output": "It is so."} for i in range(4)]
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run([*COMMAND, "--pool", "pool.jsonl", "--out", "out", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["counts"] == {"read": 4, "usable": 4, "rejected": 0, "scored": 2}
    assert (about["notes"]["matched_by"], about["notes"]["problems_without_row"]) == ("place", 2)
    scores = Scores.read(folder / "out" / "scores.parquet")
    assert [None if value != value else value for value in scores.values.tolist()] == [0, None, 0.5, None]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["score", "--scorer", "reward_variance", "--pool", "p", "--out", "o"], "no file p; check the path"),
        ([*COMMAND, "--out", "out"], "score lacks --pool; give them, or a run folder"),
        (["score", "--history", "acc.json"], "score lacks --scorer; give them, or a run folder"),
        (
            ["score", "--scorer", "length", "--history", "acc.json"],
            "the scorer 'length' has no options; leave out history",
        ),
        (
            [*COMMAND, "--set", "history=acc.json"],
            "--set has 'history=acc.json'; write NAME=VALUE once for each option, such as --set size=4096",
        ),
        (
            ["score", "--scorer", "reward_variance", "--history", "none.json"],
            "there is no history at none.json; check the path",
        ),
    ],
)
def test_mistakes(folder, capsys, words, text):
    assert run([*words, "--quiet"]) == 2
    assert capsys.readouterr().err == f"suffice: {text}\n"
