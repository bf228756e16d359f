"""Semantic twins: rows whose vectors point the same way, by cosine similarity.

The vectors are a model's, or without one those of latent semantic analysis (Deerwester et al., "Indexing by latent
semantic analysis", 1990): TF-IDF of the words, reduced by a truncated singular value decomposition (Halko,
Martinsson and Tropp 2011). LSA knows words that occur together in this pool, not meanings: it finds the same words
in another order and the same subject, and takes rows for twins that differ in rare words alone. All rows are compared
with all, so that time grows with the square of the rows; memory does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.twins.pairs import SEMANTIC, Pairs
from suffice.data.words import words

DIMENSIONS = 256
FLOOR = 0.8  # pairs below are not stored
_BLOCK = 2048  # rows compared at once with as many others

Vectors = NDArray[np.float32]


def lsa_vectors(texts: Sequence[str], *, seed: int = 0) -> Vectors:
    """Returns a vector of norm 1 for each text, or of norm 0 for one without words.

    Args:
        texts: What the rows say.
        seed: Seed of the decomposition.

    Returns:
        Vectors [texts, `DIMENSIONS` or less].

    Raises:
        UserError: scikit-learn is not installed.
    """
    try:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as error:
        raise UserError(
            "semantic twins without a model need scikit-learn",
            "pip install 'suffice[pools]', or give --model",
        ) from error
    if not any(map(words, texts)):
        return np.zeros((len(texts), 1), np.float32)
    terms = TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32).fit_transform(texts)
    dimensions = min(DIMENSIONS, terms.shape[1] - 1)
    if dimensions < 1:
        return unit(terms.toarray())
    with np.errstate(invalid="ignore", divide="ignore"):  # its shares of variance, which nobody asks for
        return unit(TruncatedSVD(dimensions, random_state=seed).fit_transform(terms))


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Returns vectors scaled to norm 1; zero where they are zero or not finite."""
    vectors = np.nan_to_num(vectors.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)
    return scaled


def semantic_pairs(
    rows: NDArray[np.int64], vectors: Vectors, floor: float, advance: Callable[[int], None] = lambda _: None
) -> Pairs:
    """Returns all pairs whose cosine is ``floor`` or more.

    Args:
        rows: The rows' places in the pool.
        vectors: Their vectors, of norm 1 or 0 [rows, width].
        floor: The least cosine, above 0.
        advance: Called with a number of rows as they are done.
    """
    parts = []
    for top in range(0, len(rows), _BLOCK):
        block = vectors[top : top + _BLOCK]
        for left in range(top, len(rows), _BLOCK):
            cosines = block @ vectors[left : left + _BLOCK].T
            one, other = np.nonzero(np.triu(cosines >= floor, k=1) if left == top else cosines >= floor)
            similarity = np.minimum(cosines[one, other], 1)
            parts.append(Pairs.of(SEMANTIC, rows[top + one], rows[left + other], similarity))
        advance(len(block))
    return Pairs.joined(parts)
