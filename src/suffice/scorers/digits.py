"""A score read off a model's next token: the mean of the digits 1 to 6, each as likely as the model says.

Liu et al., "What Makes Good Data for Alignment?" (DEITA, arXiv 2312.15685) trained causal models to write a score from
1 to 6 after a prompt. Their public code (github.com/hkust-nlp/deita, ``selection/scorer/base.py``) reads it as

    s = sum_d d * softmax(z_1 .. z_6)_d,   z_d the logit of the token of digit d, right after the prompt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.models.batching import pad, token_batches
from suffice.models.losses import head_only_at

if TYPE_CHECKING:
    from suffice.models.loading import LanguageModel

DIGITS = ("1", "2", "3", "4", "5", "6")


def mean_digit(logits: Mapping[str, float]) -> float:
    """Returns the mean of the digits from the logits of their tokens, or log-probabilities, which rank the same.

    Raises:
        ValueError: A digit has none, or none is possible.
    """
    lacking = [digit for digit in DIGITS if digit not in logits]
    if lacking:
        raise ValueError(f"the likeliest tokens lack {', '.join(lacking)}")
    highest = max(logits[digit] for digit in DIGITS)
    if highest == -math.inf:
        raise ValueError("no digit is possible")
    shares = [math.exp(logits[digit] - highest) for digit in DIGITS]
    return sum(int(digit) * share for digit, share in zip(DIGITS, shares, strict=True)) / sum(shares)


def digit_ids(model: LanguageModel) -> list[int]:
    """Returns the tokens of the digits, each as it stands by itself.

    Raises:
        UserError: The tokenizer has no such token.
    """
    found = []
    for digit in DIGITS:
        ids = model.tokenizer(digit, add_special_tokens=False)["input_ids"]  # a blank may come first
        if not ids or model.tokenizer.decode(ids[-1:]).strip() != digit:
            raise UserError(
                f"the tokenizer of '{model.name}' has no token for the digit {digit} by itself",
                "give a scorer whose tokenizer has one",
            )
        found.append(ids[-1])
    return found


def mean_digits(
    model: LanguageModel, prompts: Sequence[str], token_budget: int, advance: Any = None
) -> NDArray[np.float64]:
    """Returns the mean digit after each prompt [prompts]; NaN for a prompt longer than the model's window.

    Args:
        model: The scorer. Its tokenizer puts before a prompt what it puts before any text; no chat template is used.
        prompts: Texts.
        token_budget: The most padded tokens of a batch.
        advance: Called with a number of prompts as they are done.
    """
    import torch

    rows = model.tokenizer(list(prompts))["input_ids"] if prompts else []
    wanted = torch.tensor(digit_ids(model), device=model.device)
    weights = torch.arange(1.0, 7.0, device=model.device)
    kept = [i for i, ids in enumerate(rows) if ids and len(ids) <= model.window]
    found = np.full(len(rows), np.nan)
    with torch.no_grad():
        for places in token_batches([len(rows[i]) for i in kept], token_budget):
            batch = [kept[place] for place in places]
            ids, mask = pad([rows[i] for i in batch], model.device)
            last = mask.sum(1) - 1
            with head_only_at(model.network, torch.arange(len(batch), device=model.device), last):
                logits = model.network(input_ids=ids, attention_mask=mask, use_cache=False).logits[0]
            shares = torch.softmax(logits[:, wanted].float(), dim=-1)
            found[batch] = (shares @ weights).double().cpu().numpy()
            if advance:
                advance(len(batch))
    return found
