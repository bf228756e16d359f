"""The scorer `sentence`: against its definition, row by row."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.lsa import Lsa
from suffice.data.pool import Pool
from suffice.scorers import sentence
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.sentence import Sentence, SentenceSettings

SILENT_ROW = make_example(({"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}), 99)


def said(messages):
    return "\n".join(message["content"] for message in messages)


def test_vectors_are_those_of_what_is_said_and_the_score_is_the_largest_cosine(tmp_path, monkeypatch):
    monkeypatch.setattr(sentence, "BLOCK", 16)
    pool, target = make_pool(40), make_target(["fact", "sum"])
    scores = Sentence().score(pool, ScoringContext(tmp_path, target=target))
    texts = [said(row.messages) for row in pool]
    learnt = Lsa(texts)
    np.testing.assert_allclose(scores.vectors, learnt.vectors(texts), atol=1e-5)
    queries = learnt.vectors([said(item.conversation) for item in target.dev])
    np.testing.assert_allclose(scores.affinity, scores.vectors @ queries.T, atol=1e-5)
    np.testing.assert_array_equal(scores.values, scores.affinity.max(axis=1))
    assert (scores.queries, scores.notes) == (["d0", "d1"], {"encoder": "lsa", "without_vector": 0})


def test_without_a_target_there_are_vectors_and_no_score(tmp_path):
    pool = Pool.from_examples([*make_pool(5), SILENT_ROW])
    scores = Sentence().score(pool, ScoringContext(tmp_path))
    assert scores.affinity is None
    assert (scores.missing, scores.notes["without_vector"]) == (6, 1)
    assert np.isnan(scores.vectors).all(axis=1).tolist() == [False] * 5 + [True]


def test_killed_and_resumed_gives_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(sentence, "BLOCK", 16)
    pool, made, calls = make_pool(40), Lsa.vectors, []
    whole = Sentence().score(pool, ScoringContext(tmp_path / "a"))

    def dies(self, texts):
        if calls:
            raise KeyboardInterrupt
        calls.append(len(texts))
        return made(self, texts)

    monkeypatch.setattr(Lsa, "vectors", dies)
    with pytest.raises(KeyboardInterrupt):
        Sentence().score(pool, ScoringContext(tmp_path / "b"))
    assert [path.name for path in (tmp_path / "b").rglob("*.npy")] == ["000000.npy"]
    monkeypatch.setattr(Lsa, "vectors", lambda self, texts: calls.append(len(texts)) or made(self, texts))
    resumed = Sentence().score(pool, ScoringContext(tmp_path / "b"))
    assert calls == [16, 16, 8]
    np.testing.assert_array_equal(resumed.vectors, whole.vectors)


def test_a_large_pool_is_learnt_from_rows_drawn_by_the_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(sentence, "LEARNT", 20)
    pool = make_pool(40)
    one, same, other = (
        Sentence().score(pool, ScoringContext(tmp_path / name, seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    np.testing.assert_array_equal(one.vectors, same.vectors)
    assert one.vectors.shape == (40, 19) or one.vectors.shape == (40, 20)
    assert one.vectors.shape != other.vectors.shape or (one.vectors != other.vectors).any()


class _Encoder:
    def __init__(self, name, trust_remote_code):
        assert trust_remote_code is False
        if name == "nothing":
            raise OSError("no such model\nand more")

    def encode(self, texts, **settings):
        return np.array([[len(text), 1.0] for text in texts])


def test_an_encoder_makes_the_vectors(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=_Encoder))
    pool = Pool.from_examples([make_example(chat("one", "two"), 1), make_example(chat("a", "longer"), 2)])
    scores = Sentence(SentenceSettings("some/encoder")).score(pool, ScoringContext(tmp_path))
    wanted = np.array([[7, 1], [8, 1]]) / np.sqrt([[50], [65]])
    np.testing.assert_allclose(scores.vectors, wanted, atol=1e-6)
    assert scores.notes["encoder"] == "some/encoder"
    with pytest.raises(UserError) as caught:
        Sentence(SentenceSettings("nothing")).score(pool, ScoringContext(tmp_path))
    assert str(caught.value) == (
        "the encoder nothing cannot be loaded: no such model; give a folder or the hub id of a "
        "sentence-transformers model"
    )


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(UserError) as caught:
        Sentence(SentenceSettings("some/encoder")).score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == (
        "the encoder some/encoder needs sentence-transformers; pip install sentence-transformers, or leave out "
        "the option encoder"
    )
