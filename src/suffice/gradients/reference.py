"""The literal loop of LESS, one example at a time: what everything else is tested against.

``collect_grad_reps.py`` of LESS (arXiv 2402.04333) runs one backward pass for each example, joins the gradients
of the trained parameters in the order of ``named_parameters``, replaces them by Adam's update Γ on the side of
the pool, and multiplies with a dense Rademacher matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from suffice.gradients.adam import Adam, Moments, update
from suffice.gradients.projection import Projection
from suffice.models.losses import Passage


def features_one_by_one(
    network: Any,
    rows: Sequence[Passage],
    names: Sequence[str],
    projection: Projection,
    moments: Mapping[str, Moments] | None = None,
    adam: Adam | None = None,
) -> torch.Tensor:
    """Computes features as LESS does.

    Args:
        network: A causal language model of transformers or PEFT, in evaluation mode.
        rows: The rows.
        names: The parameters, as ``named_parameters`` calls them; each is a block of the projection.
        projection: The projection.
        moments: Moments by name, for Γ; `None` for the plain gradient.
        adam: How Γ is defined; as in LESS where it is not given.

    Returns:
        Features, float32 [rows, size], not scaled to norm 1.
    """
    wanted = {name: parameter for name, parameter in network.named_parameters() if name in set(names)}
    features = torch.zeros(len(rows), projection.size, device=next(network.parameters()).device)
    for i, row in enumerate(rows):
        gradients = torch.autograd.grad(row_loss(network, row), list(wanted.values()))
        for name, gradient in zip(wanted, gradients, strict=True):
            if moments is not None:
                gradient = update(gradient[None], moments[name], adam or Adam())[0]
            projection.add(features[i : i + 1], name, gradient.flatten()[None])
    return features


def row_loss(network: Any, row: Passage) -> torch.Tensor:
    """Returns the mean cross entropy over a row's trained tokens, from the logits of all its tokens."""
    device = next(network.parameters()).device
    ids = torch.tensor(row.ids, device=device)
    places = torch.tensor(row.places, device=device)
    logits = network(input_ids=ids[None], use_cache=False).logits[0]
    return torch.nn.functional.cross_entropy(logits[places - 1].float(), ids[places])
