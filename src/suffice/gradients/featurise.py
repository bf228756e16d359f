"""The features of a whole pool, shard by shard, into a store.

Batches never cross a shard and each process has one thread, so the bits are the same however often the work was
interrupted and however many workers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.gradients.adam import Adam, Definition
from suffice.gradients.checkpoints import Checkpoint, attached, read_moments
from suffice.gradients.codes import Bits, Queries
from suffice.gradients.known import known_shards, lay_out, note_ids
from suffice.gradients.layers import Layer, adapter_layers, body_layers, first_block, last_half
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.preconditioning import Fitted, fold, read_factors
from suffice.gradients.rows import Reason, encode
from suffice.gradients.store import SHARD_ROWS, Store
from suffice.models.batching import torch_threads
from suffice.models.loading import LanguageModel, ModelSource
from suffice.models.losses import Passage
from suffice.scale.local import Workers

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.chat import Conversation

TOKEN_BUDGET = {"cpu": 1024, "cuda": 16_384}

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How the features of a pool are made and kept.

    Attributes:
        features: How they are made.
        bits: How they are kept.
        checkpoint: The checkpoint of a warm-up whose adapters' weights the gradients are of; `None` for the
            weights of all linear layers of the model's own body.
        update: Adam's update Γ in place of the gradient, as LESS or as torch defines it.
        half: Whether the layers of the last half of the network's blocks are taken alone.
        preconditioner: What the gradients of the body's weights are preconditioned with.
    """

    features: FeatureSettings
    bits: Bits = "int8"
    checkpoint: Checkpoint | None = None
    update: Definition | None = None
    half: bool = False
    preconditioner: Fitted | None = None

    def for_target(self) -> PoolSettings:
        """Returns the settings of the target's side.

        Adam's update, and Adafactor's fit of it, are what a row of the pool would do; a dev example has its plain
        gradient. K-FAC is a metric, and holds for both.
        """
        keep = self.preconditioner if self.preconditioner and self.preconditioner.kind == "kfac" else None
        return replace(self, update=None, preconditioner=keep)


class PoolFeatures:
    """The features of a pool's rows.

    Args:
        pool: The rows.
        model: The model.
        folder: Where the store is.
        settings: How features are made and kept.
    """

    def __init__(self, pool: Pool, model: LanguageModel, folder: Path, settings: PoolSettings) -> None:
        self._pool, self._model, self._settings, self._folder = pool, model, settings, folder
        self.store = Store(folder, _about(model, settings))
        self.there, self.todo = lay_out(pool.ids, known_shards(self.store), SHARD_ROWS)

    def compute(self, workers: int, advance: Advance) -> None:
        """Computes the features that are not there yet.

        Raises:
            UserError: The network's gradients by rows cannot be told.
        """
        advance(len(self._pool) - sum(map(len, self.todo)))
        if self._model.device == "cpu" and min(workers, len(self.todo)) > 1:
            with Workers(min(workers, len(self.todo))) as crew:
                crew.map(_in_worker, list(self._jobs()), on_progress=advance)
        elif self.todo:
            with engine_for(self._model, self._settings) as engine:
                for job in self._jobs():
                    _compute(self._model, engine, job, advance)
        self.there, self.todo = self.there + self.todo, []

    def cosines(self, queries: Queries) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Returns the cosines of all rows to a target's features, and why a row has none; after `compute`.

        Returns:
            Cosines in pool order, float32 [rows, queries], NaN for rows without features; and for each row its
            `Reason` [rows].
        """
        cosines = np.full((len(self._pool), queries.count), np.nan, dtype=np.float32)
        reasons = np.zeros(len(self._pool), dtype=np.uint8)
        parts = zip(self.places(), self.store.cosines(self.there, queries), strict=True)
        for (rows, of), (found, why) in parts:
            cosines[rows], reasons[rows] = found[of], why[of]
        return cosines, reasons

    def places(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yields for each shard of ``there`` which rows of the pool it has, and where in the shard they stand."""
        place = {one: i for i, one in enumerate(self._pool.ids)}
        for ids in self.there:
            ours = [(row, i) for i, one in enumerate(ids) if (row := place.get(one)) is not None]
            rows, of = np.array(ours, dtype=np.int64).T
            yield rows, of

    def _jobs(self) -> Iterator[_Job]:
        place = {one: i for i, one in enumerate(self._pool.ids)}
        for ids in self.todo:
            rows = self._pool.take([place[one] for one in ids])
            yield _Job(self._model.source, rows, self._folder, self._settings)


@dataclass(frozen=True)
class _Job:
    """One shard to compute: everything that a worker in another process has to know."""

    source: ModelSource
    pool: Pool
    folder: Path
    settings: PoolSettings


_loaded: dict[tuple[ModelSource, PoolSettings], tuple[LanguageModel, PerExample, ExitStack]] = {}


def _in_worker(job: _Job, report: Advance) -> None:
    """Computes one shard in a worker process, which keeps its model from one shard to the next."""
    key = job.source, job.settings
    if key not in _loaded:
        for _, _, stack in _loaded.values():
            stack.close()
        _loaded.clear()
        model, stack = job.source.load(), ExitStack()
        _loaded[key] = model, stack.enter_context(engine_for(model, job.settings)), stack
    model, engine, _ = _loaded[key]
    _compute(model, engine, job, report)


def _compute(model: LanguageModel, engine: PerExample, job: _Job, advance: Advance) -> None:
    store = Store(job.folder, _about(model, job.settings))
    note_ids(store, job.pool.ids)
    conversations = [(row.messages, row.tools) for row in job.pool]
    features, reasons = features_of(model, engine, conversations, advance)
    store.write(job.pool.ids, features, reasons)


def _about(model: LanguageModel, settings: PoolSettings) -> dict[str, Any]:
    """Returns what decides the features, apart from the rows."""
    return {
        **asdict(settings.features),
        "bits": settings.bits,
        "model": model.fingerprint,
        "dtype": str(model.network.dtype),
        "device": model.device,
        "window": model.window,
        "weights": settings.checkpoint.fingerprint if settings.checkpoint else "linear layers of the body",
        "update": settings.update or "gradient",
        "layers": "last half" if settings.half else "all",
        "preconditioner": settings.preconditioner.fingerprint if settings.preconditioner else "none",
        "rows": SHARD_ROWS,
        "tokens": TOKEN_BUDGET[model.device],
    }


@contextmanager
def engine_for(model: LanguageModel, settings: PoolSettings) -> Iterator[PerExample]:
    """Yields what computes features; a checkpoint's adapters are in the network until the end of the block.

    Raises:
        UserError: Adam's update is asked for without a checkpoint or moments, or the network's gradients by rows
            cannot be told.
    """
    network, checkpoint = model.network, settings.checkpoint
    if checkpoint is None:
        if settings.update:
            raise UserError(
                "Adam's update needs the moments of a warm-up, and there is no checkpoint",
                "give checkpoints, or take plain gradients",
            )
        layers, begin = _taken(body_layers(network), half=settings.half)
        engine = PerExample(network, layers, settings.features, begin=begin)
        if settings.preconditioner:
            fold(engine, read_factors(settings.preconditioner, network.device))
        yield engine
        return
    if settings.preconditioner:
        raise UserError(
            f"the preconditioner '{settings.preconditioner.kind}' is for the model's own weights, and checkpoints have "
            "adapters, for which Adam's update is exact",
            "leave out one of the two",
        )
    moments = read_moments(checkpoint, network.device) if settings.update else None
    with attached(network, checkpoint):
        adam = Adam(settings.update or "less", checkpoint.betas)
        layers, begin = _taken(adapter_layers(network), half=settings.half)
        yield PerExample(network, layers, settings.features, moments, adam, begin)


def _taken(layers: list[Layer], *, half: bool) -> tuple[list[Layer], str | None]:
    """Returns the layers to take, and where the backward pass may end."""
    if not half:
        return layers, None
    kept = last_half(layers)
    return kept, first_block(kept)


def features_of(
    model: LanguageModel,
    engine: PerExample,
    conversations: Sequence[Conversation],
    advance: Advance | None = None,
) -> tuple[torch.Tensor, list[Reason]]:
    """Computes the features of conversations; a row that cannot have any gets NaN and its reason.

    Args:
        model: The model whose network the engine has.
        engine: What computes them.
        conversations: Messages and tools of each.
        advance: Called with a number of rows as they are done.

    Returns:
        Features, float32 [conversations, size], and a reason for each.
    """
    encoded = encode(model, conversations)
    kept = [i for i, row in enumerate(encoded) if isinstance(row, Passage)]
    if advance:
        advance(len(encoded) - len(kept))
    with torch_threads(1):
        found, why = engine.compute(
            [row for row in encoded if isinstance(row, Passage)], TOKEN_BUDGET[model.device], advance
        )
    features = torch.full((len(encoded), engine.settings.size), torch.nan)
    features[kept] = found
    reasons = [row if isinstance(row, Reason) else Reason.NONE for row in encoded]
    for place, reason in zip(kept, why, strict=True):
        reasons[place] = reason
    return features, reasons
