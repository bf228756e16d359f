"""K-FAC: gradients whitened by the Kronecker factors of the Fisher matrix.

Martens and Grosse, "Optimizing Neural Networks with Kronecker-factored Approximate Curvature" (arXiv 1503.05671):
the Fisher matrix of a linear layer's weight is taken as A ⊗ S, with A the second moment of the layer's inputs and S
that of the gradients at its outputs, both over tokens. An influence g' F^-1 g is then the inner product of

    S^-1/2 G A^-1/2

for both examples, and a cosine of these is what is scored. Each factor C is damped by a share of its mean
eigenvalue, (C + λ mean(eig C) I)^-1/2. The true Fisher matrix has labels drawn from the model's own distribution; the
empirical one has those of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from suffice.gradients.layers import Layer
from suffice.gradients.observing import Observation
from suffice.gradients.preconditioning import Factors
from suffice.models.losses import Passage


def fit_kfac(
    network: Any,
    layers: Sequence[Layer],
    rows: Sequence[Passage],
    *,
    damping: float,
    sampled: int | None,
    token_budget: int,
    advance: Callable[[float], None] | None = None,
) -> dict[str, Factors]:
    """Returns the inverse roots of both Kronecker factors of every layer.

    Args:
        network: A causal language model of transformers in evaluation mode.
        layers: Its layers.
        rows: The rows that the second moments are of.
        damping: λ.
        sampled: The seed of labels drawn from the model; `None` for the rows' own.
        token_budget: The most padded tokens of a batch.
        advance: Called with a number of rows as they are done.
    """
    inputs: dict[str, torch.Tensor] = {}
    outputs: dict[str, torch.Tensor] = {}
    leaders: dict[str, str] = {}

    def look(
        layer: Layer, leader: str, given: torch.Tensor, gradient: torch.Tensor, real: torch.Tensor
    ) -> None:
        leaders[layer.name] = leader
        if leader == layer.name:
            _add(inputs, leader, given[real])
        _add(outputs, layer.name, gradient[real])

    tokens = Observation(network, layers, look, mean=False, sampled=sampled).over(rows, token_budget, advance)
    roots = {leader: inverse_root(total / tokens, damping) for leader, total in inputs.items()}
    return {
        layer.name: Factors(
            leaders[layer.name],
            roots[leaders[layer.name]],
            inverse_root(outputs.pop(layer.name) / tokens, damping),
        )
        for layer in layers
    }


def _add(totals: dict[str, torch.Tensor], name: str, vectors: torch.Tensor) -> None:
    """Adds the second moments of vectors [tokens, numbers] to a total."""
    found = vectors.float().T @ vectors.float()
    totals[name] = totals[name] + found if name in totals else found


def inverse_root(covariance: torch.Tensor, damping: float) -> torch.Tensor:
    """Returns (C + damping x mean eigenvalue x I)^-1/2, float32, of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(covariance.double())
    values = values.clamp_min(0)
    floor = damping * values.mean().clamp_min(torch.finfo(torch.float32).tiny)
    root: torch.Tensor = (vectors * (values + floor).rsqrt()) @ vectors.T
    return root.float()
