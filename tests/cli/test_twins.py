"""``suffice twins``: what it writes, says and refuses."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suffice.cli.main import run
from suffice.data.pool import read_pool
from suffice.data.twins import search

LONG = (
    "Tell me in a few plain words how a small boat gets over the wide river at night without any light at all "
    "and with no map that shows the way home"
)
PROMPTS = [
    LONG,
    LONG.upper().replace(" ", "  "),  # exact
    f"{LONG}?!",  # the same words
    LONG.replace("boat", "ship"),  # near
    "What is the capital of France",
    "Something else altogether",
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": prompt, "completion": "Yes."} for prompt in PROMPTS]
    Path("pool.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, {"prompt": ""}]))
    return tmp_path


def found(words, capsys):
    assert run(["twins", "pool.jsonl", "--json", "--quiet", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_every_row_is_kept_removed_or_rejected(files, capsys):
    summary = found(["--out", "out"], capsys)
    counts = {
        "rows": 6,
        "kept": 3,
        "removed": 3,
        "exact": 1,
        "same_words": 1,
        "nearly": 1,
        "clusters": 1,
        "pairs": 3,
    }
    settings = {"method": "near", "threshold": 0.8, "floor": 0.6, "seed": 0, "reused": False}
    assert {name: summary[name] for name in counts | settings} == counts | settings
    assert (summary["read"], summary["rejected"]) == (7, 1)
    assert sum(summary["similarities"].values()) == 3
    assert json.loads(Path("out/twins.json").read_text()) == summary
    kept, removed = lines("out/kept.jsonl"), lines("out/removed.jsonl")
    assert [row["line"] for row in kept] == [1, 5, 6]
    assert [(row["line"], row["twin"]["line"]) for row in removed] == [(2, 1), (3, 1), (4, 1)]
    assert [row["similarity"] for row in removed] == [1, 1, round(28 / 34, 4)]
    assert len(lines("out/rejected.jsonl")) == 1
    clusters = pq.read_table("out/clusters.parquet").to_pydict()
    assert clusters["row"] == [0, 1, 2, 3]
    assert set(clusters["cluster"]) == set(clusters["twin"]) == {kept[0]["id"]}
    assert clusters["stays"] == [True, False, False, False]


def test_kept_rows_are_read_again_as_they_were(files, capsys):
    found(["--out", "out"], capsys)
    before, after = read_pool(["pool.jsonl"]).pool, read_pool(["out/kept.jsonl"]).pool
    assert [row.id for row in after] == [before.ids[row] for row in (0, 4, 5)]
    assert after.sources == ["pool"] * 3
    assert found([], capsys)["removed"] == 3


def test_another_threshold_reuses_the_pairs(files, capsys, monkeypatch):
    found(["--out", "out"], capsys)
    monkeypatch.setattr(search.TwinSearch, "find", None)
    again = found(["--out", "out", "--threshold", "0.99"], capsys)
    assert (again["reused"], again["removed"], again["nearly"]) == (True, 2, 0)
    assert len(lines("out/kept.jsonl")) == 4
    with pytest.raises(TypeError):
        run(["twins", "pool.jsonl", "--out", "out", "--seed", "5", "--quiet"])
    assert not Path("out/twins.json").exists() or json.loads(Path("out/twins.json").read_text())["seed"] == 0


@pytest.mark.parametrize(("method", "removed"), [("exact", 1), ("semantic", 2)])
def test_other_methods(files, capsys, method, removed):
    assert found(["--method", method], capsys)["removed"] == removed


def test_embeddings_of_a_model(files, capsys, tiny_model_folder):
    summary = found(["--method", "semantic", "--model", str(tiny_model_folder), "--threshold", "1"], capsys)
    assert summary["removed"] >= 1


def test_what_it_says(files, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["twins", "pool.jsonl", "--out", "out"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Cluster of 4 rows, of which 1 stays:"
    assert said[1].startswith("  stays       pool.jsonl:1 Tell me in a few plain words")
    assert said[2].startswith("  0.")
    assert "to it  pool.jsonl:4 Tell me" in said[2]
    assert all(len(line) <= 80 for line in said[:3])
    assert said[-2:] == [
        "3 of 6 rows are twins of rows that stay (50.0 %: 1 exact, 1 of the same words, 1 nearly); 3 stay.",
        "Rows that stay: out/kept.jsonl",
    ]


def test_a_run_folder_is_left_alone(files, capsys):
    Path("run").mkdir()
    Path("run/recipe.yaml").touch()
    assert run(["twins", "pool.jsonl", "--out", "run"]) == 2
    text = "suffice: run holds a run, which has files of the same names; choose a new --out\n"
    assert capsys.readouterr() == ("", text)
    assert [path.name for path in Path("run").iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--method", "nera"], "unknown method 'nera'; did you mean 'near'?"),
        (
            ["--threshold", "0.5"],
            "the threshold of near twins is 0.5; give 0.6 to 1; pairs below are not stored",
        ),
        (
            ["--threshold", "80"],
            "the threshold of near twins is 80; give 0.6 to 1; pairs below are not stored",
        ),
        (
            ["--method", "exact", "--threshold", "0.9"],
            "the threshold of exact twins is 0.9; leave it out: it is 1",
        ),
        (
            ["--model", "lab"],
            "--model is for semantic twins alone; leave it out, or give --method semantic",
        ),
    ],
)
def test_mistakes(files, capsys, words, text):
    assert run(["twins", "pool.jsonl", *words]) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")
