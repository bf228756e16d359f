from __future__ import annotations

import numpy as np

from made_data import make_pool
from suffice.scorers.length import Length
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.random import Random


def test_words_without_a_model(tmp_path):
    pool = make_pool(40)
    scores = Length().score(pool, ScoringContext(tmp_path))
    assert scores.values.tolist() == [len(row.answer.split()) for row in pool]
    assert scores.notes == {"unit": "words"}
    assert scores.ids == pool.ids


def test_tokens_of_the_answer_with_a_model(tmp_path, tiny_model):
    pool = make_pool(40)
    scores = Length().score(pool, ScoringContext(tmp_path, model=tiny_model))
    tokenize = tiny_model.tokenizer.backend_tokenizer.encode
    assert scores.values.tolist() == [len(tokenize(row.answer).ids) for row in pool]
    assert scores.notes == {"unit": "tokens"}


def test_random_scores_follow_the_seed_alone(tmp_path):
    pool = make_pool(500)
    first, again = (Random().score(pool, ScoringContext(tmp_path, seed=3)).values for _ in range(2))
    other = Random().score(pool, ScoringContext(tmp_path, seed=4)).values
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() < 1
    assert abs(first.mean() - 0.5) < 0.05
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.15
