"""The loss of single tokens, without gradients, in batches of passages of like length.

The language-model head runs only where a loss is asked for. It runs within the network's own forward pass, so
that whatever a network does to its logits afterwards (such as capping them) is done here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.models.batching import pad, token_batches

if TYPE_CHECKING:
    import torch

    from suffice.models.chat import Encoded
    from suffice.models.loading import LanguageModel

LOGITS = {"cpu": 2**26, "cuda": 2**29}  # the most logits of a batch: 256 MiB of float32, and 2 GiB
_TOLERANCE = {"torch.float32": 1e-3}  # of the losses of packed passages, in nats


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of which some tokens' losses are wanted.

    Attributes:
        ids: Token ids.
        places: Where the tokens stand whose loss is wanted, from 1 (nothing predicts the first), rising; at
            least one.
    """

    ids: list[int]
    places: list[int]


Group = Sequence[Passage]
Losses = list[NDArray[np.float32]]


def answer_passage(row: Encoded) -> Passage:
    """Returns a conversation with the places of its answer tokens, as training has them; there may be none."""
    return Passage(row.ids, [i for i, trained in enumerate(row.trained) if trained and i])


def token_losses(
    model: LanguageModel,
    groups: Sequence[Group],
    token_budget: int,
    advance: Callable[[float], None] | None = None,
) -> list[Losses]:
    """Computes the cross entropy, in nats, of the tokens that are asked for.

    Args:
        model: The model.
        groups: Passages, none longer than the model's window. Those of a group stand in one row of a batch,
            block-diagonal, where the network can do that (see `packs`) and the window has room; else each in
            its own.
        token_budget: The most padded tokens of a batch; fewer where the vocabulary is so large that the logits
            would be more than `LOGITS`.
        advance: Called with a number of groups as they are done.

    Returns:
        For each group, for each of its passages, the losses of its ``places``.
    """
    import torch

    together = any(len(group) > 1 for group in groups) and packs(model)
    rows: list[Group] = []
    owners: list[int] = []
    for place, group in enumerate(groups):
        fits = sum(len(passage.ids) for passage in group) <= model.window
        parts: list[Group] = [group] if together and fits else [[passage] for passage in group]
        rows += parts
        owners += [place] * len(parts)
    vocabulary = model.network.config.get_text_config().vocab_size
    budget = min(token_budget, max(LOGITS[model.device] // vocabulary, 1))
    lengths = [sum(len(passage.ids) for passage in row) for row in rows]
    found: dict[int, Losses] = {}
    with torch.no_grad():
        for batch in token_batches(lengths, budget):
            found |= zip(batch, _batch_losses(model, [rows[i] for i in batch]), strict=True)
            if advance:
                advance(len(batch) * len(groups) / len(rows))
    result: list[Losses] = [[] for _ in groups]
    for i, owner in enumerate(owners):
        result[owner] += found[i]
    return result


def _batch_losses(model: LanguageModel, groups: Sequence[Group]) -> list[Losses]:
    import torch

    ids, mask = pad([[i for passage in group for i in passage.ids] for group in groups], model.device)
    rows, places, counts = [], [], []
    for row, group in enumerate(groups):
        start = 0
        for passage in group:
            rows += [row] * len(passage.places)
            places += [start + place for place in passage.places]
            counts.append(len(passage.places))
            start += len(passage.ids)
    at = torch.tensor(rows, device=model.device), torch.tensor(places, device=model.device)
    packed = any(len(group) > 1 for group in groups)
    sight = _block_diagonal(groups, ids.shape[1], model) if packed else {"attention_mask": mask}
    with head_only_at(model.network, at[0], at[1] - 1):
        logits = model.network(input_ids=ids, use_cache=False, **sight).logits[0]
    losses = torch.nn.functional.cross_entropy(logits.float(), ids[at], reduction="none")
    parts = iter(np.split(losses.cpu().numpy(), np.cumsum(counts)[:-1]))
    return [[next(parts) for _ in group] for group in groups]


@contextmanager
def head_only_at(network: Any, rows: torch.Tensor, places: torch.Tensor) -> Iterator[None]:
    """Has the network compute logits [1, n, vocabulary] for n places of a batch instead of [rows, tokens, ...].

    Args:
        network: A causal language model of transformers.
        rows: The batch row of each place [n].
        places: The token of each place [n]; its logits are about the next token.
    """
    head = network.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, given: (given[0][rows, places][None],))
    try:
        yield
    finally:
        hook.remove()


def _block_diagonal(groups: Sequence[Group], width: int, model: LanguageModel) -> dict[str, Any]:
    """Returns an attention mask [rows, 1, width, width] and positions [rows, width] that part the passages."""
    import torch

    blocks = torch.full((len(groups), width), -1)  # padding is a block of its own and sees itself alone
    positions = torch.zeros(len(groups), width, dtype=torch.long)
    for row, group in enumerate(groups):
        start = 0
        for block, passage in enumerate(group):
            end = start + len(passage.ids)
            blocks[row, start:end] = block
            positions[row, start:end] = torch.arange(end - start)
            start = end
    blocks = blocks.to(model.device)
    causal = torch.ones(width, width, dtype=torch.bool, device=model.device).tril()
    seen = (blocks[:, :, None] == blocks[:, None, :]) & causal
    dtype = model.network.dtype
    mask = torch.zeros(seen.shape, dtype=dtype, device=model.device).masked_fill(
        ~seen, torch.finfo(dtype).min
    )
    return {"attention_mask": mask[:, None], "position_ids": positions.to(model.device)}


def packs(model: LanguageModel) -> bool:
    """Tells whether the network keeps passages apart that stand in one row behind a block-diagonal mask.

    It must attend by a plain mask and fully in every layer (a mask that is given replaces a sliding window), and
    two short passages must have the same losses in one row as in two.
    """
    config = model.network.config.get_text_config()
    full = set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    plain = getattr(model.network.config, "_attn_implementation", "") in ("sdpa", "eager")
    if not (full and plain) or getattr(config, "sliding_window", None):
        return False
    some = [i % config.vocab_size for i in range(5, 21)]
    first, second = Passage(some[:9], [*range(1, 9)]), Passage(some[9:], [*range(1, 7)])
    import torch

    with torch.no_grad():
        try:
            together = np.concatenate(_batch_losses(model, [[first, second]])[0])
        except (RuntimeError, TypeError, ValueError):  # it takes no such mask, or no positions
            return False
        apart = np.concatenate([_batch_losses(model, [[one]])[0][0] for one in (first, second)])
    tolerance = _TOLERANCE.get(str(model.network.dtype), 0.1)
    return bool(np.abs(together - apart).max() < tolerance)
