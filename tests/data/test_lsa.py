"""Vectors of texts without a model, by what they must tell apart."""

import sys

import numpy as np
import pytest

from suffice.common.errors import UserError
from suffice.data.lsa import Lsa, lsa_vectors
from suffice.data.twins.semantic import semantic_pairs


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


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(UserError) as caught:
        lsa_vectors(["a"])
    assert str(caught.value) == ("vectors of words need scikit-learn; pip install 'suffice[pools]'")


def test_what_is_learnt_from_some_texts_is_applied_to_others():
    texts = [f"word{i} other{i % 7} thing{i % 5} more{i % 3}" for i in range(60)]
    learnt = Lsa(texts[:40])
    vectors = learnt.vectors(texts)
    assert vectors.shape == (60, learnt.width)
    np.testing.assert_allclose(vectors[:40], learnt.vectors(texts[:40]), atol=1e-6)
    assert not learnt.vectors(["nothing known"]).any()
    assert not Lsa(["?"]).vectors(texts).any()
