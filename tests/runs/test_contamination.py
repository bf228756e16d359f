"""Where fresh questions come from, and the command that tells contamination."""

import json
import re

import pytest

from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.evaluation import completion
from suffice.models.generation import Reply
from suffice.runs.contamination import sides_of, words_of
from tiny_run import write_rows


def item(number, task="all", question="How much is {} and one?"):
    prompt = ({"role": "user", "content": question.format(number)},)
    return TargetItem(f"t{number}", prompt, str(number), task, "test", f"c{number}")


TARGET = [item(number) for number in range(6)]


def test_a_file_of_fresh_questions(tmp_path):
    rows = [{"prompt": f"How much is {i} and one?", "answer": "1"} for i in range(10, 14)]
    file = str(write_rows(tmp_path / "fresh.jsonl", rows))
    sides = sides_of(file, TARGET, TARGET, items=3, seed=0)
    assert {name: len(items) for name, items in sides.named.items()} == {"test": 3, "fresh": 3}
    write_rows(
        tmp_path / "fresh.jsonl", [*rows, {"prompt": "how much is 5  and one?", "answer": "6", "id": "f"}]
    )
    with pytest.raises(
        UserError,
        match=re.escape(f"{file}: the fresh question 'f' is in the target too; take it out of the file"),
    ):
        sides_of(file, TARGET, TARGET[:2], items=None, seed=0)


def test_as_many_calculations_as_items():
    sides = sides_of("random-calculation", TARGET, TARGET, items=None, seed=0)
    assert len(sides.fresh) == 6
    assert sides_of("", TARGET, TARGET, items=None, seed=0).named == {"test": TARGET}


def test_the_lab_draws_problems_that_are_in_no_target():
    from suffice.lab.target import target_rows
    from suffice.lab.world import build_world

    rows = target_rows(build_world(), 30, 1, ("chain", "class"))
    target = [
        TargetItem(row["id"], ({"role": "user", "content": row["prompt"]},), "a", row["task"], row["split"], row["cluster"])
        for row in rows
    ]  # fmt: skip
    test = [one for one in target if one.split == "test"]
    sides = sides_of("lab", target, test, items=30, seed=0)
    assert sides.notes == (
        "Left out: class, of which the lab has too few problems beyond those of the target.",
    )
    assert len(sides.test) == len(sides.fresh) == 30
    assert {one.task for one in [*sides.test, *sides.fresh]} == {"chain"}
    assert not {words_of(one) for one in sides.fresh} & {words_of(one) for one in target}
    assert sides.fresh == sides_of("lab", target, test, items=30, seed=0).fresh
    assert sides.fresh != sides_of("lab", target, test, items=30, seed=1).fresh
    few = "the lab has too few problems of class beyond those of the target; ask for fewer items, or give a target of other families"
    with pytest.raises(UserError, match=f"^{re.escape(few)}$"):
        sides_of("lab", target, [one for one in test if one.task == "class"], items=30, seed=0)
    strange = "the target's task 'all' is no family of the lab; give a file of fresh questions, or random-calculation"
    with pytest.raises(UserError, match=f"^{re.escape(strange)}$"):
        sides_of("lab", TARGET, TARGET, items=None, seed=0)


def recite(questions):
    """Returns what stands for a model that knows questions by heart, and says nothing of use of others."""

    def generate(model, prompts, *, max_new_tokens):
        texts = [model.tokenizer.decode(prompt) for prompt in prompts]
        known = [next((one for one in questions if one.startswith(text)), text + " no") for text in texts]
        return [Reply(one[len(text) :], 0, True, 0) for one, text in zip(known, texts, strict=True)]

    return generate


def test_the_command(tmp_path, monkeypatch, capsys, tiny_model_folder):
    monkeypatch.chdir(tmp_path)
    names = "river stone apple dog story".split() * 4  # noqa: SIM905
    test = [f"Write {i} of them about the {name} by the {names[-i]}." for i, name in enumerate(names)]
    write_rows(tmp_path / "target.jsonl", [{"prompt": text, "answer": "1", "split": "test"} for text in test])
    write_rows(
        tmp_path / "fresh.jsonl",
        [{"prompt": text.replace("Write", "Tell"), "answer": "1"} for text in test]
        + [{"prompt": "a b", "answer": "1"}],
    )
    monkeypatch.setattr(completion, "generate", recite(test))
    words = ["contamination", "--model", str(tiny_model_folder), "--target", "target.jsonl", "--quiet"]
    assert run([*words, "--fresh", "fresh.jsonl", "--out", "rows.jsonl", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "shown"
    assert (found["test"]["exact"]["estimate"], found["fresh"]["exact"]["estimate"]) == (100, 0)
    assert (found["fresh"]["items"], found["fresh"]["short"]) == (20, 1)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 40
    assert rows[3] == {
        "set": "test", "item": "target-4", "cluster": rows[3]["cluster"], "prefix": "Write 3 of them about the",
        "rest": "dog by the apple.", "written": "dog by the apple.", "exact": True, "rouge_l": 100.0,
    }  # fmt: skip
    assert run([*words, "--fresh", "fresh.jsonl", "--items", "10"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^difference +\+100.0 \(\+56.4 to \+100.0\) +\+100.0 \(", told, re.MULTILINE)
    assert "Contamination is shown: the model writes the rest of 100.0 % (" in told


def test_mistakes_of_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("target", "fresh"):
        write_rows(tmp_path / f"{name}.jsonl", [{"prompt": "What?", "answer": "1", "split": "test"}])
    for words, text in (
        (["--model", "x"], "Missing option '--target'; see suffice contamination --help"),
        (
            ["--model", "x", "--target", "target.jsonl", "--fresh", "frsh.jsonl"],
            "no file frsh.jsonl; did you mean 'fresh.jsonl'?",
        ),
    ):
        assert run(["contamination", *words]) == 2
        assert capsys.readouterr().err == f"suffice: {text}\n"
