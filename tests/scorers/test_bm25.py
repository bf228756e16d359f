"""BM25 by its formula, word by word."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.data.target import Target
from suffice.data.words import words
from suffice.scorers import bm25
from suffice.scorers.bm25 import BM25
from suffice.scorers.protocol import ScoringContext


def spoken(messages):
    return words("\n".join(turn["content"] for turn in messages))


def by_the_formula(pool, target):
    rows = [spoken(row.messages) for row in pool]
    mean = sum(map(len, rows)) / len(rows)
    found = np.zeros((len(rows), len(target.dev)))
    for i, row in enumerate(rows):
        for j, item in enumerate(target.dev):
            for word in spoken(item.conversation):  # a word that is there twice counts twice
                held = sum(word in other for other in rows)
                idf = math.log(1 + (len(rows) - held + 0.5) / (held + 0.5))
                count = row.count(word)
                found[i, j] += idf * count / (count + 1.2 * (0.25 + 0.75 * len(row) / mean))
    return found


@pytest.mark.parametrize("chunk", [7, 1024])
def test_scores_follow_the_formula(tmp_path, chunk, monkeypatch):
    monkeypatch.setattr(bm25, "_CHUNK", chunk)
    pool, plain = make_pool(40), make_target(["a", "b", "a"])
    said = ["apple apple river row", "It is 5.", "born in Paris"]
    dev = [replace(item, answer=answer) for item, answer in zip(plain.dev, said, strict=True)]
    target = Target((*plain.test, *dev))
    scores = BM25().score(pool, ScoringContext(tmp_path, None, target))
    wanted = by_the_formula(pool, target)
    assert len(np.unique(wanted)) > 40
    np.testing.assert_allclose(scores.affinity, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scores.values, wanted.max(axis=1), rtol=1e-5)
    assert scores.queries == ["d0", "d1", "d2"]
    assert scores.notes == {"rows_without_words": 0}


def test_a_row_without_words_has_no_score(tmp_path):
    pool = Pool.from_examples([make_example(chat("?", "..."), 1), *make_pool(3)])
    scores = BM25().score(pool, ScoringContext(tmp_path, None, make_target(["a"])))
    assert np.isnan(scores.values).tolist() == [True, False, False, False]
    assert scores.notes == {"rows_without_words": 1}


def test_a_target_without_a_known_word_gives_zeros(tmp_path):
    pool = Pool.from_examples(
        [make_example(chat("alpha", "beta"), 1), make_example(chat("gamma", "delta"), 2)]
    )
    scores = BM25().score(pool, ScoringContext(tmp_path, None, make_target(["a"])))
    assert scores.values.tolist() == [0, 0]


@pytest.mark.parametrize("target", [None, Target(make_target(["a"]).items[:1])])
def test_without_dev_examples_it_is_refused(tmp_path, target):
    with pytest.raises(UserError) as caught:
        BM25().score(make_pool(2), ScoringContext(tmp_path, None, target))
    assert str(caught.value) == (
        "the scorer 'bm25' compares rows to dev examples, and there are none; give --target FILE with dev rows, or "
        "--dev FILE"
    )
