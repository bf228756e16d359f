"""Semantic twins: the pairs against a brute force, the vectors by what they must tell apart."""

import sys

import numpy as np
import pytest

from suffice.common.errors import UserError
from suffice.data.twins import semantic
from suffice.data.twins.semantic import lsa_vectors, semantic_pairs, unit


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


def test_lsa_is_deterministic_and_sees_the_same_words_in_another_order():
    texts = [f"word{i} other{i % 7} thing{i % 5} more{i % 3}" for i in range(60)]
    texts += ["the cat sat on the mat", "on the mat sat the cat", "", "?"]
    vectors = lsa_vectors(texts, seed=1)
    np.testing.assert_array_equal(vectors, lsa_vectors(texts, seed=1))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1)[:62], 1, atol=1e-5)
    assert vectors[60] @ vectors[61] > 0.99
    assert abs(vectors[60] @ vectors[0]) < 0.5
    assert not vectors[62:].any()


@pytest.mark.parametrize("texts", [["", "?"], ["one", "one"], ["one two"], ["one two", "two one"]])
def test_small_pools_are_no_mistake(texts):
    vectors = lsa_vectors(texts)
    assert len(vectors) == len(texts)
    assert np.isfinite(vectors).all()
    assert len(semantic_pairs(np.arange(len(texts)), vectors, 0.8)) == (len(texts) == 2 and "one" in texts[0])


def test_rows_without_a_vector_have_no_twin():
    vectors = unit(np.array([[np.nan, 1], [0, 0], [1, 0], [2, 0]]))
    found = semantic_pairs(np.arange(4), vectors, 0.8)
    assert (found.first.tolist(), found.second.tolist()) == ([2], [3])


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(UserError) as caught:
        lsa_vectors(["a"])
    assert str(caught.value) == (
        "semantic twins without a model need scikit-learn; pip install 'suffice[pools]', or give --model"
    )
