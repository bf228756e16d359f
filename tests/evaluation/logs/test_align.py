"""Arms brought into line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.evaluation.logs import Log, LogRow
from suffice.evaluation.logs.align import AGGREGATES_CANNOT, align, not_shared
from suffice.evaluation.logs.arms import LoggedArm


def arm(name, rows, aggregates=False, lower=None):
    """An arm from (run, item, score) or such with fields of its own."""
    made = []
    for run, item, score, *more in rows:
        fields = {"task": "t", "metric": "acc"} | (more[0] if more else {})
        made.append(LogRow(item=item, score=float(score), run=run, arm=name, **fields))
    log = Log(f"{name}.csv", "table", made, lower or {}, aggregates=aggregates)
    return LoggedArm(name, [log], made, list(dict.fromkeys(row.run for row in made)))


def refused(*arms):
    with pytest.raises(UserError) as error:
        align(arms)
    return str(error.value)


def test_two_arms_by_hand():
    one = arm("A", [("1", "x", 1), ("1", "y", 0), ("2", "y", 0.5), ("2", "x", 0.25)])
    two = arm("B", [("s", "y", 0.75), ("s", "x", 1)])
    (found,) = align([one, two])
    assert (found.task, found.metric, found.filter) == ("t", "acc", "")
    assert found.items == ["x", "y"]
    assert found.arms["A"].tolist() == [[1, 0], [0.25, 0.5]]
    assert found.arms["B"].tolist() == [[1, 0.75]]
    assert found.runs == {"A": ["1", "2"], "B": ["s"]}
    assert (found.warnings, found.lower_is_better, found.aggregates) == ([], False, False)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.data())
def test_any_order_and_any_repeats_give_the_means(data):
    """The matrices against a plain dictionary of lists, from rows in any order."""
    items = [f"i{number}" for number in range(data.draw(st.integers(1, 4)))]
    expected, arms = {}, []
    for name in ("A", "B", "C")[: data.draw(st.integers(2, 3))]:
        runs = [f"r{number}" for number in range(data.draw(st.integers(1, 3)))]
        cells = {
            (run, item): data.draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3))
            for run in runs
            for item in items
        }
        rows = [
            (run, item, score, {"sample": sample})
            for (run, item), scores in cells.items()
            for sample, score in enumerate(scores)
        ]
        arms.append(arm(name, data.draw(st.permutations(rows))))
        expected[name] = cells
    (found,) = align(arms)
    assert sorted(found.items) == sorted(items)
    for name, cells in expected.items():
        for place, run in enumerate(found.runs[name]):
            means = [np.mean(cells[run, item]) for item in found.items]
            assert found.arms[name][place] == pytest.approx(means)


def test_repeats_are_told():
    one = arm("A", [("1", "x", 1, {"sample": 0}), ("1", "x", 0, {"sample": 1}), ("1", "y", 0)])
    two = arm("B", [("1", "x", 1), ("1", "y", 0)])
    (found,) = align([one, two])
    assert found.arms["A"].tolist() == [[0.5, 0]]
    assert found.warnings == [
        "Answers to one item in one run are averaged and do not count as runs ('A' 1 to 2, 'B' 1 an item)."
    ]


def test_texts_for_looking_at_items():
    one = arm(
        "A",
        [
            ("1", "x", 1, {"prompt": "p", "answer": "r", "reply": "first"}),
            ("2", "x", 1, {"prompt": "p", "answer": "r", "reply": "second"}),
        ],
    )
    two = arm("B", [("1", "x", 1, {"reply": "other"})])
    (found,) = align([one, two])
    assert (found.prompts, found.answers) == (["p"], ["r"])
    assert found.replies == {"A": ["first"], "B": ["other"]}


def test_differing_prompts_and_answers_warn():
    same = {"prompt": "p", "answer": "r"}
    one = arm(
        "A",
        [
            ("1", "x", 1, same),
            ("1", "y", 1, same),
            ("2", "x", 1, same),
            ("2", "y", 1, same | {"prompt": "q"}),
        ],
    )
    two = arm(
        "B", [("1", "x", 1, same | {"prompt": "q", "answer": ""}), ("1", "y", 1, same | {"answer": "s"})]
    )
    (found,) = align([one, two])
    assert found.warnings == [
        "1 of 2 prompts differ between the runs of 'A'.",
        "1 of 2 prompts differ between 'A' and 'B'.",
        "1 of 2 answers differ between 'A' and 'B'.",
    ]


def test_other_items_are_refused_with_the_list():
    one = arm("A", [("1", item, 1) for item in "abcdefg"])
    two = arm(
        "B",
        [("1", item, 1, {"prompt": "Ask\n" + "z" * 50}) for item in "ghij"]
        + [("2", item, 1) for item in "abcdefghij"],
    )
    assert refused(one, two) == (
        "task 't', metric 'acc': the runs do not hold the same items: "
        f"'A' (run '1') lacks 3 of 10: 'h' (Ask {'z' * 36}…), 'i' (Ask {'z' * 36}…), 'j' (Ask {'z' * 36}…); "
        "'B' (run '1') lacks 6 of 10: 'a', 'b', 'c' and 3 more; "
        "evaluate every run on the same items, or take the others out of the logs"
    )
    many = arm("C", [(f"{run}", "a", 1) for run in range(5)])
    assert refused(many, arm("D", [("1", "a", 1), ("1", "b", 1)])) == (
        "task 't', metric 'acc': the runs do not hold the same items: 'C' (run '0') lacks 1 of 2: 'b'; "
        "'C' (run '1') lacks 1 of 2: 'b'; 'C' (run '2') lacks 1 of 2: 'b'; and so on for 2 more runs; "
        "evaluate every run on the same items, or take the others out of the logs"
    )


def test_what_all_runs_share_is_compared_and_the_rest_told():
    other, filtered = {"task": "u"}, {"filter": "f"}
    one = arm(
        "A",
        [
            ("1", "x", 1),
            ("1", "x", 1, other),
            ("2", "x", 0),
            ("1", "x", 1, filtered),
            ("2", "x", 1, filtered),
        ],
    )
    two = arm(
        "B", [("1", "x", 1), ("1", "x", 0, other), ("1", "x", 0, filtered), ("1", "x", 0, {"metric": "f1"})]
    )
    assert [(found.task, found.metric, found.filter) for found in align([one, two])] == [
        ("t", "acc", ""),
        ("t", "acc", "f"),
    ]
    assert not_shared([one, two]) == [
        "Not compared, since 'A' (run '2') lacks it: task 'u', metric 'acc'.",
        "Not compared, since 'A' (run '1'), 'A' (run '2') lacks it: task 't', metric 'f1'.",
    ]


def test_nothing_shared_is_refused():
    one = arm("A", [("1", "x", 1, {"task": name}) for name in "abcde"])
    two = arm("B", [("1", "x", 1, {"task": "", "filter": "f"})])
    assert refused(one, two) == (
        "the arms share no task, metric and filter: 'A' has task 'a', metric 'acc', task 'b', metric 'acc', "
        "task 'c', metric 'acc' and 2 more; 'B' has metric 'acc', filter 'f'; "
        "give logs of the same evaluation, scored alike"
    )


def test_one_arm_is_refused():
    assert (
        refused(arm("A", [("1", "x", 1)])) == "there is one arm; give two logs or more: suffice compare A B"
    )
    assert refused() == "there is no arm; give two logs or more: suffice compare A B"


def test_averages_of_runs_say_what_they_cannot_show():
    one = arm("A", [("0", "", 38.5), ("1", "", 39.5)], aggregates=True)
    two = arm("B", [("0", "", 37), ("7", "", 36)], aggregates=True)
    (found,) = align([one, two])
    assert found.aggregates
    assert found.warnings == [AGGREGATES_CANNOT]
    assert found.items == [""]
    assert found.arms["A"].tolist() == [[38.5], [39.5]]
    assert refused(one, arm("C", [("0", "x", 1)])) == (
        "averages of runs cannot be compared with items: 'A' holds averages, 'C' holds items; give logs of one kind"
    )


def test_the_direction_of_a_metric():
    rows = [("1", "x", 1)]
    silent, lower = arm("A", rows), arm("B", rows, lower={("t", "acc"): True, ("t", "f1"): False})
    higher = arm("C", rows, lower={("t", "acc"): False})
    assert align([silent, lower])[0].lower_is_better
    assert not align([silent, higher])[0].lower_is_better
    assert refused(lower, higher) == (
        "task 't', metric 'acc': higher is better in one log and lower in another; give logs of one version of the task"
    )


def test_an_item_in_two_clusters_is_refused():
    one = arm("A", [("1", "x", 1, {"cluster": "c"}), ("1", "y", 1, {"cluster": "d"})])
    assert align([one, arm("B", [("1", "y", 1, {"cluster": "d"}), ("1", "x", 1, {"cluster": "c"})])])[
        0
    ].clusters == ["c", "d"]
    assert refused(one, arm("B", [("1", "x", 1, {"cluster": "c"}), ("1", "y", 1, {"cluster": "e"})])) == (
        "task 't', metric 'acc': item 'y' is in cluster 'd' and in cluster 'e' (arm 'B'); give every item one cluster"
    )
