"""DSIR: how much likelier a row's words are under the target than under the pool, by hashed n-grams.

Xie et al., "Data Selection for Language Models via Importance Resampling" (NeurIPS 2023, arXiv 2302.03169),
and its public code (github.com/p-lambda/dsir, ``data_selection/hashed_ngram_dsir.py``). With c_b how often the
words and pairs of words of a row fall into bucket b, and p and q the shares of the buckets in the target and
in the pool:

    log w = sum_b c_b (log(p_b + 1e-8) - log(q_b + 1e-8))

Rows are drawn without replacement in proportion to w, by adding a Gumbel draw to log w and taking the
largest.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.ranks import rank_correlation

if TYPE_CHECKING:
    from suffice.common.progress import Task
    from suffice.data.example import Message
    from suffice.data.pool import Pool

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

BUCKETS = 10_000
FLOOR = 1e-8  # of a share, for buckets that hold nothing
_WORD = re.compile(r"\w+|[^\w\s]+")  # WordPunctTokenizer of nltk


class _Ngrams:
    """What both forms have in common."""

    name: str
    default_selector = "top"
    makes = ("scores",)
    needs_model = False
    needs_target = True
    paper = "arXiv 2302.03169"
    cost = "two readings of the text, without a model"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; a row without words has no score, and the notes count them.

        Raises:
            UserError: The target has no dev examples.
        """
        dev = context.target.dev if context.target else []
        if not dev:
            raise UserError(
                f"the scorer '{self.name}' compares rows to dev examples, and there are none",
                "give --target FILE with dev rows, or --dev FILE",
            )
        with context.reporter.track("score", 2 * len(pool), "rows") as task:
            wanted = count_ngrams(item.conversation for item in dev)
            there = count_ngrams(_messages(pool, task))
            weights, lengths = log_weights(_messages(pool, task), log_ratio(wanted, there))
            task.result(f"{len(pool):,} rows by {self.name}")
        known = lengths > 0
        values = np.full(len(pool), np.nan)
        values[known] = self.rank(weights, lengths, context.seed)[known]
        notes: dict[str, int | float | str] = {
            "rows_without_words": int((~known).sum()),
            "target_ngrams": int(wanted.sum()),
            "length_correlation": round(rank_correlation(values[known], lengths[known]), 4),
        }
        return Scores(pool.ids, values.astype(np.float32), notes=notes)

    def rank(self, weights: Floats, lengths: Counts, seed: int) -> Floats:
        """Turns the rows' log weights and numbers of n-grams into scores [rows]."""
        raise NotImplementedError


class DSIR(_Ngrams):
    """The log importance weight with the Gumbel draw that makes the largest a sample: the paper's form.

    It is a sum over n-grams, most of which a small target lacks, and so favours short rows.
    """

    name = "dsir"

    def rank(self, weights: Floats, lengths: Counts, seed: int) -> Floats:
        """See `_Ngrams.rank`."""
        return weights + gumbel(len(weights), seed)


class MeanDSIR(_Ngrams):
    """The log importance weight for each n-gram, without a draw: for rows of unequal length."""

    name = "dsir_mean"

    def rank(self, weights: Floats, lengths: Counts, seed: int) -> Floats:
        """See `_Ngrams.rank`."""
        return weights / np.maximum(lengths, 1)


def _messages(pool: Pool, task: Task) -> Iterator[Sequence[Message]]:
    for row in pool:
        yield row.messages
        task.advance()


def text_of(messages: Sequence[Message]) -> str:
    """Returns what all turns say, a line break between two."""
    return "\n".join(turn["content"] for turn in messages)


def ngrams(text: str) -> Counts:
    """Returns the buckets of a text's words and of its pairs of neighbours, in lower case."""
    words = _WORD.findall(text.lower())
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return np.array([bucket(ngram) for ngram in (*words, *pairs)], dtype=np.int64)


@lru_cache(maxsize=2**18)
def bucket(ngram: str) -> int:
    """Returns the bucket of an n-gram: its SHA-256 modulo `BUCKETS`."""
    return int.from_bytes(hashlib.sha256(ngram.encode("utf-8", "replace")).digest()) % BUCKETS


def count_ngrams(conversations: Iterable[Sequence[Message]]) -> Counts:
    """Returns how many n-grams of some conversations fall into each bucket."""
    counts = np.zeros(BUCKETS, np.int64)
    for messages in conversations:
        counts += np.bincount(ngrams(text_of(messages)), minlength=BUCKETS)
    return counts


def log_weights(conversations: Iterable[Sequence[Message]], ratio: Floats) -> tuple[Floats, Counts]:
    """Returns the sum of ``ratio`` over the n-grams of each conversation, and how many there are."""
    weights, lengths = [], []
    for messages in conversations:
        found = ngrams(text_of(messages))
        weights.append(ratio[found].sum())
        lengths.append(len(found))
    return np.array(weights), np.array(lengths, dtype=np.int64)


def log_ratio(wanted: Counts, there: Counts) -> Floats:
    """Returns log p - log q of each bucket from counts in the target and in the pool."""
    shares = [counts / max(counts.sum(), 1) + FLOOR for counts in (wanted, there)]
    result: Floats = np.log(shares[0]) - np.log(shares[1])
    return result


def gumbel(count: int, seed: int) -> Floats:
    """Draws standard Gumbel numbers, decided by the seed alone."""
    draws = Draws(seed, "dsir")
    return np.array([-math.log(-math.log(((draws.bits() >> 11) + 0.5) / 2**53)) for _ in range(count)])
