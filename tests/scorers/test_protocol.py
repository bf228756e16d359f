from __future__ import annotations

import numpy as np
import pytest

from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores


def test_what_is_written_is_read(tmp_path):
    affinity = np.array([[0.1, 0.7], [np.nan, np.nan], [-0.5, 0.2]], dtype=np.float32)
    scores = Scores(
        ["a", "b", "c"], affinity.max(axis=1), affinity, ["d0", "d1"], {"window": 9, "unit": "cosine"}
    )
    scores.write(tmp_path / "scores.parquet")
    again = Scores.read(tmp_path / "scores.parquet")
    assert (again.ids, again.queries, again.notes) == (scores.ids, scores.queries, scores.notes)
    np.testing.assert_array_equal(again.values, scores.values)
    np.testing.assert_array_equal(again.affinity, affinity)
    assert again.values.dtype == again.affinity.dtype == np.float32
    assert (scores.missing, again.missing) == (1, 1)


def test_without_affinity(tmp_path):
    Scores(["a"], np.array([np.nan], dtype=np.float32)).write(tmp_path / "scores.parquet")
    again = Scores.read(tmp_path / "scores.parquet")
    assert again.affinity is None
    assert again.missing == 1


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "scores.parquet"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(
        UserError, match=r"scores\.parquet holds no scores: .*; remove it and run suffice score again"
    ):
        Scores.read(path)
