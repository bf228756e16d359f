"""Several sampled replies to each prompt, each by draws of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.models.batching import token_batches
from suffice.models.generation import TOKEN_BUDGET, Reply, continue_batch, reply_of, room_for

if TYPE_CHECKING:
    import torch

    from suffice.models.loading import LanguageModel

Floats = NDArray[np.float64]


def sampled(
    model: LanguageModel,
    prompts: Sequence[list[int]],
    streams: Sequence[int],
    *,
    samples: int,
    max_new_tokens: int,
    token_budget: int = TOKEN_BUDGET,
    temperature: float = 1.0,
    top_p: float = 1.0,
    on_done: Callable[[int], None] | None = None,
) -> list[list[Reply]]:
    """Writes several replies to each prompt, which is read once for all of them.

    Each reply has a stream of draws of its own, so that it does not depend on what else is in its batch.

    Args:
        model: The model.
        prompts: Token ids of each prompt, as `Chat.encode_prompt` makes them.
        streams: The key of each prompt's draws (see `suffice.common.draws.stream_key`).
        samples: Replies to each prompt.
        max_new_tokens: The most tokens of a reply.
        token_budget: The most tokens in the cache of a batch, new ones included.
        temperature: What logits are divided by before a token is drawn.
        top_p: Draw from the likeliest tokens that together have at least this probability.
        on_done: Called after each batch with the number of prompts it finished.

    Returns:
        ``samples`` replies for each prompt, in order.

    Raises:
        UserError: The window has no room for ``max_new_tokens``.
    """
    room = room_for(model, max_new_tokens)
    shown = [prompt[-room:] for prompt in prompts]
    replies: dict[int, list[Reply]] = {}
    lengths = [(len(prompt) + max_new_tokens) * samples for prompt in shown]
    for batch in token_batches(lengths, token_budget):
        draws = np.stack(
            [_uniform(streams[i], sample, max_new_tokens) for i in batch for sample in range(samples)]
        )

        def draw(logits: torch.Tensor, rows: list[int], step: int, draws: Floats = draws) -> torch.Tensor:
            return _nucleus(logits, draws[rows, step], temperature, top_p)

        rows = continue_batch(model, [shown[i] for i in batch], max_new_tokens, draw, copies=samples)
        for place, i in enumerate(batch):
            ids = rows[place * samples : (place + 1) * samples]
            replies[i] = [reply_of(model, new, cut=max(0, len(prompts[i]) - room)) for new in ids]
        if on_done:
            on_done(len(batch))
    return [replies[i] for i in range(len(prompts))]


def _uniform(stream: int, sample: int, count: int) -> Floats:
    """Returns a sample's draws between 0 and 1 [count]."""
    return np.random.Generator(np.random.Philox(key=[stream, sample])).random(count)


def _nucleus(logits: torch.Tensor, draws: Floats, temperature: float, top_p: float) -> torch.Tensor:
    """Returns the next token of each row [rows]: the first whose share of the likeliest tokens reaches the draw.

    Args:
        logits: Logits [rows, vocabulary].
        draws: A number between 0 and 1 for each row [rows].
        temperature: What logits are divided by.
        top_p: The least probability of the tokens drawn from.
    """
    import torch

    chances, tokens = torch.softmax(logits.double() / temperature, dim=-1).sort(
        dim=-1, descending=True, stable=True
    )
    sums = chances.cumsum(-1)
    kept = (sums - chances < top_p).sum(-1, keepdim=True)  # those before which top_p is not reached yet
    whole = sums.gather(1, kept - 1)
    wanted = torch.as_tensor(draws, device=logits.device)[:, None] * whole
    places = torch.minimum((sums <= wanted).sum(-1, keepdim=True), kept - 1)
    drawn: torch.Tensor = tokens.gather(1, places).squeeze(1)
    return drawn
