"""Greedy generation in batches, with a key-value cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suffice.common.errors import UserError
from suffice.models.batching import pad, token_batches

if TYPE_CHECKING:
    from suffice.models.loading import LanguageModel

TOKEN_BUDGET = 16_384


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote after a prompt.

    Attributes:
        text: The reply without special tokens.
        tokens: How many tokens it wrote, the stop token not counted.
        stopped: Whether it ended by itself, with a stop token.
        cut: How many tokens the prompt lost on the left to fit into the window.
    """

    text: str
    tokens: int
    stopped: bool
    cut: int


def generate(
    model: LanguageModel,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    token_budget: int = TOKEN_BUDGET,
    on_done: Callable[[int], None] | None = None,
) -> list[Reply]:
    """Writes the most likely reply, token by token, to each prompt.

    The sampling settings that a model folder may hold (temperature, repetition penalty) play no part.

    Args:
        model: The model.
        prompts: Token ids of each prompt, as `Chat.encode_prompt` makes them.
        max_new_tokens: The most tokens of a reply.
        token_budget: The most tokens in the cache of a batch, new ones included.
        on_done: Called after each batch with the number of replies it finished.

    Returns:
        One reply for each prompt, in order.

    Raises:
        UserError: The window has no room for ``max_new_tokens``.
    """
    room = model.window - max_new_tokens
    if room < 1:
        raise UserError(
            f"replies of {max_new_tokens} tokens leave no room for a prompt in the window of {model.window} "
            f"tokens of '{model.name}'",
            "ask for fewer new tokens",
        )
    replies: dict[int, Reply] = {}
    for batch in token_batches([min(len(p), room) + max_new_tokens for p in prompts], token_budget):
        written = _greedy(model, [prompts[i][-room:] for i in batch], max_new_tokens)
        for i, ids in zip(batch, written, strict=True):
            replies[i] = _reply(model, ids, cut=max(0, len(prompts[i]) - room))
        if on_done:
            on_done(len(batch))
    return [replies[i] for i in range(len(prompts))]


def _reply(model: LanguageModel, ids: list[int], cut: int) -> Reply:
    stopped = bool(ids) and ids[-1] in model.chat.stop_ids
    ids = ids[:-1] if stopped else ids
    text = model.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Reply(text, len(ids), stopped, cut)


def _greedy(model: LanguageModel, prompts: list[list[int]], max_new_tokens: int) -> list[list[int]]:
    """Continues one batch; a row leaves the batch, and its part of the cache, when it has stopped.

    Returns:
        The new token ids of each row, the stop token included.
    """
    import torch
    from transformers import DynamicCache

    ids, mask = pad(prompts, model.device, left=True)
    stop = torch.tensor(sorted(model.chat.stop_ids), device=model.device)
    cache: Any = DynamicCache(config=model.network.config)
    rows = list(range(len(prompts)))  # the prompt that each row of the batch continues
    written: list[list[int]] = [[] for _ in prompts]
    with torch.no_grad():
        for _ in range(max_new_tokens):
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            logits = model.network(
                input_ids=ids,
                attention_mask=mask,
                position_ids=places,
                past_key_values=cache,
                logits_to_keep=1,
            ).logits[:, -1]
            token = logits.argmax(-1)
            for row, new in zip(rows, token.tolist(), strict=True):
                written[row].append(new)
            going = (~torch.isin(token, stop)).nonzero().squeeze(1)
            if len(going) == 0:
                break
            if len(going) < len(rows):
                cache.batch_select_indices(going)
                rows = [rows[i] for i in going.tolist()]
            ids = token[going, None]
            mask = torch.cat([mask[going], mask.new_ones(len(rows), 1)], dim=1)
    return written
