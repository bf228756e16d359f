"""Adafactor's fit of Adam's second moment: a scale for each output and each input of a layer.

Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (arXiv 1804.04235): the second
moment V of a weight's gradient is fitted by r c^T / sum(r), with r its row sums and c its column sums, so that the
update G / sqrt(V) is a scaling of rows and columns, which a projection of the sides takes in.

Here V is the mean square of single examples' gradients. Layers that are given the same input (query, key and value)
are fitted as the one stacked weight that other networks have in their place: the scales of its columns are shared,
as its projection is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from suffice.gradients.layers import Layer
from suffice.gradients.observing import Observation
from suffice.gradients.preconditioning import Factors
from suffice.models.losses import Passage


def fit_adafactor(
    network: Any,
    layers: Sequence[Layer],
    rows: Sequence[Passage],
    *,
    damping: float,
    token_budget: int,
    advance: Callable[[float], None] | None = None,
) -> dict[str, Factors]:
    """Returns what outputs and inputs of every layer are scaled by, 1 / sqrt(V) = outputs x inputs.

    Args:
        network: A causal language model of transformers in evaluation mode.
        layers: Its layers.
        rows: The rows whose gradients' squares V is the mean of.
        damping: This share of their mean is added to row sums and to column sums.
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
        for i in range(len(given)):  # a row at a time: no more memory than one weight takes
            squares = (gradient[i].float().T @ given[i].float()).square()
            outputs[layer.name] = outputs.get(layer.name, 0) + squares.sum(dim=1)
            inputs[leader] = inputs.get(leader, 0) + squares.sum(dim=0)

    Observation(network, layers, look, mean=True, sampled=None).over(rows, token_budget, advance)
    tiny = torch.finfo(torch.float32).tiny
    columns = {}
    for leader, sums in inputs.items():
        mean = sums / len(rows)
        damped = mean + damping * mean.mean()
        columns[leader] = (damped / damped.sum().clamp_min(tiny)).clamp_min(tiny).rsqrt()
    scaled = {}
    for layer in layers:
        mean = outputs[layer.name] / len(rows)
        damped = (mean + damping * mean.mean()).clamp_min(tiny)
        leader = leaders[layer.name]
        scaled[layer.name] = Factors(leader, columns[leader], damped.rsqrt())
    return scaled
