"""The layout of 1-shot RLVR: one JSON object with a list of accuracies for each problem."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.scorers.histories import read_history
from suffice.scorers.histories.accuracies import LIMIT, Accuracies

GOOD = {"b": [0, 0.125, 1], "a": [0.5]}


def written(tmp_path, text, name="acc.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("acc.json", json.dumps(GOOD).encode()),
        ("ACC.JSON", b"\xef\xbb\xbf \n" + json.dumps(GOOD).encode()),
        ("acc.json.gz", gzip.compress(json.dumps(GOOD, indent=4).encode(), mtime=0)),
    ],
)
def test_keys_keep_the_order_of_the_file(tmp_path, name, data):
    history = read_history(written(tmp_path, data, name))
    assert (history.format, history.named_by, history.keys) == ("accuracies", "key", ["b", "a"])
    assert [one.tolist() for one in history.accuracies] == [[0, 0.125, 1], [0.5]]
    assert history.unread == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0.5", "0.5 is no list of accuracies"),
        ('"0.5"', '"0.5" is no list of accuracies'),
        ("null", "null is no list of accuracies"),
        ('{"x": 1}', '[["x", 1]] is no list of accuracies'),
        ("[]", "the list is empty"),
        ("[0.5, null]", "the accuracy null in place 2 is no number from 0 to 1"),
        ("[true]", "the accuracy true in place 1 is no number from 0 to 1"),
        ('["1"]', 'the accuracy "1" in place 1 is no number from 0 to 1'),
        ("[1.01]", "the accuracy 1.01 in place 1 is no number from 0 to 1"),
        ("[-1]", "the accuracy -1 in place 1 is no number from 0 to 1"),
        ("[NaN]", "the accuracy NaN in place 1 is no number from 0 to 1"),
        ("[1e999]", "the accuracy Infinity in place 1 is no number from 0 to 1"),
        ("[[0.5]]", "the accuracy [0.5] in place 1 is no number from 0 to 1"),
    ],
)
def test_a_bad_problem_is_told_and_stops_nothing(tmp_path, value, reason):
    history = read_history(written(tmp_path, f'{{"x": {value}, "y": [1]}}'))
    assert history.keys == ["y"]
    assert [(one.place, one.reason) for one in history.unread] == [('key "x"', reason)]


def test_of_a_key_that_is_there_twice_the_first_counts(tmp_path):
    history = read_history(written(tmp_path, '{"x": [0.5], "x": [1]}'))
    assert (history.keys, history.accuracies[0].tolist()) == (["x"], [0.5])
    assert history.unread[0].reason == "the key is there twice"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        ('{"x": [0.5]', "cannot be read as JSON: Expecting ',' delimiter"),
        (b'{"x\xff": [1]}', "cannot be read as JSON: 'utf-8' codec can't decode"),
        ('{"x": ' + "[" * 100_000, "cannot be read as JSON: maximum recursion depth"),
        ("{}", "holds no problem with accuracies; write it as"),
        ('{"x": 1}', 'holds no problem with accuracies: key "x", 1 is no list of accuracies; write it as'),
        ('{"x": [' + "9" * 5_000 + "]}", "cannot be read as JSON: Exceeds the limit"),
    ],
)
def test_a_file_without_a_problem_is_refused(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_history(path)
    assert f"{path} {message}" in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "[[0.5]]", "null", "\x00\x00"])
def test_what_is_no_object_is_in_no_known_form(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_history(path)
    assert str(error.value) == (
        f"{path} is in no known form of accuracy history (tried: accuracies, trl, verl); give a JSON object of lists "
        "of accuracies, the completions folder of TRL, or the rollout_data_dir of verl"
    )


def test_a_path_without_anything(tmp_path):
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "none.json")
    assert str(error.value) == f"there is no history at {tmp_path / 'none.json'}; check the path"


def test_a_reward_is_asked_for_in_vain(tmp_path):
    path = written(tmp_path, json.dumps(GOOD))
    with pytest.raises(UserError) as error:
        read_history(path, "acc")
    assert (
        str(error.value)
        == f"{path} holds accuracies, and the reward 'acc' was asked for; leave out the reward"
    )


def test_a_packed_file_is_not_unpacked_without_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("suffice.scorers.histories.accuracies.LIMIT", 10)
    path = written(tmp_path, gzip.compress(json.dumps(GOOD).encode()), "acc.json.gz")
    with pytest.raises(UserError) as error:
        read_history(path)
    assert str(error.value) == f"{path} is longer than 10 bytes; split it into files of fewer problems"
    assert LIMIT == 2**29


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=4), ANY | st.lists(st.floats(0, 1), max_size=4), max_size=6))
def test_every_problem_is_read_or_told(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("made") / "acc.json"
    path.write_text(json.dumps(made))
    whole = {
        key: value
        for key, value in made.items()
        if isinstance(value, list)
        and value
        and all(isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x <= 1 for x in value)
    }
    if not whole:
        with pytest.raises(UserError):
            Accuracies().read(path, "")
        return
    history = Accuracies().read(path, "")
    assert history.keys == list(whole)
    assert [one.tolist() for one in history.accuracies] == list(whole.values())
    assert len(history.keys) + len(history.unread) == len(made)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 40))
def test_damage_never_ends_in_anything_but_a_user_error(tmp_path_factory, noise, at):
    whole = json.dumps({"x": [0.5, 1], "y": [0.25]}).encode()
    path = tmp_path_factory.mktemp("made") / "acc.json"
    path.write_bytes(whole[:at] + noise + whole[at:])
    form = Accuracies()
    if form.detect(path):
        try:
            history = form.read(path, "")
        except UserError:
            return
        assert all(((one >= 0) & (one <= 1)).all() for one in history.accuracies)
