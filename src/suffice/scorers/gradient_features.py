"""Features of rows' gradients as vectors, for selectors that look at vectors: what TAGCOS clusters.

Zhang et al., "TAGCOS" (Findings of NAACL 2025, arXiv 2407.15235), section 3.1; the features themselves are those of LESS
(arXiv 2402.04333), made by `suffice.gradients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.lib.format import open_memmap

from suffice.common.errors import UserError
from suffice.common.files import atomic_path
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.vectors import read_vectors

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
    """The sketched gradient of each row's mean answer loss, by the model as it is, as its vector; there is no score.

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
        from suffice.gradients.rows import Reason

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
            _write_vectors(path, features, len(pool), self.settings.size)
        reasons = np.zeros(len(pool), dtype=np.uint8)
        for ids, (rows, of) in zip(features.there, features.places(), strict=True):
            reasons[rows] = features.store.read(ids).reasons[of]
        kinds = [why for why in Reason if why != Reason.NONE]
        notes: dict[str, int | float | str] = {
            f"rows_{why.name.lower()}": int((reasons == why).sum()) for why in kinds
        }
        notes["window"] = model.window
        return Scores(
            pool.ids, np.full(len(pool), np.nan, np.float32), notes=notes, vectors=read_vectors(path)
        )


def _write_vectors(path: Path, features: PoolFeatures, rows: int, width: int) -> None:
    """Writes the vectors of a pool's rows in their order; NaN for a row without features."""
    from suffice.gradients.codes import decode
    from suffice.gradients.rows import Reason

    with atomic_path(path) as temporary:
        array = open_memmap(temporary, mode="w+", dtype=np.float32, shape=(rows, width))
        for ids, (places, of) in zip(features.there, features.places(), strict=True):
            shard = features.store.read(ids)
            vectors = decode(shard.codes, features.store.bits)
            vectors[shard.reasons != Reason.NONE] = np.nan
            array[places] = vectors[of]
        array.flush()
