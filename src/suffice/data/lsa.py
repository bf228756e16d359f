"""Vectors of texts without a model: latent semantic analysis.

Deerwester et al., "Indexing by latent semantic analysis" (1990): TF-IDF of the words, reduced by a truncated singular
value decomposition (Halko, Martinsson and Tropp 2011). LSA knows words that occur together in these texts, not
meanings: the same words in another order and the same subject come close, and rare words hardly count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.words import words

DIMENSIONS = 256

Vectors = NDArray[np.float32]


class Lsa:
    """Latent semantic analysis, learnt from texts and then applied to any.

    Args:
        texts: What it learns from.
        seed: Seed of the decomposition.

    Raises:
        UserError: scikit-learn is not installed.
    """

    def __init__(self, texts: Sequence[str], *, seed: int = 0) -> None:
        try:
            from sklearn.decomposition import TruncatedSVD
            from sklearn.feature_extraction.text import TfidfVectorizer
        except ImportError as error:
            raise UserError("vectors of words need scikit-learn", "pip install 'suffice[pools]'") from error
        self._terms: Any = None
        self._reduction: Any = None
        self.width = 1
        if not any(map(words, texts)):
            return
        self._terms = TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32)
        counts = self._terms.fit_transform(texts)
        self.width = counts.shape[1]
        if self.width > 1:
            dimensions = min(DIMENSIONS, self.width - 1)
            with np.errstate(
                invalid="ignore", divide="ignore"
            ):  # its shares of variance, which nobody asks for
                self._reduction = TruncatedSVD(dimensions, random_state=seed).fit(counts)
            self.width = len(self._reduction.components_)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Returns a vector of norm 1 for each text, or of norm 0 for one without known words [texts, `width`]."""
        if self._terms is None:
            return np.zeros((len(texts), self.width), np.float32)
        counts = self._terms.transform(texts)
        return unit(counts.toarray() if self._reduction is None else self._reduction.transform(counts))


def lsa_vectors(texts: Sequence[str], *, seed: int = 0) -> Vectors:
    """Returns the vectors of texts by what is learnt from them; see `Lsa`."""
    return Lsa(texts, seed=seed).vectors(texts)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Returns vectors scaled to norm 1; zero where they are zero or not finite."""
    vectors = np.nan_to_num(vectors.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)
    return scaled
