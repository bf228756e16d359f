"""Training rows as tokens and labels, and the order in which a run sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from suffice.common.draws import Draws
from suffice.data.example import Example
from suffice.models import LanguageModel

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that can be trained on, and the count of those that cannot.

    Attributes:
        ids: Token ids of each row.
        labels: The same, with `IGNORED` where the token is not the assistant's.
        refused: Rows that the chat template refuses.
        dropped: Rows without an assistant token within the window.
        cut: Rows that lost tokens at their end and are trained on all the same.
    """

    ids: list[list[int]]
    labels: list[list[int]]
    refused: int
    dropped: int
    cut: int


def encode_rows(model: LanguageModel, examples: Sequence[Example], max_length: int) -> Rows:
    """Encodes examples by the model's chat template, each cut to ``max_length`` tokens."""
    kept_ids, kept_labels = [], []
    refused = dropped = cut = 0
    for encoded in model.chat.encode_many([(e.messages, e.tools) for e in examples]):
        if encoded is None:
            refused += 1
            continue
        ids = encoded.ids[:max_length]
        # Nothing stands before the first token, so nothing can predict it.
        labels = [IGNORED, *(i if t else IGNORED for i, t in zip(ids[1:], encoded.trained[1:], strict=False))]
        if all(label == IGNORED for label in labels):
            dropped += 1
            continue
        cut += len(encoded.ids) > max_length
        kept_ids.append(ids)
        kept_labels.append(labels)
    return Rows(kept_ids, kept_labels, refused, dropped, cut)


def row_order(lengths: Sequence[int], batch_size: int, steps: int, seed: int) -> list[int]:
    """Lays out the rows of a whole run, optimiser step by optimiser step.

    Each pass over the rows is a new permutation by `Draws`, so a seed gives the same order on every machine.
    A pass runs on into the next without a short batch. Within one optimiser step the rows are sorted by
    length: its loss is the mean over all its trained tokens, so their order is immaterial, and micro-batches
    of like lengths hold little padding.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows of an optimiser step.
        steps: Optimiser steps.
        seed: The training seed.

    Returns:
        ``steps`` x ``batch_size`` row indices.
    """
    stream = passes(len(lengths), seed)
    order: list[int] = []
    for _ in range(steps):
        order += sorted(islice(stream, batch_size), key=lambda row: -lengths[row])
    return order


def passes(rows: int, seed: int) -> Iterator[int]:
    """Yields row indices without end: one permutation after the other."""
    for epoch in count():
        yield from Draws(seed, "training order", epoch).shuffled(range(rows))


def micro_batch(batch_size: int, longest: int, token_budget: int) -> int:
    """Returns the rows of one forward pass: the largest divisor of ``batch_size`` that fits the budget."""
    divisors = (d for d in range(batch_size, 0, -1) if batch_size % d == 0)
    return next((d for d in divisors if d * longest <= token_budget), 1)
