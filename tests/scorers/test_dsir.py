from __future__ import annotations

import hashlib
import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.data.target import Target
from suffice.scorers.dsir import DSIR, MeanDSIR, bucket, gumbel, ngrams
from suffice.scorers.protocol import ScoringContext


def hashed(text):
    """The buckets of words and pairs with their counts, a word at a time."""
    words = re.findall(r"\w+|[^\w\s]+", text.lower())
    parts = words + [words[i] + " " + words[i + 1] for i in range(len(words) - 1)]
    return Counter(int(hashlib.sha256(part.encode()).hexdigest(), 16) % 10_000 for part in parts)


def spoken(messages):
    return "\n".join(turn["content"] for turn in messages)


def weights(pool, target):
    """The definition, bucket by bucket: log p - log q, each with 1e-8 added, times the row's counts."""
    rows = [hashed(spoken(row.messages)) for row in pool]
    there = sum(rows, Counter())
    wanted = sum((hashed(spoken(item.conversation)) for item in target.dev), Counter())
    found = []
    for row in rows:
        total = 0.0
        for place, count in row.items():
            p, q = wanted[place] / wanted.total(), there[place] / there.total()
            total += count * (math.log(p + 1e-8) - math.log(q + 1e-8))
        found.append(total)
    return np.array(found), np.array([row.total() for row in rows])


@pytest.fixture
def pool():
    return make_pool(60)


@pytest.fixture
def target():
    return make_target(["fact", "sum", "fact"])


def test_buckets_are_those_of_the_public_code():
    assert bucket("alice") == 6720  # github.com/p-lambda/dsir, tests/test_hashed_ngram.py
    assert bucket("alice went") == 114
    assert len(ngrams("Alice went to the store")) == 9


def test_words_are_those_of_nltk():
    tokenize = pytest.importorskip("nltk.tokenize").WordPunctTokenizer().tokenize
    for text in ("Don't pay $3.88, e.g. «so» -- 5+3=8!", "", "\n", "ünïcode_x 中文。 ..."):
        words = tokenize(text.lower())
        assert len(ngrams(text)) == max(0, 2 * len(words) - 1)
        assert ngrams(text).tolist()[: len(words)] == [bucket(word) for word in words]


@given(st.text())
def test_any_text_has_its_ngrams(text):
    assert Counter(ngrams(text).tolist()) == hashed(text)


def test_half_a_character_is_no_stumbling_block():
    assert len(ngrams("\ud800")) == 1


def test_the_weight_is_the_definition_and_the_draw_is_added(pool, target, tmp_path):
    wanted, _ = weights(pool, target)
    scores = DSIR().score(pool, ScoringContext(tmp_path, target=target, seed=3))
    np.testing.assert_allclose(scores.values, wanted + gumbel(60, 3), rtol=1e-5)
    assert scores.ids == pool.ids
    assert (scores.missing, scores.notes["rows_without_words"]) == (0, 0)
    assert scores.notes["target_ngrams"] == sum(len(ngrams(spoken(item.conversation))) for item in target.dev)


def test_for_each_ngram_and_without_a_draw(pool, target, tmp_path):
    wanted, lengths = weights(pool, target)
    values = [
        MeanDSIR().score(pool, ScoringContext(tmp_path, target=target, seed=seed)).values for seed in (3, 4)
    ]
    np.testing.assert_allclose(values[0], wanted / lengths, rtol=1e-5)
    np.testing.assert_array_equal(*values)


def test_the_paper_s_form_favours_short_rows_and_says_so(pool, target, tmp_path):
    notes = DSIR().score(pool, ScoringContext(tmp_path, target=target)).notes
    assert notes["length_correlation"] < -0.9


def test_the_draw_takes_rows_in_proportion_to_their_weights():
    shares = np.array([0.6, 0.3, 0.1])
    draws = gumbel(30_000, 1).reshape(-1, 3)
    first = np.bincount((np.log(shares) + draws).argmax(axis=1), minlength=3) / len(draws)
    np.testing.assert_allclose(first, shares, atol=0.015)
    assert not np.array_equal(gumbel(5, 1), gumbel(5, 2))


def test_a_row_without_words_has_no_score(target, tmp_path):
    silent = make_example(chat("\n", " "), 1)
    scores = DSIR().score(
        Pool.from_examples([silent, *make_pool(3)]), ScoringContext(tmp_path, target=target)
    )
    assert np.isnan(scores.values).tolist() == [True, False, False, False]
    assert scores.notes["rows_without_words"] == 1


@pytest.mark.parametrize("scorer", [DSIR, MeanDSIR])
def test_what_it_needs(scorer, target, tmp_path):
    without = Target(tuple(target.test))
    for context in (ScoringContext(tmp_path), ScoringContext(tmp_path, target=without)):
        with pytest.raises(UserError) as caught:
            scorer().score(make_pool(2), context)
        assert str(caught.value) == (
            f"the scorer '{scorer.name}' compares rows to dev examples, and there are none; "
            "give --target FILE with dev rows, or --dev FILE"
        )
