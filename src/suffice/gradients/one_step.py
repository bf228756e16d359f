"""What one step of training on a single row does to the losses of other passages.

This is what influence estimates: for a short step the change of a loss is minus the step's length times the cosine
of the two gradients times the other gradient's norm. Here the step is really made, down the row's gradient over all
weights of the network, of the same length for every row, and the losses are measured before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from suffice.gradients.reference import row_loss
from suffice.models.batching import torch_threads
from suffice.models.losses import Passage, token_losses

if TYPE_CHECKING:
    from suffice.models.loading import LanguageModel

LENGTH = 1e-3
TOKEN_BUDGET = {"cpu": 2048, "cuda": 16_384}


def changes_by_one_step(
    model: LanguageModel,
    rows: Sequence[Passage],
    judged: Sequence[Passage],
    length: float = LENGTH,
    advance: Callable[[float], None] | None = None,
) -> NDArray[np.float64]:
    """Measures how the losses of passages change by a step on each row; the network is as before in the end.

    Args:
        model: The model.
        rows: The rows, with gradients that are finite and not zero.
        judged: The passages whose losses are measured, each the mean over its wanted tokens.
        length: How far a step goes, as a share of the norm of all weights.
        advance: Called with a number of rows as they are done.

    Returns:
        Loss after the step minus loss before it, in nats, float64 [rows, judged].
    """
    weights = [weight for weight in model.network.parameters() if weight.requires_grad]
    kept = [weight.detach().clone() for weight in weights]
    far = length * _norm(kept)
    changes = np.empty((len(rows), len(judged)))
    with torch_threads(1):
        before = _losses(model, judged)
        for place, row in enumerate(rows):
            with torch.enable_grad():
                gradients = torch.autograd.grad(
                    row_loss(model.network, row), weights, allow_unused=True, materialize_grads=True
                )
            _move(weights, gradients, -far / _norm(gradients))
            changes[place] = _losses(model, judged) - before
            with torch.no_grad():
                for weight, old in zip(weights, kept, strict=True):
                    weight.copy_(old)
            if advance:
                advance(1)
    return changes


def _losses(model: LanguageModel, judged: Sequence[Passage]) -> NDArray[np.float64]:
    found = token_losses(model, [[one] for one in judged], TOKEN_BUDGET[model.device])
    return np.array([losses.mean(dtype=np.float64) for (losses,) in found])


def _norm(tensors: Sequence[torch.Tensor]) -> float:
    return float(torch.stack([tensor.float().norm() for tensor in tensors]).norm())


def _move(weights: Sequence[torch.Tensor], directions: Sequence[torch.Tensor], length: float) -> None:
    with torch.no_grad():
        for weight, direction in zip(weights, directions, strict=True):
            weight.add_(direction, alpha=length)
