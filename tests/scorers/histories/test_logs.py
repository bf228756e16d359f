"""Logs of TRL and verl: one line a rollout, gathered into one accuracy for each problem and step."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.scorers.histories import read_history
from suffice.scorers.histories.trl import asked


def verl_step(folder, step, rollouts, **fields):
    """Writes a step as verl does: an object a line, of the input, the output and the score."""
    folder.mkdir(exist_ok=True)
    lines = [
        {"input": prompt, "output": "…", "gts": "7", "score": score, "step": step, **fields}
        for prompt, score in rollouts
    ]
    (folder / f"{step}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def trl_step(folder, step, rollouts, completion="…", **columns):
    """Writes a step as TRL does: a table with a row a rollout."""
    inside = folder / "completions"
    inside.mkdir(parents=True, exist_ok=True)
    table = {
        "step": [step] * len(rollouts),
        "prompt": [prompt for prompt, _ in rollouts],
        "completion": [f"{completion} {i}" for i in range(len(rollouts))],
        "accuracy_reward": [reward for _, reward in rollouts],
        **columns,
        "advantage": [0.0] * len(rollouts),
    }
    pq.write_table(pa.table(table), inside / f"completions_{step:05d}.parquet")


def found(history):
    return {key: one.tolist() for key, one in zip(history.keys, history.accuracies, strict=True)}


def test_verl_by_step_and_not_by_name(tmp_path):
    verl_step(tmp_path / "r", 10, [("a", 1), ("a", 1), ("b", 0)])
    verl_step(tmp_path / "r", 9, [("b", 0.5), ("a", 0), ("a", 1)])
    history = read_history(tmp_path / "r")
    assert (history.format, history.named_by) == ("verl", "prompt")
    assert found(history) == {"b": [0.5, 0], "a": [0.5, 1]}
    assert found(read_history(tmp_path / "r" / "9.jsonl")) == {"b": [0.5], "a": [0.5]}


def test_verl_takes_acc_before_score_and_another_when_asked(tmp_path):
    verl_step(tmp_path / "r", 1, [("a", -1), ("a", 1)], acc=True, strict=0)
    assert found(read_history(tmp_path / "r")) == {"a": [1]}
    assert found(read_history(tmp_path / "r", "strict")) == {"a": [0]}
    history = read_history(tmp_path / "r", "score")
    assert found(history) == {"a": [1]}
    assert [(one.place, one.reason) for one in history.unread] == [
        ("1.jsonl, line 1", "the reward -1 is no number from 0 to 1")
    ]
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "r", "scores")
    assert str(error.value) == "unknown reward 'scores'; did you mean 'score'?"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is no JSON"),
        ("[1]", "it is no object"),
        ('{"input": "", "step": 1, "score": 1}', "there is no prompt"),
        ('{"input": 7, "step": 1, "score": 1}', "there is no prompt"),
        ('{"input": "a", "score": 1}', "the step None is no whole number"),
        ('{"input": "a", "step": 1.5, "score": 1}', "the step 1.5 is no whole number"),
        ('{"input": "a", "step": true, "score": 1}', "the step True is no whole number"),
        ('{"input": "a", "step": -1, "score": 1}', "the step -1 is no whole number"),
        ('{"input": "a", "step": 1, "score": "1"}', "the reward '1' is no number from 0 to 1"),
        ('{"input": "a", "step": 1, "score": 2}', "the reward 2 is no number from 0 to 1"),
        ('{"input": "a", "step": 1, "score": [1]}', "the reward [1] is no number from 0 to 1"),
    ],
)
def test_a_bad_line_is_told_and_stops_nothing(tmp_path, line, reason):
    verl_step(tmp_path / "r", 1, [("a", 1)])
    with (tmp_path / "r" / "1.jsonl").open("a") as file:
        file.write(line + "\n" + json.dumps({"input": "a", "output": "", "score": 0, "step": 1}) + "\n")
    history = read_history(tmp_path / "r")
    assert found(history) == {"a": [0.5]}
    ((place, told),) = history.unread
    assert place == "1.jsonl, line 2"
    assert told == reason or (reason == "it is no JSON" and "JSON" in told)


def test_a_reward_that_is_missing_is_counted_and_not_zero(tmp_path):
    verl_step(tmp_path / "r", 1, [("a", 1), ("a", None), ("b", None), ("a", float("nan"))])
    history = read_history(tmp_path / "r")
    assert found(history) == {"a": [1]}
    assert history.notes == {"rollouts_without_reward": 3, "files_repeated": 0}
    verl_step(tmp_path / "none", 1, [("a", None)])
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "none")
    assert str(error.value) == (
        f"{tmp_path / 'none'} holds no rollout that can be used: all 1 rollouts lack a reward; name the reward that "
        "is 1 for right and 0 for wrong with --set reward=NAME"
    )


def test_trl_with_prompts_as_text_and_as_conversations(tmp_path):
    trl_step(tmp_path / "text", 1, [("a", 1.0), ("a", 0.0)])
    trl_step(tmp_path / "text", 2, [("a", 1.0), ("b", 0.0)])
    for path in (tmp_path / "text", tmp_path / "text" / "completions"):
        assert found(read_history(path)) == {"a": [0.5, 1], "b": [0]}
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a"}]
    trl_step(tmp_path / "chat", 1, [(turns, 1.0)])
    history = read_history(tmp_path / "chat" / "completions" / "completions_00001.parquet")
    assert (history.format, found(history)) == ("trl", {"a": [1]})


def test_trl_writes_its_last_rollouts_again_and_they_count_once(tmp_path):
    trl_step(tmp_path / "r", 1, [("a", 1.0), ("a", 0.0)], "first")
    trl_step(tmp_path / "r", 2, [("a", 1.0), ("a", 0.0)], "first")
    trl_step(tmp_path / "r", 3, [("a", 1.0), ("a", 0.0)], "second")
    history = read_history(tmp_path / "r")
    assert found(history) == {"a": [0.5, 0.5]}
    assert history.notes["files_repeated"] == 1


def test_trl_with_several_rewards_asks_which(tmp_path):
    trl_step(tmp_path / "r", 1, [("a", 1.0)], format_reward=[0.0], solution=["7"])
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "r")
    assert str(error.value) == (
        f"{tmp_path / 'r'} holds 2 rewards: accuracy_reward, format_reward; name the one that is 1 for right and 0 for "
        "wrong, such as --set reward=accuracy_reward"
    )
    assert found(read_history(tmp_path / "r", "format_reward")) == {"a": [0]}
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "r", "acc_reward")
    assert str(error.value) == "unknown reward 'acc_reward'; did you mean 'accuracy_reward'?"


def test_trl_without_a_reward(tmp_path):
    trl_step(tmp_path / "r", 1, [("a", None)])
    with pytest.raises(UserError) as error:
        read_history(tmp_path / "r")
    assert str(error.value) == f"{tmp_path / 'r'} holds no reward; log one with each rollout"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a", "a"),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "a\nc"),
        ([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "a"}]}], "\na"),
        ([{"role": "user", "content": None}], ""),
        ([{"role": "system", "content": "a"}], None),
        ([1, "x"], None),
        (None, None),
        (7, None),
    ],
)  # fmt: skip
def test_what_is_asked(prompt, text):
    assert asked(prompt) == text


def test_a_damaged_file_is_told(tmp_path):
    trl_step(tmp_path / "r", 1, [("a", 1.0)])
    (tmp_path / "r" / "completions" / "completions_00002.parquet").write_bytes(b"PAR1 no")
    history = read_history(tmp_path / "r")
    assert found(history) == {"a": [1]}
    assert [one.place for one in history.unread] == ["completions_00002.parquet, row 1"]


def test_folders_of_other_things_are_in_no_known_form(tmp_path):
    (tmp_path / "1.jsonl").write_text('{"messages": []}\n')
    (tmp_path / "completions_00001.parquet").write_bytes(b"")
    with pytest.raises(UserError, match="is in no known form of accuracy history"):
        read_history(tmp_path)


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", " a ", "", None]),
        st.sampled_from([1, 2, 3, None]),
        st.sampled_from([0, 1, 0.5, True, None, 2, "x"]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(LINES)
def test_every_rollout_is_counted_missing_or_told(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("r")
    first = ("a", 0, 1)
    rows = [first, *lines]
    (folder / "0.jsonl").write_text(
        "".join(
            json.dumps({"input": key, "output": "", "step": step, "score": score}) + "\n"
            for key, step, score in rows
        )
    )
    expected: dict[str, dict[int, list[float]]] = {}
    missing = 0
    for key, step, score in rows:
        if not (key or "").strip() or step is None:
            continue
        if score is None:
            missing += 1
        elif score not in (2, "x"):
            expected.setdefault(key.strip(), {}).setdefault(step, []).append(float(score))
    history = read_history(folder)
    assert found(history) == {
        key: pytest.approx([sum(steps[s]) / len(steps[s]) for s in sorted(steps)])
        for key, steps in expected.items()
    }
    counted = sum(len(scores) for steps in expected.values() for scores in steps.values())
    assert history.notes["rollouts_without_reward"] == missing
    assert counted + missing + len(history.unread) == len(rows)
