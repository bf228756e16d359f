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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.models.batching import pad, token_batches, torch_threads
from suffice.models.loading import LanguageModel
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import SHARD_ROWS, TOKEN_BUDGET, Advance, Arrays, Shards

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.target import Target


class Embedding:
    """RDS+: the cosine between a row and each dev example of the target; a row's score is its largest.

    Embeddings are computed in shards (see `suffice.scorers.shards`), so that a killed run continues.
    """

    name = "embedding"
    paper = "arXiv 2503.01807"
    cost = "a forward pass of every row"
    default_selector = "round_robin"
    makes = ("scores", "affinities", "vectors")
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
        shards = Shards(
            "embedding",
            _embed_rows,
            pool,
            model,
            context.folder,
            rows=SHARD_ROWS,
            settings=TOKEN_BUDGET[model.device],
        )
        with context.reporter.track("score", len(pool), "rows") as task:
            shards.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by embedding")
        affinity = np.full((len(pool), len(queries)), np.nan, dtype=np.float32)
        tokens = np.zeros(len(pool), dtype=np.int64)
        for rows, arrays in shards:
            tokens[rows.start : rows.stop] = arrays["tokens"]
            affinity[rows.start : rows.stop] = arrays["embeddings"] @ queries.T
        vectors = shards.mapped("embeddings")
        notes: dict[str, int | float | str] = {
            "rows_cut": int((tokens > model.window).sum()),
            "rows_refused": int((tokens == 0).sum()),
            "tokens": int(np.minimum(tokens, model.window).sum()),
            "window": model.window,
        }
        ids = [item.id for item in target.dev]
        return Scores(pool.ids, affinity.max(axis=1), affinity, ids, notes, vectors)


def _embed_rows(model: LanguageModel, pool: Pool, advance: Advance) -> Arrays:
    """Returns the embeddings of rows [rows, width] and their tokens before any cut [rows]."""
    rows = model.chat.token_ids([(row.messages, row.tools) for row in pool])
    tokens = np.array([len(ids or ()) for ids in rows], dtype=np.int64)
    return {"embeddings": embed(model, [ids or [] for ids in rows], advance), "tokens": tokens}


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
    with torch_threads(1), torch.no_grad():
        for places in token_batches(lengths, TOKEN_BUDGET[model.device]):
            batch = [kept[place] for place in places]
            ids, mask = pad([rows[i][: model.window] for i in batch], model.device)
            states = base(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            embeddings[batch] = position_weighted_mean(states, mask).cpu().numpy()
            if advance:
                advance(len(batch))
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
