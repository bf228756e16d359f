"""Every verb once in a process of its own, on real if tiny things."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from suffice.cli.main import run
from suffice.data.pool import Pool
from suffice.runs.fields import recipe_names
from suffice.scorers.protocol import Scores
from tiny_run import write_inputs

SUFFICE = Path(sys.executable).with_name("suffice")


def call(*words):
    """Runs a command; returns the one JSON object on standard output, and standard error."""
    done = subprocess.run([SUFFICE, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    return json.loads(line), done.stderr


@pytest.fixture
def files(tmp_path, monkeypatch, tiny_model_folder):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    return tmp_path


def test_select(files):
    found, progress = call(
        "select", "--pool", "pool.jsonl", "--scorer", "length", "--budget", 2, "--out", "out"
    )
    assert found["counts"] == {"read": 62, "chosen": 2, "unchosen": 58, "rejected": 2}
    assert found == json.loads(Path("out/manifest.json").read_text())
    assert [line.split()[0] for line in progress.splitlines()] == ["read", "score"]
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    assert [len(row["messages"][1]["content"].split()) for row in rows] == [9, 9]
    assert len(Path("out/rejected.jsonl").read_text().splitlines()) == 2


def test_select_with_a_model_and_a_target(files, tiny_model_folder, capsys):
    words = ["select", "--pool", "pool.jsonl", "--scorer", "embedding", "--budget", "4", "--out", "out"]
    assert run([*words, "--quiet", "--target", "target.jsonl", "--model", str(tiny_model_folder)]) == 0
    assert capsys.readouterr() == ("", "")
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    assert [row["evidence"]["task"] for row in rows] == ["add", "sum", "add", "sum"]
    assert [row["evidence"]["dev"] for row in rows] == ["item-0", "item-1", "item-2", "item-3"]
    content = Path("out/selection.jsonl").read_bytes()
    assert run([*words, "--target", "target.jsonl", "--model", str(tiny_model_folder)]) == 0  # from the cache
    assert Path("out/selection.jsonl").read_bytes() == content
    captured = capsys.readouterr()
    assert captured.out == "4 of 62 rows chosen, 56 left, 2 rejected. Next: look at out/selection.jsonl\n"
    assert captured.err.startswith("read")


def test_score_and_then_select(files, capsys):
    about, _ = call("score", "--pool", "pool.jsonl", "--scorer", "length", "--out", "scored")
    assert about["counts"] == {"read": 62, "usable": 60, "rejected": 2, "scored": 60}
    assert about == json.loads(Path("scored/scoring.json").read_text())
    assert Scores.read(Path("scored/scores.parquet")).ids == Pool.read(Path("scored/pool.parquet")).ids
    found, _ = call("select", "scored", "--budget", 2)
    assert found["counts"] == {"read": 62, "chosen": 2, "unchosen": 58, "rejected": 2}
    call("select", "--pool", "pool.jsonl", "--scorer", "length", "--budget", 2, "--out", "out")
    assert Path("scored/selection.jsonl").read_bytes() == Path("out/selection.jsonl").read_bytes()
    assert run(["select", "scored"]) == 2
    assert (
        capsys.readouterr().err
        == "suffice: select lacks --budget; give how many rows to choose, or --budget-tokens\n"
    )
    assert run(["select", "scored", "--budget", "2", "--pool", "pool.jsonl"]) == 2
    assert capsys.readouterr().err == (
        "suffice: scored has been scored already; give only how to choose: --budget, --selector and constraints\n"
    )
    assert run(["score", "--pool", "pool.jsonl", "--scorer", "random", "--out", "scored", "--quiet"]) == 0
    assert not Path("scored/selection.jsonl").exists()  # it was chosen by other scores


def test_options_of_a_scorer(files, capsys):
    assert run(["list", "scorers", "sentence"]) == 0
    assert capsys.readouterr().out == (
        "arXiv 1908.10084\ncost: words counted and reduced, or a forward pass of the encoder\n--set:\n"
        "  encoder          A sentence-transformers model, folder or hub id; without one,\n"
        "                   latent semantic analysis.\n"
    )
    found, _ = call("list", "scorers", "length")
    assert found["options"] == []


@pytest.mark.parametrize("verb", ["score", "select", "train", "evaluate", "prove", "report"])
def test_a_stage_of_a_finished_run(workplace, verb):
    before = {path: path.stat().st_mtime_ns for path in Path("run").rglob("*") if path.is_file()}
    found, progress = call(verb, "run")
    assert found["run"] == "run"
    if verb in ("prove", "report"):
        assert list(found) == ["verdict", "arms", "costs", "run"]
    else:
        assert found["stage"] == verb
        assert found["seconds"] >= 0
    assert progress == ""
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_stage_does_its_work(workplace, capsys):
    for verb, lost in (("score", "scores.parquet"), ("select", "selection.jsonl"), ("evaluate", "outcomes.parquet"),
                       ("prove", "verdict.json"), ("report", "report.html")):  # fmt: skip
        path = Path("run") / lost
        path.unlink()
        assert run([verb, "run", "--json", "--quiet"]) == 0
        assert path.exists()
        captured = capsys.readouterr()
        assert captured.err == ""
        assert json.loads(captured.out)["run"] == "run"


def test_a_finished_run_is_told_in_words(workplace, capsys):
    assert run(["run", "tiny.yaml", "--out", "run"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0].split() == ["arm", "score", "95", "%", "interval", "runs", "rows", "steps", "epochs"]
    assert [line.split()[0] for line in lines[1:6]] == ["base", "random-8", "longest-8", "selected-8", "full"]
    assert all(len(line) <= 80 for line in lines[:7])
    verdict = json.loads(Path("run/verdict.json").read_text())["verdict"]
    assert verdict["sentence"] in lines
    assert lines[-1] == "Report: run/report.html"


def test_list():
    found, progress = call("list", "scorers")
    names = [about["name"] for about in found]
    assert names == sorted(names)
    assert {"length", "embedding", "random", "sentence"} <= set(names)
    assert {tuple(about) for about in found} == {("name", "paper", "needs", "cost")}
    assert found[names.index("embedding")] == {
        "name": "embedding",
        "paper": "arXiv 2503.01807",
        "needs": ["model", "target"],
        "cost": "a forward pass of every row",
    }
    selectors, _ = call("list", "selectors")
    assert {about["name"]: about["needs"] for about in selectors}["deita"] == ["scores", "vectors"]
    assert progress == ""


def test_list_in_words(capsys):
    assert run(["list", "recipes"]) == 0
    assert capsys.readouterr().out.split() == recipe_names()


def test_env():
    found, _ = call("env")
    assert {"suffice", "python", "torch", "platform", "cores", "memory_gb"} <= found.keys()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_lab_export(files):
    found, _ = call("lab", "export", "lab")
    assert found == {"pool": "lab/pool.jsonl", "target": "lab/target.jsonl"}
    with Path("lab/pool.jsonl").open() as rows:
        assert sum(1 for _ in rows) >= 15_000
    splits = [json.loads(line)["split"] for line in Path("lab/target.jsonl").read_text().splitlines()]
    assert {"dev", "test"} == set(splits)


def test_lab_build(files):
    found, progress = call("lab", "build", "--steps", 2, "--out", "base", "--quiet")
    assert found["settings"]["steps"] == 2
    assert found == json.loads(Path("base/lab.json").read_text())
    assert {path.name for path in Path("base").iterdir()} >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    }
    assert progress == ""


def test_version(capsys):
    import suffice

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"suffice {suffice.__version__}\n"
