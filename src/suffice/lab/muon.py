"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) in single precision.

`torch.optim.Muon` orthogonalises in bfloat16, which a processor without instructions for it does ten times
slower than in float32. The update is the same: Nesterov momentum, five Newton-Schulz steps, a rate scaled
by sqrt(max(1, rows / columns)), and decoupled weight decay. Matrices of one shape go through together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for matrices.

    Args:
        params: Matrices, or groups of them as every optimiser takes them.
        lr: The learning rate.
        weight_decay: Of the decoupled kind.
    """

    def __init__(self, params: Iterable[Any], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Takes one step with the gradients that the matrices hold."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[torch.Tensor]] = {}
            for parameter in group["params"]:
                by_shape.setdefault(parameter.shape, []).append(parameter)
            for (rows, columns), parameters in by_shape.items():
                updates = orthogonalize(torch.stack([self._momentum(p) for p in parameters]))
                scale = max(1.0, rows / columns) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update, alpha=-group["lr"] * scale)

    def _momentum(self, parameter: torch.Tensor) -> torch.Tensor:
        """Takes the gradient into the running mean and returns Nesterov's look ahead."""
        gradient = parameter.grad
        assert gradient is not None
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(mean, MOMENTUM)


def orthogonalize(matrices: torch.Tensor) -> torch.Tensor:
    """Returns matrices with the same singular vectors and singular values near one.

    Args:
        matrices: float32 [count, rows, columns].
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x: torch.Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
