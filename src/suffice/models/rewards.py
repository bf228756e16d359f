"""The one number that a sequence-classification model gives a text, in batches of rows of like length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.models.batching import pad, token_batches

if TYPE_CHECKING:
    from suffice.models.loading import LanguageModel


def rewards(
    model: LanguageModel,
    rows: Sequence[list[int]],
    token_budget: int,
    advance: Callable[[float], None] | None = None,
) -> NDArray[np.float64]:
    """Computes what the network gives each row, the same as if the row were alone.

    Decoders of transformers read their number at the last token that is not the padding token, if their configuration
    names one, and cannot take a batch otherwise: then a token that no row of the batch has stands for it.

    Args:
        model: The model, loaded with ``head="reward"``.
        rows: Token ids, at least one a row and none longer than the model's window.
        token_budget: The most padded tokens of a batch.
        advance: Called with a number of rows as they are done.

    Returns:
        The logits [rows].
    """
    import torch

    config = model.network.config.get_text_config()
    own = config.pad_token_id
    found = np.full(len(rows), np.nan)
    try:
        with torch.no_grad():
            for batch in token_batches([len(row) for row in rows], token_budget):
                ids, mask = pad([rows[i] for i in batch], model.device)
                filler = own if own is not None else _unused({token for i in batch for token in rows[i]})
                config.pad_token_id = filler
                ids = ids.masked_fill(mask == 0, filler)
                logits = model.network(input_ids=ids, attention_mask=mask).logits
                found[batch] = logits[:, 0].double().cpu().numpy()
                if advance:
                    advance(len(batch))
    finally:
        config.pad_token_id = own
    return found


def _unused(tokens: set[int]) -> int:
    return next(i for i in range(len(tokens) + 1) if i not in tokens)
