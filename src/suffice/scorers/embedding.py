"""RDS+: how close a row is, in the model's own hidden states, to the examples of what is wanted.

Ivison et al., "Large-Scale Data Selection for Instruction Tuning" (arXiv 2503.01807), section 3. A
conversation's embedding is the position-weighted mean of its last hidden states (Muennighoff, "SGPT",
arXiv 2202.08904, equation 2), with t the position of a token, from 1:

    e = sum_t t * h_t / sum_t t

over all tokens of the rendered conversation, not centred, divided by its norm. h_t is what transformers
calls ``hidden_states[-1]``, which the paper takes too: the states after the network's final norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.common.files import atomic_path, digest
from suffice.models.batching import pad, token_batches
from suffice.models.loading import LanguageModel, ModelSource
from suffice.scale.local import Workers
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.vectors import read_vectors, write_vectors

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.target import Target

SHARD_ROWS = 2048
TOKEN_BUDGET = {"cpu": 4096, "cuda": 65_536}


class Embedding:
    """RDS+: the cosine between a row and each dev example of the target; a row's score is its largest.

    Embeddings are computed in shards of `SHARD_ROWS` rows, each written when it is done, so that a killed
    run continues. Batches never cross a shard and each process has one thread, so the bits are the same
    however often the run was interrupted and however many workers there are.
    """

    name = "embedding"
    paper = "arXiv 2503.01807"
    cost = "a forward pass of every row"
    default_selector = "round_robin"
    needs_model = True
    needs_target = True

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        A row that the chat template refuses, or that has no tokens, has no score. A row longer than the
        model's window is cut there. The notes count both.

        Raises:
            UserError: There is no model or no target, or the template refuses a dev example.
        """
        model, target = context.model, context.target
        if model is None or target is None:
            raise UserError("the scorer 'embedding' needs a model and a target", "give --model and --target")
        if not target.dev:
            raise UserError("the target has no dev examples, which steer the choice", "add some with --dev")
        queries = _embed_dev(model, target)
        shards = _Shards(pool, model, context.folder)
        with context.reporter.track("score", len(pool), "rows") as task:
            shards.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by embedding")
        affinity = np.full((len(pool), len(queries)), np.nan, dtype=np.float32)
        tokens = np.zeros(len(pool), dtype=np.int64)
        for i in range(len(shards)):
            rows = shards.rows(i)
            embeddings, tokens[rows.start : rows.stop] = shards.read(i)
            affinity[rows.start : rows.stop] = embeddings @ queries.T
        vectors = shards.joined()
        notes: dict[str, int | float | str] = {
            "rows_cut": int((tokens > model.window).sum()),
            "rows_refused": int((tokens == 0).sum()),
            "tokens": int(np.minimum(tokens, model.window).sum()),
            "window": model.window,
        }
        ids = [item.id for item in target.dev]
        return Scores(pool.ids, affinity.max(axis=1), affinity, ids, notes, vectors)


class _Shards:
    """The embeddings of a pool under a model, kept in files that bear their settings' hash in the folder's name."""

    def __init__(self, pool: Pool, model: LanguageModel, folder: Path) -> None:
        self._pool, self._model = pool, model
        settings = [model.fingerprint, str(model.network.dtype), model.device, model.window]
        key = digest([*settings, pool.fingerprint, SHARD_ROWS, TOKEN_BUDGET[model.device]])[:16]
        self._folder = folder / f"embedding-{key}"

    def __len__(self) -> int:
        return -(-len(self._pool) // SHARD_ROWS)

    def rows(self, index: int) -> range:
        """Returns the pool rows of a shard."""
        return range(index * SHARD_ROWS, min((index + 1) * SHARD_ROWS, len(self._pool)))

    def read(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Returns the embeddings [rows, width] and the rows' tokens before any cut [rows] of a finished shard."""
        with np.load(self._path(index), allow_pickle=False) as arrays:
            return arrays["embeddings"], arrays["tokens"]

    def joined(self) -> NDArray[np.float32]:
        """Returns the embeddings of all finished shards as one file, mapped into memory."""
        path = self._folder / "vectors.npy"
        if not path.exists():
            write_vectors(path, len(self._pool), (self.read(i)[0] for i in range(len(self))))
        return read_vectors(path)

    def compute(self, workers: int, advance: Callable[[float], None]) -> None:
        """Computes the shards that are not there yet."""
        todo = [i for i in range(len(self)) if not self._path(i).exists()]
        advance(len(self._pool) - sum(len(self.rows(i)) for i in todo))
        if self._model.device == "cpu" and min(workers, len(todo)) > 1:
            with Workers(min(workers, len(todo))) as crew:
                crew.map(_work, [self._job(i) for i in todo], on_progress=advance)
        else:
            for i in todo:
                _embed_shard(self._model, self._job(i), advance)

    def _job(self, index: int) -> _Job:
        return _Job(self._model.source, self._pool.take(self.rows(index)), self._path(index))

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:06d}.npz"


@dataclass(frozen=True)
class _Job:
    """One shard to embed: everything that a worker in another process has to know."""

    source: ModelSource
    pool: Pool
    path: Path


@lru_cache(maxsize=1)
def _loaded(source: ModelSource) -> LanguageModel:
    return source.load()


def _work(job: _Job, report: Callable[[float], None]) -> None:
    """Computes one shard in a worker process, which keeps its model from one shard to the next."""
    _embed_shard(_loaded(job.source), job, report)


def _embed_shard(model: LanguageModel, job: _Job, advance: Callable[[float], None]) -> None:
    rows = model.chat.token_ids([(row.messages, row.tools) for row in job.pool])
    tokens = np.array([len(ids or ()) for ids in rows], dtype=np.int64)
    embeddings = embed(model, [ids or [] for ids in rows], advance)
    with atomic_path(job.path) as temporary, temporary.open("wb") as file:
        np.savez(file, embeddings=embeddings, tokens=tokens)


def _embed_dev(model: LanguageModel, target: Target) -> NDArray[np.float32]:
    """Embeds the dev examples, prompt and reference answer, as rows [dev examples, width]."""
    rows = [model.chat.encode(item.conversation).ids for item in target.dev]
    return embed(model, rows)


def embed(
    model: LanguageModel, rows: Sequence[list[int]], advance: Callable[[float], None] | None = None
) -> NDArray[np.float32]:
    """Computes the RDS+ embedding of rows of tokens.

    Args:
        model: The model, of which only the base network runs, without the language-model head.
        rows: Token ids; what lies past the model's window is cut.
        advance: Called with a number of rows as they are done.

    Returns:
        Embeddings of norm 1, float32 [rows, width]; NaN for a row without tokens.
    """
    import torch

    base = model.network.base_model
    kept = [i for i, ids in enumerate(rows) if ids]
    lengths = [min(len(rows[i]), model.window) for i in kept]
    if advance:
        advance(len(rows) - len(kept))
    embeddings = np.full((len(rows), model.network.config.get_text_config().hidden_size), np.nan, np.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the number of threads decides the order of sums, and so the bits
    try:
        with torch.no_grad():
            for places in token_batches(lengths, TOKEN_BUDGET[model.device]):
                batch = [kept[place] for place in places]
                ids, mask = pad([rows[i][: model.window] for i in batch], model.device)
                states = base(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
                embeddings[batch] = position_weighted_mean(states, mask).cpu().numpy()
                if advance:
                    advance(len(batch))
    finally:
        torch.set_num_threads(threads)
    return embeddings


def position_weighted_mean(states: Any, mask: Any) -> Any:
    """Returns sum_t t * h_t / sum_t t over the tokens of each row, divided by its norm, in float32.

    Args:
        states: Hidden states [rows, tokens, width].
        mask: 1 on tokens, 0 on padding, which must be on the right [rows, tokens].

    Returns:
        Embeddings [rows, width].
    """
    import torch

    weights = (mask.cumsum(1) * mask).float()
    sums = torch.bmm(weights[:, None], states.float())[:, 0]  # dividing by the norm makes sum_t t drop out
    return sums / sums.norm(dim=1, keepdim=True)
