"""Which problem of a history each row of a pool is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool, read_pool
from suffice.scorers.histories.matching import match
from suffice.scorers.histories.protocol import History


def history(*keys, by="key"):
    return History("acc.json", "accuracies", list(keys), [np.array([0.5]) for _ in keys], by)


def pool_of(tmp_path, *rows, name="rows.jsonl"):
    path = tmp_path / name
    lines = [json.dumps({"instruction": q, "output": "It is so.", **more}) for q, more in rows]
    path.write_text("\n\n".join(lines) + "\n")
    return path


def test_by_id():
    pool = make_pool(3)
    found = match(history("x", pool.ids[2], pool.ids[0]), pool, None, "")
    assert (found.problems.tolist(), found.by) == ([2, -1, 1], "id")


def test_by_place_in_the_file_though_a_row_of_it_is_rejected(tmp_path):
    path = pool_of(tmp_path, ("a", {}), ("b", {"output": ""}), ("c", {}))
    pool = read_pool([path]).pool
    assert len(pool) == 2
    found = match(history("2", "0", "1"), pool, None, "")
    assert (found.problems.tolist(), found.by) == ([1, 0], "place")


def test_by_the_index_of_verl_before_the_place(tmp_path):
    rows = [
        ("a", {"extra_info": {"index": 124}}),
        ("a", {"extra_info": {"index": 124}}),
        ("b", {"extra_info": {"index": 0}}),
    ]
    pool = read_pool([pool_of(tmp_path, *rows)]).pool
    found = match(history("0", "124"), pool, None, "")
    assert (found.problems.tolist(), found.by) == ([1, 1, 0], "extra_info.index")


def test_by_a_named_field_of_several_files(tmp_path):
    first = pool_of(tmp_path, ("a", {"name": "x"}), name="a.jsonl")
    second = pool_of(tmp_path, ("b", {"name": "y"}), ("c", {}), ("d", {"name": ["x"]}), name="b.jsonl")
    pool = read_pool([first, second]).pool
    found = match(history("y", "x"), pool, None, "name")
    assert (found.problems.tolist(), found.by) == ([1, 0, -1, -1], "name")


def test_places_in_several_files_are_refused_by_name(tmp_path):
    files = [pool_of(tmp_path, (name, {}), name=f"{name}.jsonl") for name in "ab"]
    pool = read_pool(files).pool
    with pytest.raises(UserError) as error:
        match(history("0"), pool, None, "")
    assert str(error.value) == (
        f"the keys of acc.json are places in one file, and the pool is of 2: {files[0]}, {files[1]}; give the one file, or "
        "name the field that holds the keys with --set key=FIELD"
    )


def test_names_that_are_no_ids_are_refused():
    with pytest.raises(UserError) as error:
        match(history("q-7"), make_pool(2), None, "")
    assert str(error.value) == (
        "the keys of acc.json (first 'q-7') are no ids of rows and no whole numbers; name the field of the pool's "
        "files that holds them with --set key=FIELD"
    )


def test_a_file_that_is_gone_is_told():
    with pytest.raises(UserError) as error:
        match(history("1"), make_pool(2), None, "")
    assert str(error.value) == (
        "made.jsonl is not there, and the keys of its rows cannot be read; score from the folder where it is"
    )


def test_the_pool_of_another_training_is_refused_by_name(tmp_path):
    pool = read_pool([pool_of(tmp_path, ("a", {"name": "x"}), ("b", {}))]).pool
    with pytest.raises(UserError) as error:
        match(history("7"), pool, None, "")
    assert str(error.value) == (
        "no row of the pool has a key of acc.json by place: the history's first is '7', the first row's is '0'; "
        "give the pool that the training was made on"
    )
    with pytest.raises(UserError) as error:
        match(history("7"), pool, None, "number")
    assert "by number: the history's first is '7', no row has any" in str(error.value)


def test_by_what_is_asked():
    turns = (*chat("first", "reply"), *chat("second", "answer"))
    pool = Pool.from_examples(
        [make_example(turns, 1), make_example(chat(" asked ", "x"), 2), make_example(chat("no", "x"), 3)]
    )
    found = match(history("asked", "first\nsecond", by="prompt"), pool, None, "")
    assert (found.problems.tolist(), found.by) == ([1, 0, -1], "prompt")


def test_by_the_prompt_as_a_template_renders_it(tiny_model):
    pool = make_pool(3)
    made = [f"user\n{row.messages[0]['content']}\nassistant" for row in pool]
    with pytest.raises(UserError) as error:
        match(history(*made, by="prompt"), pool, None, "")
    assert str(error.value) == (
        "no row of the pool asks what a problem of acc.json asks (first 'user Row 0 river assistant'); give the model "
        "of the training with --model where its chat template rendered the prompts"
    )
    template = (
        "{% for m in messages %}{{ m.role + '\n' + m.content + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant\n' }}{% endif %}"
    )
    model = replace(tiny_model.source, chat_template=template).load()
    found = match(history(*reversed(made), by="prompt"), pool, model, "")
    assert (found.problems.tolist(), found.by) == ([2, 1, 0], "rendered prompt")


def test_prompts_take_no_key():
    with pytest.raises(UserError) as error:
        match(history("a", by="prompt"), make_pool(2), None, "name")
    assert str(error.value) == (
        "the problems of acc.json are named by their prompts, and the key 'name' was asked for; leave out the key"
    )
