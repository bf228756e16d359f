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


def with_vectors(rows=3):
    vectors = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    vectors[1] = np.nan
    return Scores([f"r{i}" for i in range(rows)], np.zeros(rows, dtype=np.float32), vectors=vectors)


def test_vectors_are_written_beside_and_mapped_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("suffice.scorers.vectors.BLOCK", 2)
    with_vectors(5).write(tmp_path / "scores-x.parquet")
    again = Scores.read(tmp_path / "scores-x.parquet")
    assert isinstance(again.vectors, np.memmap)
    np.testing.assert_array_equal(again.vectors, with_vectors(5).vectors)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores-x.npy", "scores-x.parquet"]
    Scores(["a"], np.zeros(1, dtype=np.float32)).write(tmp_path / "scores-x.parquet")
    assert Scores.read(tmp_path / "scores-x.parquet").vectors is None
    assert [path.name for path in tmp_path.iterdir()] == ["scores-x.parquet"]


def bad_vectors():
    good = np.zeros((3, 2), dtype=np.float32)
    yield "gone", None
    yield "text", b"nothing of the kind"
    yield "empty", b""
    yield "rows", good[:2]
    yield "width", np.zeros((3, 4), dtype=np.float32)
    yield "kind", good.astype(np.float64)
    yield "flat", good[0]
    yield "objects", np.array([[{}, {}]] * 3)


@pytest.mark.parametrize(("name", "held"), list(bad_vectors()))
def test_vectors_that_do_not_belong_to_the_scores_are_refused(tmp_path, name, held):
    with_vectors().write(tmp_path / "scores.parquet")
    path = tmp_path / "scores.npy"
    path.unlink()
    if isinstance(held, bytes):
        path.write_bytes(held)
    elif held is not None:
        np.save(path, held, allow_pickle=True)
    with pytest.raises(
        UserError, match=r"scores\.parquet holds no scores: .*; remove it and run suffice score again"
    ):
        Scores.read(tmp_path / "scores.parquet")


def test_vectors_cut_short_are_refused(tmp_path):
    with_vectors().write(tmp_path / "scores.parquet")
    path = tmp_path / "scores.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UserError, match="holds no scores"):
        Scores.read(tmp_path / "scores.parquet")
