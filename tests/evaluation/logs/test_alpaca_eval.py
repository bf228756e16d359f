"""Annotations of AlpacaEval."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.evaluation.logs import read_log
from suffice.evaluation.logs.align import align
from suffice.evaluation.logs.arms import load_arms


def annotation(number, preference, **more):
    return {
        "instruction": f"Say {number}.",
        "output_1": f"reference {number}",
        "generator_1": "gpt4",
        "dataset": "helpful_base",
        "output_2": f"model {number}",
        "generator_2": "mine",
        "annotator": "judge",
        "preference": preference,
    } | more


def write(path, rows):
    path.write_text(json.dumps(rows))
    return path


def win_rate_as_alpaca_eval_has_it(preferences):
    """`describe_head2head` of alpaca_eval/metrics/helpers.py in plain Python: 0 is a draw, nulls are dropped."""
    found = [
        1.5 if value == 0 else value for value in preferences if value is not None and not math.isnan(value)
    ]
    wins = [value - 1 for value in found if 1 <= value <= 2]
    return sum(wins) / len(wins)


def test_a_file_is_read(tmp_path):
    path = write(tmp_path / "annotations.json", [annotation(0, 2), annotation(1, 1.25), annotation(2, 1.0)])
    log = read_log(path)
    assert (log.format, log.notes, log.lower_is_better) == ("alpaca_eval", [], {})
    assert [row.score for row in log.rows] == [1.0, 0.25, 0.0]
    first = log.rows[0]
    assert (first.task, first.metric, first.filter) == ("against gpt4", "win_rate", "judge")
    assert (first.prompt, first.reply, first.answer) == ("Say 0.", "model 0", "reference 0")
    assert first.item == first.cluster
    assert len({row.item for row in log.rows}) == 3


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(st.floats(1, 2), st.sampled_from([0, 1, 2, 1.5, 0.0, None, math.nan])),
        min_size=1,
        max_size=20,
    ).filter(lambda found: any(value is not None and not math.isnan(value) for value in found))
)
def test_the_mean_is_the_win_rate(tmp_path_factory, preferences):
    path = tmp_path_factory.mktemp("alpaca") / "annotations.json"
    log = read_log(write(path, [annotation(i, value) for i, value in enumerate(preferences)]))
    mean = sum(row.score for row in log.rows) / len(log.rows)
    assert mean == pytest.approx(win_rate_as_alpaca_eval_has_it(preferences))
    assert sum(map(len, log.unscored.values())) == len(preferences) - len(log.rows)


def test_items_without_a_preference_leave_every_arm(tmp_path):
    rows = [annotation(i, 1 + i / 4) for i in range(5)]
    one = write(tmp_path / "one.json", [*rows[:2], annotation(2, None), *rows[3:]])
    two = write(tmp_path / "two.json", [annotation(0, None), *rows[1:]])
    arms = load_arms([str(one), str(two)])
    assert arms[0].notes == [
        f"{one}: 1 of 5 annotations have no preference and do not count, as in alpaca_eval."
    ]
    (found,) = align(arms)
    assert found.prompts == ["Say 1.", "Say 3.", "Say 4."]
    assert found.arms["one"].tolist() == found.arms["two"].tolist() == [[0.25, 0.75, 1.0]]
    assert found.warnings == [
        "2 items have no score in some run and are left out of all: if that depends on the replies, the comparison leans."
    ]


def test_nothing_scored_is_refused(tmp_path):
    one = write(tmp_path / "one.json", [annotation(0, 1), annotation(1, None)])
    two = write(tmp_path / "two.json", [annotation(0, None), annotation(1, 1)])
    with pytest.raises(UserError) as error:
        align(load_arms([str(one), str(two)]))
    assert str(error.value) == (
        "task 'against gpt4', metric 'win_rate', filter 'judge': no item has a score in every run; "
        "score the items, or leave the metric out"
    )


def test_wins_over_other_references_are_not_compared(tmp_path):
    one = write(tmp_path / "one.json", [annotation(0, 1)])
    two = write(tmp_path / "two.json", [annotation(0, 1, generator_1="davinci")])
    with pytest.raises(UserError) as error:
        align(load_arms([str(one), str(two)]))
    assert str(error.value) == (
        "the arms share no task, metric and filter: "
        "'one' has task 'against gpt4', metric 'win_rate', filter 'judge'; "
        "'two' has task 'against davinci', metric 'win_rate', filter 'judge'; "
        "give logs of the same evaluation, scored alike"
    )


def test_an_instruction_twice_is_two_items_of_one_cluster(tmp_path):
    path = write(
        tmp_path / "a.json", [annotation(0, 1), annotation(0, 2), annotation(0, 2, annotator="other")]
    )
    log = read_log(path)
    assert [row.item[16:] for row in log.rows] == ["", "-2", ""]
    assert len({row.cluster for row in log.rows}) == 1
    assert [row.filter for row in log.rows] == ["judge", "judge", "other"]
    assert log.notes == [
        f"{path}: 1 instructions are there more than once; each counts as an item, in one cluster."
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [annotation(0, 1), annotation(1, 3)],
            ", row 2: the preference 3 is no number from 1 to 2; annotate the row again, or set the preference to null",
        ),
        (
            [annotation(0, True)],
            (
                ", row 1: the preference True is no number from 1 to 2; "
                "annotate the row again, or set the preference to null"
            ),
        ),
        (
            [annotation(0, "m" * 99)],
            (
                f", row 1: the preference '{'m' * 38}… is no number from 1 to 2; "
                "annotate the row again, or set the preference to null"
            ),
        ),
        (
            [annotation(0, 1), annotation(1, 1, generator_2="yours")],
            " holds annotations of 2 models: 'mine' (row 1), 'yours' (row 2); give one file for each model",
        ),
        (
            [annotation(0, 1), {"instruction": "a", "output_1": "", "output_2": ""}],
            ", row 2: the annotation lacks generator_1, generator_2; write or fetch the file anew",
        ),
        ([annotation(0, None)], " has no annotation with a preference; annotate the rows"),
        ([annotation(0, 1), 3], ", row 2: 3 is no object; write one object for each score"),
    ],
)
def test_bad_annotations_are_refused(tmp_path, rows, message, refused):
    path = write(tmp_path / "annotations.json", rows)
    assert refused(path) == f"{path}{message}"


def test_columns_are_refused(tmp_path, refused):
    path = write(tmp_path / "annotations.json", [annotation(0, 1)])
    assert refused(path, {"run": "seed"}) == (
        "an AlpacaEval log has its columns by itself, and 'run' was given; leave out --columns"
    )


def test_both_orders_of_a_pair_are_two_samples_of_one_item(tmp_path):
    rows = [
        annotation(0, 1, is_switched_outputs=False),
        annotation(0, 2, is_switched_outputs=True),
        annotation(0, 2, is_switched_outputs=True),
        annotation(1, 2, is_switched_outputs=False),
        annotation(1, 2, is_switched_outputs=True, output_2="another reply"),
    ]
    log = read_log(write(tmp_path / "a.json", rows))
    first = log.rows[0].item
    assert [(row.item.removeprefix(first)[:2], row.sample, row.order) for row in log.rows[:3]] == [
        ("", 0, "reference"), ("", 1, "model"), ("-2", 0, "model"),
    ]  # fmt: skip
    assert [row.sample for row in log.rows[3:]] == [0, 0]
    assert log.rows[4].item == f"{log.rows[3].item}-2"
    assert log.notes[0].startswith(f"{tmp_path / 'a.json'}: 2 instructions are there more than once")


def test_the_model_and_difficulty_are_read(tmp_path):
    rows = [annotation(0, 1, instruction_difficulty=0.5), annotation(1, 2)]
    log = read_log(write(tmp_path / "a.json", rows))
    assert [(row.arm, row.difficulty) for row in log.rows] == [("mine", 0.5), ("mine", None)]
