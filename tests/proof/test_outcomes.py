"""The outcome table: written, read, refused, and turned into matrices."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from suffice.common.errors import UserError
from suffice.proof.outcomes import SCHEMA, outcome_table, read_outcomes, scored, write_outcomes


def row(arm="full", item="q1", seed=0, score=1.0, **more):
    return {
        "arm": arm,
        "kind": arm.split("-")[0],
        "draw": 0,
        "seed": seed,
        "item": item,
        "task": "fact",
        "cluster": "paris",
        "sample": 0,
        "score": score,
        "stopped": True,
        "extracted": None,
        "reply": "Paris",
        **more,
    }


def test_a_table_comes_back_as_it_was_written(tmp_path):
    table = outcome_table([row(), row(item="q2", score=0.5)])
    write_outcomes(tmp_path / "outcomes.parquet", table)
    assert read_outcomes(tmp_path / "outcomes.parquet").equals(table)
    assert [path.name for path in tmp_path.iterdir()] == ["outcomes.parquet"]


def test_rows_in_any_order_become_runs_by_items():
    rows = [
        row("random-2", "q2", seed=5, draw=1, score=0.25),
        row("base", "q1", score=0.0, cluster="c1"),
        row("random-2", "q1", seed=9, draw=0, score=1.0, cluster="c1"),
        row("random-2", "q1", seed=5, draw=1, score=0.75, cluster="c1"),
        row("base", "q2", score=1.0),
        row("random-2", "q2", seed=9, draw=0, score=0.5),
    ]
    found = scored(outcome_table(rows))
    assert found.items == ["q2", "q1"]
    assert found.clusters == ["paris", "c1"]
    assert found.families == ["fact", "fact"]
    assert [(arm.name, arm.kind) for arm in found.arms] == [("random-2", "random"), ("base", "base")]
    np.testing.assert_array_equal(found.arms[0].scores, [[50.0, 100.0], [25.0, 75.0]])
    np.testing.assert_array_equal(found.arms[1].scores, [[100.0, 0.0]])


def test_samples_are_averaged_and_no_runs():
    found = scored(outcome_table([row(score=1.0), row(score=0.0, sample=1), row(item="q2", score=0.5)]))
    np.testing.assert_array_equal(found.arms[0].scores, [[50.0, 50.0]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "the outcome table is empty; evaluate the arms first"),
        (
            [row(), row()],
            (
                "arm 'full' (draw 0, seed 0), item 'q1', has 2 outcomes for sample 0; "
                "number repeated generations by `sample`, or keep one outcome"
            ),
        ),
        (
            [row(), row("base", "q1"), row("base", "q2")],
            "arm 'full' (draw 0, seed 0) lacks item 'q2', one of 1 missing; evaluate every run on the same items",
        ),
        (
            [row(), row(item="q2"), row(item="q1", seed=1)],
            "arm 'full' (draw 0, seed 1) lacks item 'q2', one of 1 missing; evaluate every run on the same items",
        ),
        (
            [row(), row(item="q2", score=float("nan"))],
            (
                "arm 'full' (draw 0, seed 0), item 'q2', has no score (1 such rows); "
                "evaluate it again; a reply that cannot be judged scores 0"
            ),
        ),
        (
            [row(score=None)],
            (
                "arm 'full' (draw 0, seed 0), item 'q1', has no score (1 such rows); "
                "evaluate it again; a reply that cannot be judged scores 0"
            ),
        ),
        (
            [row(), row(seed=1, cluster="rome")],
            "item 'q1' has the cluster 'paris' in one row and 'rome' in another; give every item one cluster",
        ),
        (
            [row(), row(seed=1, kind="base")],
            "arm 'full' has the kind 'full' in one row and 'base' in another; give every arm one kind",
        ),
        (
            [row(score=1.5)],
            "arm 'full' has the score 150.0 in run 1 at item 1; every score must be a number from 0 to 100",
        ),
        ([row("ful")], "unknown kind of arm 'ful'; did you mean 'full'?"),
    ],
)
def test_bad_tables_are_refused(rows, message):
    with pytest.raises(UserError) as error:
        scored(outcome_table(rows))
    assert str(error.value) == message


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / "outcomes.parquet"
    with pytest.raises(UserError, match=r"there are no outcomes at .*; run `suffice evaluate` again"):
        read_outcomes(path)
    path.write_text("no parquet")
    with pytest.raises(UserError, match="is no Parquet file"):
        read_outcomes(path)
    table = outcome_table([row()])
    pa.parquet.write_table(table.drop_columns(["reply", "task"]), path)
    with pytest.raises(UserError, match="lacks the columns task, reply"):
        read_outcomes(path)
    text = table.set_column(SCHEMA.get_field_index("score"), "score", pa.array(["much"]))
    pa.parquet.write_table(text, path)
    with pytest.raises(UserError, match="has a column of another type"):
        read_outcomes(path)
