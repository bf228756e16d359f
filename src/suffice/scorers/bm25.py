"""BM25: which rows share the target's rare words. A strong baseline for choosing rows for a target.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), in the variant of Lucene,
whose idf is never negative (Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020). For a dev example q and a row d:

    sum over words w of q:  c_w(q) ln(1 + (N - n_w + 1/2) / (n_w + 1/2)) c_w(d) / (c_w(d) + k (1 - b + b |d| / mean |d|))

with N rows, of which n_w hold the word w, and c_w how often a text holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from suffice.common.errors import UserError
from suffice.data.words import WordHashes, hash_words
from suffice.scorers.dsir import text_of
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool

Floats = NDArray[np.float64]

K, B = 1.2, 0.75
_CHUNK = 1024  # rows whose words are in memory at a time


class BM25:
    """The relevance of a row to each dev example, prompt and answer; a row's score is its largest.

    Words are those of `suffice.data.words`; of the pool only words that a dev example has are counted.
    """

    name = "bm25"
    paper = "Robertson and Zaragoza"
    cost = "a reading of the text, without a model"
    default_selector = "round_robin"
    needs_model = False
    needs_target = True

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; a row without words has no score, and the notes count them.

        Raises:
            UserError: The target has no dev examples.
        """
        dev = context.target.dev if context.target else []
        if not dev:
            raise UserError(
                "the scorer 'bm25' compares rows to dev examples, and there are none",
                "give --target FILE with dev rows, or --dev FILE",
            )
        asked = hash_words([text_of(item.conversation) for item in dev])
        vocabulary = np.unique(asked.values)
        with context.reporter.track("score", len(pool), "rows") as task:
            parts = []
            for hashed in _hashed(pool):
                parts.append((counts(hashed, vocabulary), np.diff(hashed.offsets)))
                task.advance(len(hashed))
            rows = vstack([part for part, _ in parts], format="csr")
            lengths = np.concatenate([found for _, found in parts])
            affinity = relevance(rows, lengths, counts(asked, vocabulary)).astype(np.float32)
            task.result(f"{len(pool):,} rows by bm25")
        affinity[lengths == 0] = np.nan
        notes: dict[str, int | float | str] = {"rows_without_words": int((lengths == 0).sum())}
        return Scores(pool.ids, affinity.max(axis=1), affinity, [item.id for item in dev], notes)


def _hashed(pool: Pool) -> Iterator[WordHashes]:
    texts = (text_of(row.messages) for row in pool)
    while chunk := list(islice(texts, _CHUNK)):
        yield hash_words(chunk)


def counts(hashed: WordHashes, vocabulary: NDArray[np.uint64]) -> csr_array:
    """Returns how often each text has each word of a sorted vocabulary, [texts, words]."""
    shape = len(hashed), len(vocabulary)
    if not len(vocabulary):
        return csr_array(shape)
    owners = np.repeat(np.arange(len(hashed)), np.diff(hashed.offsets))
    places = np.minimum(np.searchsorted(vocabulary, hashed.values), len(vocabulary) - 1)
    known = vocabulary[places] == hashed.values
    return csr_array((np.ones(known.sum()), (owners[known], places[known])), shape=shape)


def relevance(rows: csr_array, lengths: NDArray[np.int64], queries: csr_array) -> Floats:
    """Returns the BM25 score of each row for each query, [rows, queries].

    Args:
        rows: How often each row has each word, [rows, words].
        lengths: How many words each row has in all, [rows].
        queries: How often each query has each word, [queries, words].
    """
    held = np.bincount(rows.indices, minlength=rows.shape[1])
    idf = np.log1p((len(lengths) - held + 0.5) / (held + 0.5))
    scale = K * (1 - B + B * lengths / max(lengths.mean(), 1))
    weights = rows.copy()
    weights.data = rows.data / (rows.data + np.repeat(scale, np.diff(rows.indptr)))
    found: Floats = (weights @ (queries * idf).T).toarray()
    return found
