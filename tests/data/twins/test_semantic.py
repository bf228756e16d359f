"""Semantic twins: the pairs against a brute force."""

import numpy as np

from suffice.data.lsa import unit
from suffice.data.twins import semantic
from suffice.data.twins.semantic import semantic_pairs


def test_pairs_are_all_those_above_the_floor(monkeypatch):
    monkeypatch.setattr(semantic, "_BLOCK", 7)
    vectors = unit(np.random.default_rng(0).normal(size=(50, 3)))
    rows, seen = np.arange(50) * 2, []
    found = semantic_pairs(rows, vectors, 0.8, seen.append)
    cosines = vectors @ vectors.T
    wanted = {(2 * a, 2 * b) for a in range(50) for b in range(a + 1, 50) if cosines[a, b] >= 0.8}
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == wanted
    assert len(found) == len(wanted) > 20
    np.testing.assert_allclose(found.similarity, cosines[found.first // 2, found.second // 2], atol=1e-6)
    assert sum(seen) == 50


def test_rows_without_a_vector_have_no_twin():
    vectors = unit(np.array([[np.nan, 1], [0, 0], [1, 0], [2, 0]]))
    found = semantic_pairs(np.arange(4), vectors, 0.8)
    assert (found.first.tolist(), found.second.tolist()) == ([2], [3])
