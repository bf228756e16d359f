"""Features of rows' gradients as vectors, for selectors that look at vectors: what TAGCOS clusters.

Zhang et al., "TAGCOS" (Findings of NAACL 2025, arXiv 2407.15235), section 3.1; the features themselves are those of LESS
(arXiv 2402.04333), made by `suffice.gradients`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from suffice.common.errors import UserError
from suffice.scorers.influence import WARNING, notes_of
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.vectors import Vectors, read_vectors, write_vectors

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.gradients.featurise import PoolFeatures


@dataclass(frozen=True, slots=True)
class GradientFeatureSettings:
    """How features are made.

    Attributes:
        size: How many numbers a feature has; a multiple of 8.
        side: To how many numbers inputs and output gradients of a layer are projected first.
        bits: How features are kept: ``int8``, ``1bit`` or ``fp16``.
    """

    size: int = 2048
    side: int = 64
    bits: Literal["fp16", "int8", "1bit"] = "int8"


class GradientFeatures:
    """The sketched gradient of each row's mean answer loss, as its vector; there is no score.

    Args:
        settings: How features are made.
    """

    name = "gradient_features"
    paper = "arXiv 2407.15235"
    cost = "one forward and one backward pass"
    makes = ("vectors",)
    default_selector = "tagcos"
    needs_model = True
    needs_target = False
    Settings = GradientFeatureSettings

    def __init__(self, settings: GradientFeatureSettings | None = None) -> None:
        self.settings = settings or GradientFeatureSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Makes the vectors of all rows of ``pool``, in shards, so that a killed run continues.

        A row that `influence` would give no score has no vector; the notes count each kind.

        Raises:
            UserError: There is no model, or the network has layers whose gradients by rows cannot be told.
        """
        from suffice.gradients.featurise import PoolFeatures, PoolSettings
        from suffice.gradients.per_example import FeatureSettings

        model = context.model
        if model is None:
            raise UserError(f"the scorer '{self.name}' needs a model", "give --model")
        made = FeatureSettings(self.settings.size, self.settings.side, seed=context.seed)
        features = PoolFeatures(pool, model, context.folder, PoolSettings(made, self.settings.bits))
        with context.reporter.track("score", len(pool), "rows") as task:
            features.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by {self.name}")
        path = features.store.folder / f"vectors-{pool.fingerprint[:16]}.npy"
        if not path.exists():
            write_vectors(path, len(pool), _vectors(features))
        reasons = np.concatenate([features.store.read(ids).reasons for ids in features.shards])
        notes = notes_of(reasons, model) | {"warning": WARNING}
        return Scores(
            pool.ids, np.full(len(pool), np.nan, np.float32), notes=notes, vectors=read_vectors(path)
        )


def _vectors(features: PoolFeatures) -> Iterator[Vectors]:
    """Yields the vectors of one shard after the other; NaN for a row without features."""
    from suffice.gradients.codes import decode
    from suffice.gradients.rows import Reason

    for ids in features.shards:
        shard = features.store.read(ids)
        vectors = decode(shard.codes, features.store.bits)
        vectors[shard.reasons != Reason.NONE] = np.nan
        yield vectors
