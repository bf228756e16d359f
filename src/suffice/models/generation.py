"""Generation in batches with a key-value cache: greedy, or sampled at a temperature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suffice.common.errors import UserError
from suffice.models.batching import pad, token_batches

if TYPE_CHECKING:
    import torch

    from suffice.models.loading import LanguageModel

TOKEN_BUDGET = 16_384

Choose = Callable[["torch.Tensor", list[int], int], "torch.Tensor"]


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
    temperature: float = 0.0,
    seed: int = 0,
    on_done: Callable[[int], None] | None = None,
) -> list[Reply]:
    """Writes a reply to each prompt: the most likely one token by token, or a sample.

    The sampling settings that a model folder may hold (temperature, repetition penalty) play no part.

    Args:
        model: The model.
        prompts: Token ids of each prompt, as `Chat.encode_prompt` makes them.
        max_new_tokens: The most tokens of a reply.
        token_budget: The most tokens in the cache of a batch, new ones included.
        temperature: What logits are divided by before a token is drawn; 0 takes the most likely one.
        seed: Of the draws.
        on_done: Called after each batch with the number of replies it finished.

    Returns:
        One reply for each prompt, in order.

    Raises:
        UserError: The window has no room for ``max_new_tokens``.
    """
    room = room_for(model, max_new_tokens)
    written = continuations(
        model,
        [prompt[-room:] for prompt in prompts],
        max_new_tokens=max_new_tokens,
        token_budget=token_budget,
        temperature=temperature,
        seed=seed,
        on_done=on_done,
    )
    return [
        reply_of(model, ids, cut=max(0, len(prompt) - room))
        for prompt, ids in zip(prompts, written, strict=True)
    ]


def continuations(
    model: LanguageModel,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    token_budget: int = TOKEN_BUDGET,
    temperature: float = 0.0,
    seed: int = 0,
    on_done: Callable[[int], None] | None = None,
) -> list[list[int]]:
    """Returns the new tokens after each prompt, the stop token included; the arguments are those of `generate`."""
    import torch

    random = torch.Generator(model.device).manual_seed(seed)
    written: dict[int, list[int]] = {}
    for batch in token_batches([len(prompt) + max_new_tokens for prompt in prompts], token_budget):
        rows = continue_batch(
            model,
            [prompts[i] for i in batch],
            max_new_tokens,
            lambda logits, _, __: _next(logits, temperature, random),
        )
        written |= zip(batch, rows, strict=True)
        if on_done:
            on_done(len(batch))
    return [written[i] for i in range(len(prompts))]


def room_for(model: LanguageModel, max_new_tokens: int) -> int:
    """Returns how many tokens of a prompt fit into the window before the reply."""
    room = model.window - max_new_tokens
    if room < 1:
        raise UserError(
            f"replies of {max_new_tokens} tokens leave no room for a prompt in the window of {model.window} "
            f"tokens of '{model.name}'",
            "ask for fewer new tokens",
        )
    return room


def reply_of(model: LanguageModel, ids: list[int], cut: int = 0) -> Reply:
    """Returns new tokens as a reply."""
    stopped = bool(ids) and ids[-1] in model.chat.stop_ids
    ids = ids[:-1] if stopped else ids
    text = model.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Reply(text, len(ids), stopped, cut)


def continue_batch(
    model: LanguageModel,
    prompts: list[list[int]],
    max_new_tokens: int,
    choose: Choose,
    *,
    copies: int = 1,
) -> list[list[int]]:
    """Continues one batch; a row leaves the batch, and its part of the cache, when it has stopped.

    Args:
        model: The model.
        prompts: Token ids of each prompt.
        max_new_tokens: The most tokens of a reply.
        choose: Returns the next token of each row [rows] from its logits [rows, vocabulary], which rows those are,
            and the step.
        copies: How often each prompt is continued; it is read once.

    Returns:
        The new token ids of each row, the stop token included; a prompt's copies stand together.
    """
    import torch
    from transformers import DynamicCache

    ids, mask = pad(prompts, model.device, left=True)
    stop = torch.tensor(sorted(model.chat.stop_ids), device=model.device)
    cache: Any = DynamicCache(config=model.network.config)
    rows = list(range(len(prompts) * copies))  # the reply that each row of the batch is
    written: list[list[int]] = [[] for _ in rows]
    with torch.no_grad():
        for step in range(max_new_tokens):
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            logits = model.network(
                input_ids=ids,
                attention_mask=mask,
                position_ids=places,
                past_key_values=cache,
                logits_to_keep=1,
            ).logits[:, -1]
            if step == 0 and copies > 1:
                cache.batch_repeat_interleave(copies)
                logits, mask = logits.repeat_interleave(copies, 0), mask.repeat_interleave(copies, 0)
            token = choose(logits, rows, step)
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


def _next(logits: torch.Tensor, temperature: float, random: torch.Generator) -> torch.Tensor:
    """Returns the next token of each row [rows] from its logits [rows, vocabulary]."""
    import torch

    if not temperature:
        return logits.argmax(-1)
    chances = torch.softmax(logits.float() / temperature, dim=-1)
    return torch.multinomial(chances, 1, generator=random).squeeze(1)
