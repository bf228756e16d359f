"""The arms that the command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.evaluation.logs.arms import load_arms


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes tables into the current folder."""
    monkeypatch.chdir(tmp_path)

    def into(name, text="item,score\na,1\nb,0\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return into


def test_each_path_is_a_run(write):
    for name in ("a1.csv", "a2.csv", "b.csv"):
        write(name)
    one, two = load_arms(["A=a1.csv,a2.csv", "b.csv"])
    assert (one.name, one.runs) == ("A", ["a1.csv", "a2.csv"])
    assert (two.name, two.runs) == ("b", ["b.csv"])
    assert [(row.arm, row.run, row.item) for row in one.rows] == [
        ("A", "a1.csv", "a"),
        ("A", "a1.csv", "b"),
        ("A", "a2.csv", "a"),
        ("A", "a2.csv", "b"),
    ]
    assert [log.path for log in one.logs] == ["a1.csv", "a2.csv"]


def test_a_run_column_tells_runs_apart(write):
    write("a.csv", "item,run,score\nx,0,1\nx,1,0\n")
    write("b.csv", "item,run,score\nx,0,1\n")
    one, two = load_arms(["A=a.csv", "b.csv"])
    assert (one.runs, two.runs) == (["0", "1"], ["0"])
    (both,) = load_arms(["A=a.csv,b.csv"])
    assert both.runs == ["a.csv: 0", "a.csv: 1", "b.csv: 0"]


def test_patterns_and_odd_names(write):
    for name in ("seed-2.csv", "seed-1.csv", "lr=0.1,wd=0/x.csv", "c.v1.csv"):
        write(name)
    assert load_arms(["A=seed-*.csv"])[0].runs == ["seed-1.csv", "seed-2.csv"]
    (arm,) = load_arms(["lr=0.1,wd=0/x.csv"])
    assert (arm.name, arm.runs) == ("x", ["lr=0.1,wd=0/x.csv"])
    assert load_arms([" B = c.v1.csv"])[0].name == "B"
    assert load_arms(["c.v1.csv"])[0].name == "c.v1"


def test_an_arm_column_makes_several_arms_of_a_file(write):
    write("a.csv", "method,seed,acc\nless,0,1\nrandom,0,2\nless,1,3\n")
    write("b.csv", "method,seed,acc\nrandom,5,4\n")
    columns = {"arm": "method", "run": "seed", "score": "acc"}
    less, random = load_arms(["a.csv"], columns)
    assert (less.name, less.runs, [row.score for row in less.rows]) == ("less", ["0", "1"], [1, 3])
    assert (random.name, random.runs, random.logs[0].aggregates) == ("random", ["0"], True)
    less, random = load_arms(["a.csv", "b.csv"], columns)
    assert (less.runs, random.runs) == (["0", "1"], ["a.csv: 0", "b.csv: 5"])
    with pytest.raises(UserError) as error:
        load_arms(["A=a.csv"], columns)
    assert str(error.value) == "the column 'method' names the arms, and so does 'A='; give the paths alone"


def test_notes_are_told_once(write):
    write("t/samples_t_2026-01-01T00-00-00.jsonl", SAMPLE)
    (arm,) = load_arms(["A=t,t/samples_t_2026-01-01T00-00-00.jsonl"])
    assert len(arm.notes) == 1 < len([note for log in arm.logs for note in log.notes])


SAMPLE = (
    '{"doc_id": 0, "doc_hash": "d", "target_hash": "t", "filter": "none", "metrics": ["acc"], "acc": 1}\n'
)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["a.csv", "sub/a.csv"], "two arms are called 'a'; name them: A=PATH B=PATH"),
        (["A=a.csv", "A=b.csv"], "two arms are called 'A'; name them: A=PATH B=PATH"),
        (["A=a.csv,a.csv"], "a.csv is given twice; give every log once: a copy is neither a run nor an arm"),
        (
            ["a.csv", "B=./a.csv"],
            "a.csv is given twice; give every log once: a copy is neither a run nor an arm",
        ),
        (["a.csv,b.csv"], "'a.csv,b.csv' gives several logs without a name; name the arm: NAME=a.csv,b.csv"),
        (["=a.csv"], "'=a.csv' names no arm; write NAME=PATH,PATH or PATH"),
        (["A="], "'A=' names no arm; write NAME=PATH,PATH or PATH"),
        ([","], "',' names no arm; write NAME=PATH,PATH or PATH"),
        (["A=x*.csv"], "no log matches 'x*.csv'; check the folder and the pattern"),
        (["none.csv"], "there is no log at none.csv; check the path"),
        (["A=a.csv,none.csv"], "there is no log at none.csv; check the path"),
    ],
)
def test_bad_specs_are_refused(write, specs, message):
    for name in ("a.csv", "b.csv", "sub/a.csv"):
        write(name)
    with pytest.raises(UserError) as error:
        load_arms(specs)
    assert str(error.value) == message


def test_a_run_is_a_seed_on_a_draw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "draw,seed,item,score\n0,7,x,1\n0,8,x,0\n1,7,x,1\n"
    Path("a.csv").write_text(rows)
    (arm,) = load_arms(["A=a.csv"], {"run": "seed"})
    assert arm.runs == ["draw 0, run 7", "draw 0, run 8", "draw 1, run 7"]
    Path("b.csv").write_text("draw,item,score\n0,x,1\n")
    Path("c.csv").write_text("draw,item,score\n0,x,0\n")
    (arm,) = load_arms(["A=b.csv,c.csv"])
    assert arm.runs == ["b.csv: draw 0", "c.csv: draw 0"]
    assert {row.draw for row in arm.rows} == {"0"}
