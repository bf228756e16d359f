"""Budgets of tokens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_data import chat, make_example
from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.pool import Pool
from suffice.runs.folder import RunFolder
from suffice.runs.pipeline import bring_up_to_date
from suffice.runs.recipe import read_recipe
from suffice.runs.tokens import Lengths, lengths_of, within
from tiny_run import pool_rows, write_inputs, write_rows


def chosen_within(choose, values, limit, extent):
    return within(choose, int, Lengths(np.array(values), "tokens"), limit, extent)


@settings(max_examples=80)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 120), st.data())
def test_of_one_order_the_longest_beginning_that_fits(values, limit, data):
    order = data.draw(st.permutations(range(len(values))))
    fitting = [rows for rows in range(1, len(values) + 1) if sum(values[i] for i in order[:rows]) <= limit]
    if not fitting:
        with pytest.raises(UserError):
            chosen_within(lambda rows: order[:rows], values, limit, (1, len(values)))
        return
    found = chosen_within(lambda rows: order[:rows], values, limit, (1, len(values)))
    assert found == order[: max(fitting)]


@settings(max_examples=80)
@given(st.lists(st.integers(1, 9), min_size=4, max_size=30), st.integers(20, 120), st.integers(0, 99))
def test_of_any_order_one_that_fits_and_whose_next_does_not(values, limit, seed):
    """A selector whose choice changes with the budget, and which has no more than so many rows to give."""
    most = len(values) - 2

    def choose(rows):
        if rows > most:
            raise UserError("no more")
        return np.random.default_rng([seed, rows]).permutation(len(values))[:rows].tolist()

    found = chosen_within(choose, values, limit, (2, len(values)))
    total = Lengths(np.array(values), "tokens").total
    assert total(found) <= limit
    assert found == choose(len(found))
    assert len(found) == most or total(choose(len(found) + 1)) > limit


@pytest.mark.parametrize(
    ("fewest", "text"),
    [
        (1, "the first row chosen holds 7 tokens, more than the budget of 5; give --budget-tokens 7 or more"),
        (2, "the 2 rows that must be chosen hold 9 tokens, more than the budget of 5; give --budget-tokens 9 or more"),
    ],
)  # fmt: skip
def test_a_budget_too_small_for_anything(fewest, text):
    with pytest.raises(UserError) as caught:
        chosen_within(lambda rows: list(range(rows)), [7, 2, 1], 5, (fewest, 3))
    assert str(caught.value) == text


POOL = Pool.from_examples(
    make_example(chat(f"Question {i}", " ".join(["word"] * (1 + i % 7))), i + 1) for i in range(20)
)


def test_words_where_there_is_no_model():
    found = lengths_of(POOL, None, Silent())
    assert found.unit == "words"
    assert found.values.tolist() == [1 + i % 7 for i in range(20)]


def test_tokens_are_those_that_are_trained_on(tiny_model):
    found = lengths_of(POOL, tiny_model, Silent())
    assert found.unit == "tokens"
    assert found.values.tolist() == [sum(tiny_model.chat.encode(row.messages).trained) for row in POOL]


def test_a_command_states_what_it_chose(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_rows(Path("pool.jsonl"), pool_rows(30))
    words = ["--pool", "pool.jsonl", "--scorer", "length", "--out", "out"]
    assert run(["select", *words, "--budget-tokens", "60", "--at-least", "even=3", "--json", "--quiet"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    held = sum(len(row["messages"][-1]["content"].split()) for row in rows)
    assert manifest["tokens"] == {"budget": 60, "chosen": held, "unit": "words"}
    assert 52 < held <= 60
    assert sum(row["source"] == "even" for row in rows) >= 3
    assert run(["select", "out", "--budget-tokens", "60"]) == 0
    told = capsys.readouterr().out
    assert re.match(r"\d of 30 rows chosen with \d\d of 60 words, 2\d left, 0 rejected\.", told)
    assert run(["select", *words, "--budget", "3", "--budget-tokens", "60"]) == 2
    assert capsys.readouterr().err == (
        "suffice: --budget counts rows and --budget-tokens tokens; give one of the two\n"
    )


def test_a_run_has_a_budget_of_tokens(tmp_path, monkeypatch, tiny_model_folder, tiny_model):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, tiny_model_folder)
    recipe = read_recipe("tiny.yaml", {"selection.budget_tokens": 60, "selection.scorer": "length"})
    folder = RunFolder(Path("run"))
    with folder.locked():
        folder.adopt(recipe)
        done = bring_up_to_date(folder, recipe, Silent(), until="select")
    lengths = [sum(tiny_model.chat.encode(row.messages).trained) for row in done.pool]
    held = sum(lengths[i] for i in done.selected)
    assert folder.stamp("select")["tokens"] == held <= 60
    for arm in done.arms:
        if arm.kind in ("random", "longest"):
            assert arm.arm == f"{arm.kind}-60t"
            assert sum(lengths[i] for i in arm.rows) <= 60


def test_a_budget_of_tokens_has_no_curve_and_no_selection_made_elsewhere():
    given_ = {"pool": ["p"], "target.file": "t", "selection.budget_tokens": 60}
    with pytest.raises(UserError) as caught:
        read_recipe("lima", given_ | {"design.budgets": [1, 2]})
    assert str(caught.value).endswith(
        "a budget of tokens has no curve; leave out design.budgets; mend the recipe"
    )
    with pytest.raises(UserError, match="a selection made elsewhere takes no constraints"):
        read_recipe("lima", given_ | {"selection.file": "s.jsonl"})


def test_a_scored_folder_measures_by_the_tokenizer_of_its_scoring(
    tmp_path, monkeypatch, capsys, tiny_model_folder, tiny_model
):
    monkeypatch.chdir(tmp_path)
    write_rows(Path("pool.jsonl"), pool_rows(12))
    scored = ["score", "--pool", "pool.jsonl", "--scorer", "length", "--model", str(tiny_model_folder)]
    assert run([*scored, "--out", "out", "--quiet"]) == 0
    assert run(["select", "out", "--budget-tokens", "40", "--json", "--quiet"]) == 0
    tokens = json.loads(capsys.readouterr().out.splitlines()[-1])["tokens"]
    rows = [json.loads(line) for line in Path("out/selection.jsonl").read_text().splitlines()]
    held = sum(sum(tiny_model.chat.encode(row["messages"]).trained) for row in rows)
    assert tokens == {"budget": 40, "chosen": held, "unit": "tokens"}
