"""Sentence vectors: one vector for what a row says, and how close that is to what is wanted.

With the option ``encoder`` the vectors are those of a sentence-transformers model (Reimers and Gurevych, "Sentence-BERT", EMNLP
2019, arXiv 1908.10084); without, those of latent semantic analysis (`suffice.data.lsa`), learnt from no more than
`LEARNT` rows. A row's text is all its turns, a line each; a vector has norm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.files import digest, digest_file
from suffice.data.lsa import Lsa, unit
from suffice.data.twins.exact import said, said_in
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.vectors import BLOCK, Vectors, blocks, read_vectors, write_vectors

if TYPE_CHECKING:
    from suffice.data.pool import Pool

LEARNT = 50_000

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class SentenceSettings:
    """How vectors are made.

    Attributes:
        encoder: A sentence-transformers model, folder or hub id; without one, latent semantic analysis.
    """

    encoder: str | None = None


class Sentence:
    """The largest cosine between a row's vector and that of a dev example; no score where there is no target.

    Vectors are kept in parts of `BLOCK` rows, each written when it is done, so that a killed run continues.
    """

    name = "sentence"
    paper = "arXiv 1908.10084"
    cost = "words counted and reduced, or a forward pass of the encoder"
    default_selector = "facility_location"
    makes = ("vectors",)
    makes_for_target = ("scores", "affinities")
    needs_model = False
    needs_target = False
    Settings = SentenceSettings

    def __init__(self, settings: SentenceSettings | None = None) -> None:
        self.settings = settings or SentenceSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Makes the vector of every row of ``pool``; a row that says nothing has none.

        Raises:
            UserError: The library or the encoder is not there.
        """
        encode = _encoder(self.settings.encoder) if self.settings.encoder else _learn(pool, context.seed)
        vectors = _vectors(pool, context, encode, self.settings)
        dev = context.target.dev if context.target else []
        notes: dict[str, int | float | str] = {
            "encoder": self.settings.encoder or "lsa",
            "without_vector": int(np.isnan(vectors[:, 0]).sum()),
        }
        if not dev:
            return Scores(pool.ids, np.full(len(pool), np.nan, np.float32), notes=notes, vectors=vectors)
        queries = encode([said_in(item.conversation) for item in dev])
        affinity = np.concatenate([block @ queries.T for block in blocks(vectors)])
        return Scores(pool.ids, affinity.max(axis=1), affinity, [item.id for item in dev], notes, vectors)


def _vectors(pool: Pool, context: ScoringContext, encode: Encode, settings: SentenceSettings) -> Vectors:
    """Returns the vectors of all rows, mapped into memory; NaN for a row that says nothing."""
    key = digest([pool.fingerprint, _fingerprint(settings.encoder), context.seed, LEARNT, BLOCK])[:16]
    folder = context.folder / f"sentence-{key}"
    paths: list[Path] = []
    whole, rows = folder / "vectors.npy", iter(pool)
    if whole.exists():
        return read_vectors(whole)
    with context.reporter.track("score", len(pool), "rows") as task:
        while examples := list(islice(rows, BLOCK)):
            paths.append(folder / f"{len(paths):06d}.npy")
            if not paths[-1].exists():
                made = encode([said(example) for example in examples])
                made[~made.any(axis=1)] = np.nan
                write_vectors(paths[-1], len(made), [made])
            task.advance(len(examples))
        task.result(f"{len(pool):,} rows by sentence")
    write_vectors(whole, len(pool), map(read_vectors, paths))
    for path in paths:
        path.unlink()
    return read_vectors(whole)


def _learn(pool: Pool, seed: int) -> Encode:
    """Returns latent semantic analysis, learnt from the pool or, where it is large, from rows drawn from it."""
    rows: Sequence[int] = range(len(pool))
    if len(pool) > LEARNT:
        rows = sorted(Draws(seed, "sentence").sample(rows, LEARNT))
    return Lsa([said(example) for example in pool.take(rows)], seed=seed).vectors


def _encoder(name: str) -> Encode:
    """Returns what makes vectors with a sentence-transformers model."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError(
            f"the encoder {name} needs sentence-transformers",
            "pip install sentence-transformers, or leave out the option encoder",
        ) from error
    try:
        model = SentenceTransformer(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the encoder {name} cannot be loaded: {str(error).splitlines()[0]}",
            "give a folder or the hub id of a sentence-transformers model",
        ) from error

    def encode(texts: Sequence[str]) -> Vectors:
        made = unit(model.encode(list(texts), show_progress_bar=False, convert_to_numpy=True))
        made[[not text.strip() for text in texts]] = 0
        return made

    return encode


def _fingerprint(encoder: str | None) -> list[str]:
    """Returns what decides the vectors of an encoder: its name, and the content of its folder where it is one."""
    if encoder is None:
        return []
    inside = sorted(path for path in Path(encoder).rglob("*") if path.is_file())
    return [encoder, *map(digest_file, inside)]
