"""A pass over a pool in shards, each written when it is done, so that a killed run continues.

Batches never cross a shard and each process has one thread, so the bits are the same however often the run
was interrupted and however many workers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.files import atomic_path, digest
from suffice.models.batching import torch_threads
from suffice.models.loading import LanguageModel, ModelSource
from suffice.scale.local import Workers
from suffice.scorers.vectors import Vectors, read_vectors, write_vectors

if TYPE_CHECKING:
    from suffice.data.pool import Pool

SHARD_ROWS = 2048
TOKEN_BUDGET = {"cpu": 4096, "cuda": 65_536}

Arrays = dict[str, NDArray[Any]]
Advance = Callable[[float], None]
Work = Callable[[LanguageModel, "Pool", Advance], Arrays]


class Shards:
    """What a model makes of the rows of a pool, kept in files whose folder bears a hash of all that decides it.

    Args:
        name: What is computed; the folder's name begins with it.
        work: Computes one shard: called with the model, the shard's rows and a function that takes numbers of
            rows as they are done; returns arrays, one entry a row. A worker must be able to import it.
        pool: The rows.
        model: The model.
        folder: Where the shards are kept.
        rows: Rows of a shard.
        settings: What else decides the result, as JSON values.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        pool: Pool,
        model: LanguageModel,
        folder: Path,
        *,
        rows: int = SHARD_ROWS,
        settings: Any = None,
    ) -> None:
        self._work, self._pool, self._model, self._rows = work, pool, model, rows
        about = [model.fingerprint, str(model.network.dtype), model.device, model.window]
        key = digest([*about, pool.fingerprint, rows, settings])[:16]
        self._folder = folder / f"{name}-{key}"

    def __len__(self) -> int:
        return -(-len(self._pool) // self._rows)

    def __iter__(self) -> Iterator[tuple[range, Arrays]]:
        """Yields the pool rows and the arrays of each shard, all of which must be there."""
        for i in range(len(self)):
            with np.load(self._path(i), allow_pickle=False) as arrays:
                yield self._places(i), dict(arrays)

    def joined(self) -> Arrays:
        """Returns the arrays over all rows of the pool; there must be a row."""
        parts = [arrays for _, arrays in self]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def mapped(self, name: str) -> Vectors:
        """Returns the vectors of a name over all rows of the pool as one file, mapped into memory."""
        path = self._folder / f"{name}.npy"
        if not path.exists():
            write_vectors(path, len(self._pool), (arrays[name] for _, arrays in self))
        return read_vectors(path)

    def compute(self, workers: int, advance: Advance) -> None:
        """Computes the shards that are not there yet."""
        todo = [i for i in range(len(self)) if not self._path(i).exists()]
        advance(len(self._pool) - sum(len(self._places(i)) for i in todo))
        if self._model.device == "cpu" and min(workers, len(todo)) > 1:
            with Workers(min(workers, len(todo))) as crew:
                crew.map(_in_worker, [self._job(i) for i in todo], on_progress=advance)
        else:
            for i in todo:
                _compute(self._model, self._job(i), advance)

    def _places(self, index: int) -> range:
        return range(index * self._rows, min((index + 1) * self._rows, len(self._pool)))

    def _job(self, index: int) -> _Job:
        return _Job(self._work, self._model.source, self._pool.take(self._places(index)), self._path(index))

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:06d}.npz"


@dataclass(frozen=True)
class _Job:
    """One shard to compute: everything that a worker in another process has to know."""

    work: Work
    source: ModelSource
    pool: Pool
    path: Path


@lru_cache(maxsize=1)
def _loaded(source: ModelSource) -> LanguageModel:
    return source.load()


def _in_worker(job: _Job, report: Advance) -> None:
    """Computes one shard in a worker process, which keeps its model from one shard to the next."""
    _compute(_loaded(job.source), job, report)


def _compute(model: LanguageModel, job: _Job, advance: Advance) -> None:
    with torch_threads(1):
        arrays: dict[str, Any] = job.work(model, job.pool, advance)
    with atomic_path(job.path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
