"""Batches of rows of like length, filled up to a number of tokens, and the threads that work on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def token_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Groups rows so that a batch, padded to its longest row, stays within a number of tokens.

    Rows are sorted by length, longest first, so that padding is small and a batch that does not fit into
    memory fails at once rather than at the end. Equal lengths keep their order.

    Args:
        lengths: Tokens of each row.
        budget: The most padded tokens in a batch. A row longer than that gets a batch of its own.

    Returns:
        Row indices, batch by batch; each row is in exactly one batch.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def pad(
    rows: Sequence[Sequence[int]], device: str = "cpu", *, left: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Makes one rectangle of rows of tokens.

    Args:
        rows: Token ids.
        device: Where the tensors are made.
        left: Pad on the left (generation) instead of the right (scoring, training).

    Returns:
        Token ids and attention mask (1 on tokens, 0 on padding), both int64 [rows, longest]. The padding is
        token 0, which a network that honours the mask never sees.
    """
    import torch

    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[i, place] = torch.tensor(row, dtype=torch.long)
        mask[i, place] = 1
    return ids.to(device), mask.to(device)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Has torch work on some threads: their number decides the order of sums, and so the bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
