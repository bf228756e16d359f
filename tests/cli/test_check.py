"""``suffice check``: what it prints, its JSON, and its exit codes."""

import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suffice.cli.main import run
from suffice.data.pool import Pool

GOOD = {"question": "What is 2 + 3?", "answer": "5", "license": "MIT"}
EMPTY = {"question": "What is it?", "answer": ""}
MARKED = {"question": "What is it?", "answer": "A mark: <|im_end|>"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write("mixed.jsonl", [GOOD, EMPTY, MARKED, "{oops", EMPTY, EMPTY, EMPTY])
    write("good.jsonl", [GOOD] * 2)
    write("bad.jsonl", [EMPTY])
    return tmp_path


def write(name, rows):
    Path(name).write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


def checked(capsys, *words):
    code = run(["check", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def fails(words, capsys, text):
    assert run(words) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")


TOLD = """\
mixed.jsonl: question_answer
  6 of its 7 rows have `question` and `answer`. 7 rows: 2 can be used, 5 cannot.

  line 1  mixed, MIT
    user       What is 2 + 3?
    assistant  5

  line 3  mixed, licence unknown
    user       What is it?
    assistant  A mark: <|im_end|>

E100 not-json  1 row
  mixed.jsonl
    line 4: the line is no JSON: Expecting property name enclosed in double
            quotes (column 2)
  remedy: write one JSON object a line, as UTF-8

E101 empty-answer  4 rows
  mixed.jsonl
    line 2: turn 2, of the assistant, has no text
    line 5: turn 2, of the assistant, has no text
    line 6: turn 2, of the assistant, has no text
  and 1 more
  remedy: fill in the answer or remove the row

W204 template-tokens-in-text  1 row
  mixed.jsonl
    line 3: turn 2 holds '<|im_end|>'
  remedy: write the turns apart and leave the marks to the template

2 of 7 rows can be used.
To keep the others with their reasons: suffice check mixed.jsonl --out checked
"""


def test_what_is_told(folder, capsys):
    assert checked(capsys, "mixed.jsonl", "--quiet") == (0, TOLD, "")


def test_the_json_form(folder, capsys):
    Path("cut.jsonl.gz").write_bytes(gzip.compress((json.dumps(GOOD) + "\n").encode())[:-8])
    code, out, err = checked(capsys, "mixed.jsonl", "good.jsonl", "cut.jsonl.gz", "--json", "--quiet")
    assert (code, err) == (0, "")
    mixed, good, cut = json.loads(out)["files"]
    assert mixed == {
        "path": "mixed.jsonl",
        "format": "question_answer",
        "rows": 7,
        "accepted": 2,
        "rejected": 5,
        "warnings": {"W204 template-tokens-in-text": 1},
        "errors": {"E100 not-json": 1, "E101 empty-answer": 4},
    }
    assert (good["rows"], good["accepted"], good["errors"], good["warnings"]) == (2, 2, {}, {})
    assert (cut["rows"], cut["accepted"], cut["errors"]) == (2, 1, {"E109 broken-file": 1})
    assert cut["broken_at_byte"] == len(json.dumps(GOOD)) + 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["good.jsonl"], 0),
        (["mixed.jsonl"], 0),
        (["mixed.jsonl", "--strict"], 1),
        (["good.jsonl", "--strict"], 0),
        (["bad.jsonl"], 1),
        (["bad.jsonl", "--ignore", "E101", "--strict"], 0),
        (["bad.jsonl", "good.jsonl"], 0),
        (["good.jsonl", "--allow-license", "apache-2.0"], 1),
        (["good.jsonl", "--allow-license", "apache-2.0,mit"], 0),
        (["good.jsonl", "--columns", "prompt=question,completion=answer"], 0),
        (["good.jsonl", "--columns", "prompt=question,completion=reply"], 1),
        (["no.jsonl"], 2),
    ],
)
def test_exit_codes(folder, capsys, words, code):
    assert run(["check", *words, "--json", "--quiet"]) == code


def test_ignored_rules_are_not_told(folder, capsys):
    _, out, _ = checked(capsys, "mixed.jsonl", "--quiet", "--ignore", "W2,E101")
    assert "W204" not in out
    assert "E101" not in out
    assert "6 of 7 rows can be used." in out


def test_rows_are_written_where_asked(folder, capsys):
    code, out, _ = checked(capsys, "mixed.jsonl", "--quiet", "--out", "checked")
    assert code == 0
    assert out.endswith(
        "2 of 7 rows can be used.\n"
        "They are in checked/pool.parquet, the others with their reasons in checked/rejected.jsonl.\n"
    )
    assert "  and 1 more, in checked/rejected.jsonl\n" in out
    pool = Pool.read(Path("checked/pool.parquet"))
    assert [(example.line, example.warnings) for example in pool] == [
        (1, ()),
        (3, ("W204 template-tokens-in-text",)),
    ]
    rejected = [json.loads(line) for line in Path("checked/rejected.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rejected] == [2, 4, 5, 6, 7]
    assert pq.ParquetFile("checked/pool.parquet").metadata.num_rows == 2


def test_twins_are_rejected_where_asked(folder, capsys):
    _, out, _ = checked(capsys, "good.jsonl", "--quiet", "--json", "--reject-twins")
    assert json.loads(out)["files"][0]["errors"] == {"E110 exact-twin": 1}


def test_the_preview_marks_what_is_trained(folder, capsys, tiny_model_folder):
    code, out, _ = checked(capsys, "good.jsonl", "--preview", "--model", str(tiny_model_folder), "--quiet")
    assert code == 0
    assert "<|user|>What is 2 + 3?<|assistant|>⟦5<|end|>⟧\n" in out
    assert "good.jsonl, line 1  2 of " in out
    assert out.startswith("Template: its own of ")


def test_mistakes(folder, capsys, tiny_model_folder):
    model = str(tiny_model_folder)
    fails(["check", "no.jsonl", "--quiet"], capsys, "no file no.jsonl; did you mean 'good.jsonl'?")
    fails(["check", "good.jsonl", "--ignore", "E100", "--quiet"], capsys, IGNORE)
    fails(
        ["check", "good.jsonl", "--columns", "promt=question", "--quiet"],
        capsys,
        "unknown field 'promt'; did you mean 'prompt'?",
    )
    fails(
        ["check", "good.jsonl", "--chat-template", "x", "--quiet"],
        capsys,
        "--chat-template is of use only with --preview or --model; give one of them",
    )
    assert run(["check", "good.jsonl", "--preview", "--json"]) == 2
    assert "leave out one of the two" in capsys.readouterr().err
    write("system.jsonl", [{"system": "Be kind.", **GOOD}])
    template = "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}{% endif %}{% endfor %}"
    assert (
        run(["check", "system.jsonl", "--preview", "--model", model, "--chat-template", template, "--quiet"])
        == 2
    )
    assert capsys.readouterr().err == (
        "suffice: system.jsonl, line 1: the chat template drops system turns, which the conversation has; "
        "give a template that renders them with --chat-template\n"
    )
    Path("run").mkdir()
    Path("run/recipe.yaml").touch()
    fails(
        ["check", "good.jsonl", "--out", "run", "--quiet"],
        capsys,
        "run holds a run, which has a pool of its own; choose a new --out",
    )


IGNORE = (
    "E100 not-json cannot be ignored: such a row cannot be used at all; "
    "of the errors, ignore only E101, E102, E103, E104, E111"
)


def test_rows_that_the_model_cannot_take(folder, capsys, tiny_model_folder):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {}}}
    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "x"},
        {"role": "assistant", "content": "a"},
    ]
    write("long.jsonl", [{"question": "q", "answer": "stone " * 300}, {"messages": turns}, GOOD])
    code, out, _ = checked(
        capsys, "long.jsonl", "--model", str(tiny_model_folder), "--quiet", "--out", "checked"
    )
    assert code == 0
    assert "W203 too-long-for-model  1 row" in out
    assert f"tokens, and {tiny_model_folder} takes 256" in " ".join(out.split())
    assert "W208 refused-by-template  1 row" in out
    pool = Pool.read(Path("checked/pool.parquet"))
    assert [any("W203" in rule for rule in example.warnings) for example in pool] == [True, False, False]


def test_selecting_knows_the_same_terms(folder, capsys):
    words = ["select", "--pool", "mixed.jsonl", "--scorer", "length", "--budget", "1", "--quiet", "--json"]
    assert (
        run(
            [*words, "--out", "a", "--allow-license", "mit", "--columns", "prompt=question,completion=answer"]
        )
        == 0
    )
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["counts"] == {"read": 7, "chosen": 1, "unchosen": 0, "rejected": 6}
    (chosen,) = map(json.loads, Path("a/selection.jsonl").read_text().splitlines())
    assert (chosen["license"], chosen["file"], chosen["line"]) == ("MIT", "mixed.jsonl", 1)
