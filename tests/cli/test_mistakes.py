"""Every mistake ends in one line on standard error, exit code 2, and with --json an object on standard output."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from suffice.cli.main import run
from tiny_run import BAD_ROWS, write_inputs, write_rows

SCORE = ["score", "--pool", "pool.jsonl", "--scorer", "sentence", "--out", "out"]
SELECT = ["select", "--scorer", "length", "--budget", "2", "--out", "out"]
RUN = ["run", "tiny.yaml", "--out", "out"]


@pytest.fixture
def files(tmp_path, monkeypatch, tiny_model_folder):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    return tmp_path


def fails(words, capsys, text, code=2):
    """Checks what a command says, without and with --json."""
    assert run(words) == code
    assert capsys.readouterr() == ("", f"suffice: {text}\n")
    assert run([*words, "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err == f"suffice: {text}\n"
    assert [json.loads(line) for line in captured.out.splitlines()] == [{"error": text}]


def test_a_missing_file(files, capsys):
    fails(
        [*SELECT, "--quiet", "--pool", "pol.jsonl"], capsys, "no file pol.jsonl; did you mean 'pool.jsonl'?"
    )
    fails(
        [*SELECT, "--quiet", "--pool", "x/*.jsonl"],
        capsys,
        "no file matches 'x/*.jsonl'; check the folder and the pattern, and quote it in the shell",
    )
    fails(
        [*RUN, "--quiet", "--target", "targt.jsonl"],
        capsys,
        "no file targt.jsonl; did you mean 'target.jsonl'?",
    )
    fails(["run", "mine.yaml"], capsys, "no recipe file mine.yaml; check the path")
    fails([*RUN, "--quiet", "--selection", "no.jsonl"], capsys, "no selection file no.jsonl; check the path")
    assert run([*RUN, "--quiet", "--until", "pool"]) == 0  # none of it stands in the way of the right names


@pytest.mark.parametrize("words", [SELECT, RUN])
def test_an_empty_pool(files, capsys, words):
    Path("empty.jsonl").touch()
    shown = Path("empty.jsonl").absolute() if words is RUN else "empty.jsonl"  # a run goes on from anywhere
    fails(
        [*words, "--quiet", "--pool", "empty.jsonl"],
        capsys,
        f"the pool is empty: no row in {shown}; give a file with rows",
    )


@pytest.mark.parametrize("words", [SELECT, RUN])
def test_a_pool_with_no_usable_row(files, capsys, words):
    write_rows(Path("bad.jsonl"), [BAD_ROWS[1], *BAD_ROWS])
    shown = Path("bad.jsonl").absolute() if words is RUN else "bad.jsonl"
    fails(
        [*words, "--quiet", "--pool", "bad.jsonl"],
        capsys,
        f"no usable row among 3 in {shown}; most often E106 unknown-format (2 rows, first {shown}, line 1: "
        "no known format has the fields 'text'); rename its fields to those of a known format, such as messages, or instruction and output",
    )


@pytest.mark.parametrize("words", [[*SELECT, "--pool", "pool.jsonl"], RUN])
def test_a_budget_larger_than_the_pool(files, capsys, words):
    fails(
        [*words, "--quiet", "--budget", "61"],
        capsys,
        "the budget of 61 rows is larger than the pool of 60 usable rows; give --budget 60 or less",
    )


@pytest.mark.parametrize("words", [["select", "--pool", "pool.jsonl", "--budget", "2", "--out", "out"], RUN])
def test_an_unknown_scorer(files, capsys, words):
    fails([*words, "--scorer", "lenght"], capsys, "unknown scorer 'lenght'; did you mean 'length'?")
    fails(
        [*words, "--scorer", "length", "--selector", "tpo"],
        capsys,
        "unknown selector 'tpo'; did you mean 'top'?",
    )


def test_dev_and_test_overlap(files, capsys):
    rows = [json.loads(line) for line in Path("target.jsonl").read_text().splitlines()]
    write_rows(Path("target.jsonl"), [*rows, rows[0] | {"id": "again", "split": "test"}])
    text = (
        "dev and test overlap: target.jsonl, line 1 (dev) and target.jsonl, line 17 (test) ask the same; "
        "remove one of the two or give both the same split"
    )
    fails(RUN, capsys, text)
    fails([*SELECT[:-1], "other", "--pool", "pool.jsonl", "--target", "target.jsonl"], capsys, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (
            "*.safetensors",
            (
                "the model folder model has no weights (*.safetensors); "
                "save the model with save_pretrained, which writes safetensors"
            ),
        ),
        (
            "tokenizer.json",
            (
                "the model folder model has no tokenizer (tokenizer.json, tokenizer.model, vocab.json, vocab.txt, "
                "spiece.model); save the tokenizer into the same folder with save_pretrained"
            ),
        ),
        (
            "config.json",
            "the model folder model has no config.json; give a folder in the transformers format",
        ),
    ],
)
def test_a_model_folder_that_lacks_something(files, capsys, tiny_model_folder, pattern, text):
    shutil.copytree(tiny_model_folder, "model")
    for path in Path("model").glob(pattern):
        path.unlink()
    text = text.replace("folder model", f"folder {files / 'model'}")
    fails([*RUN, "--model", "model"], capsys, text)
    fails([*SELECT[:-1], "other", "--quiet", "--pool", "pool.jsonl", "--model", "model"], capsys, text)


def test_a_run_folder_of_another_recipe(workplace, capsys):
    words = ["run", "tiny.yaml", "--out", "run"]
    fails(
        [*words, "--margin", "1"],
        capsys,
        "run holds a run of another recipe: design.margin is 2.0 there and 1.0 here; choose a new --out",
    )
    Path("other.jsonl").write_text(Path("target.jsonl").read_text())
    fails(
        [*words, "--target", "other.jsonl"],
        capsys,
        f"run holds a run of another recipe: target.file is 'target.jsonl' there and '{Path('other.jsonl').absolute()}' "
        "here; choose a new --out",
    )
    Path("target.jsonl").write_text(
        Path("target.jsonl").read_text().replace('"answer": "12"', '"answer": "13"')
    )
    for verb in (words, ["prove", "run"]):
        fails(verb, capsys, "the target of run changed after the run was begun; choose a new --out")
    fails(
        [*SELECT[:-1], "run", "--pool", "pool.jsonl"],
        capsys,
        "run holds a run, which has a selection of its own; choose a new --out",
    )


def test_a_folder_without_a_run(files, capsys):
    text = "{0} holds no run; begin one with: suffice run lima … --out {0}"
    for verb in ("score", "select", "train", "evaluate", "prove", "report"):
        fails([verb, "nowhere"], capsys, text.format("nowhere"))
    assert not Path("nowhere").exists()
    fails(["run", "tiny.yaml", "--out", "."], capsys, ". is not empty and holds no run; choose a new --out")


def test_an_arm_that_must_not_be_left_out(files, capsys):
    fails(
        [*RUN, "--arms", "base,random"],
        capsys,
        "tiny.yaml: design.arms: the arm 'selected' is missing, and it is what a run judges; mend the recipe",
    )
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "out/selection.jsonl"),
            (
                "the disk is full while writing out/selection.jsonl; "
                "free space and run the same command again; finished work is kept"
            ),
        ),
        (
            RuntimeError("OSError: [Errno 28] No space left on device"),  # as a worker or a library tells it
            "the disk is full; free space and run the same command again; finished work is kept",
        ),
    ],
)
def test_a_full_disk(files, capsys, monkeypatch, error, text):
    def full(*_):
        raise error

    monkeypatch.setattr("suffice.runs.alone.write_selection", full)
    fails([*SELECT, "--quiet", "--pool", "pool.jsonl"], capsys, text)
    assert not Path("out/manifest.json").exists()


def test_a_place_that_cannot_be_written(files, capsys, monkeypatch):
    def read_only(*_):
        raise OSError(errno.EROFS, "Read-only file system", "out/selection.jsonl")

    monkeypatch.setattr("suffice.runs.alone.write_selection", read_only)
    fails(
        [*SELECT, "--quiet", "--pool", "pool.jsonl"],
        capsys,
        "out/selection.jsonl cannot be used: Read-only file system; mend it, or choose another place",
    )
    fails(
        ["lab", "export", "pool.jsonl"],
        capsys,
        "pool.jsonl cannot be used: File exists; mend it, or choose another place",
    )


def test_a_choice_that_fails_leaves_the_one_before_it_whole(files, capsys):
    assert run([*SELECT, "--quiet", "--pool", "pool.jsonl"]) == 0
    before = Path("out/manifest.json").read_bytes()
    capsys.readouterr()
    fails(
        [
            "select",
            "--scorer",
            "length",
            "--budget",
            "500",
            "--out",
            "out",
            "--quiet",
            "--pool",
            "pool.jsonl",
        ],
        capsys,
        "the budget of 500 rows is larger than the pool of 60 usable rows; give --budget 60 or less",
    )
    assert Path("out/manifest.json").read_bytes() == before


def test_dev_examples_without_a_target(files, capsys):
    fails(
        [*SELECT, "--quiet", "--pool", "pool.jsonl", "--dev", "target.jsonl"],
        capsys,
        "target.jsonl holds dev examples of no target; give --target FILE as well",
    )


def test_any_other_failure_is_not_hushed_up(files, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("suffice.runs.alone.write_selection", broken)
    with pytest.raises(OSError, match="Input/output error"):
        run([*SELECT, "--quiet", "--pool", "pool.jsonl"])


def test_ctrl_c(files, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("suffice.runs.alone.write_selection", interrupted)
    fails(
        [*SELECT, "--quiet", "--pool", "pool.jsonl"],
        capsys,
        "interrupted; run the same command again to continue; finished work is kept",
        code=130,
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["bogus"], "No such command 'bogus'; see suffice --help"),
        (["run"], "Missing argument 'RECIPE'; see suffice run --help"),
        (
            ["run", "lima", "--bogus"],
            "No such option: --bogus (Possible options: --budgets, --columns, --out); see suffice run --help",
        ),
        (["score"], "score lacks --pool, --scorer, --out; give them, or a run folder"),
        (
            ["score", "x", "--seed", "3"],
            "x holds no run; begin one with: suffice run lima … --out x",
        ),
        (
            [*SCORE, "--set", "encoder"],
            "--set has 'encoder'; write NAME=VALUE once for each option, such as --set size=4096",
        ),
        (
            [*SCORE, "--set", "encodr=x"],
            "unknown option of the scorer sentence: 'encodr'; did you mean 'encoder'?",
        ),
        (
            ["run", "tiny.yaml", "--set", "size=2"],
            "the scorer 'embedding' has no options; leave out size",
        ),
        (["list", "selectors", "top"], "selectors have no options; suffice list selectors"),
        (["lab"], "Missing command; see suffice lab --help"),
        (["select"], "select lacks --pool, --scorer, --budget, --out; give them, or a run folder"),
        (
            ["select", "x", "--budget", "3"],
            "x holds no scores and no run; suffice score --pool … --scorer … --out x",
        ),
        (["list", "scorer"], "unknown kind 'scorer'; did you mean 'scorers'?"),
        (["run", "lema"], "unknown recipe 'lema'; did you mean 'lima'?"),
        (["run", "lima"], "recipe lima lacks 'pool'; give it with --pool"),
        (["run", "lima", "--pool", "p"], "recipe lima lacks 'target'; give it with --target"),
        (["run", "tiny.yaml", "--until", "scor"], "unknown stage 'scor'; did you mean 'score'?"),
    ],
)
def test_usage(files, capsys, words, text):
    before = sorted(files.iterdir())
    assert run(words) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")
    assert run([*words, "--json"]) == 2
    assert list(json.loads(capsys.readouterr().out)) == ["error"]
    assert sorted(files.iterdir()) == before


def test_no_words_are_a_call_for_help(capsys):
    assert run([]) == 0
    assert capsys.readouterr().out.startswith("Usage: suffice [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["select", "begun", "--budget", "3"], "chosen from"),
        (["score", "begun", "--seed", "3"], "scored"),
        (["prove", "begun", "--margin", "1"], "judged"),
    ],
)
def test_a_run_goes_by_its_own_recipe(files, capsys, words, done):
    Path("begun").mkdir()
    Path("begun/recipe.yaml").write_text(Path("tiny.yaml").read_text())
    text = f"begun is {done} by its own recipe; leave out all options but --json and --quiet"
    fails(words, capsys, text)
