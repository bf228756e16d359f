"""What Adam would do with one example's gradient, given its moments.

Xia et al., "LESS: Selecting Influential Data for Targeted Instruction Tuning" (arXiv 2402.04333), section 3.1,
weighs a training example by its Adam update Γ rather than by its gradient g. Paper and public code
(``collect_grad_reps.py``, ``obtain_gradients_with_adam``) differ from torch's Adam:

    less:   m' / sqrt(v' + ε)                              ε inside the root, no bias correction
    torch:  (m' / (1 - β1^t)) / (sqrt(v' / (1 - β2^t)) + ε)

with m' = β1 m + (1 - β1) g and v' = β2 v + (1 - β2) g². Where v' is near zero the floor of the first
denominator is sqrt(ε) = 1e-4, of the second ε = 1e-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

Definition = Literal["less", "torch"]


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam's settings.

    Attributes:
        definition: ``less`` or ``torch``; see the module.
        betas: The decay of both moments.
        epsilon: What keeps the denominator from zero.
    """

    definition: Definition = "less"
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of one parameter at a checkpoint.

    Attributes:
        first: The running mean of gradients, of the parameter's shape.
        second: The running mean of their squares, of the same shape.
        step: How many updates the optimiser had made.
    """

    first: torch.Tensor
    second: torch.Tensor
    step: int


def update(gradients: torch.Tensor, moments: Moments, adam: Adam) -> torch.Tensor:
    """Returns Γ of the gradients of several examples.

    Args:
        gradients: Gradients [rows, *shape of the parameter].
        moments: The parameter's moments.
        adam: The settings.

    Returns:
        The updates, without learning rate, sign and weight decay [rows, *shape].
    """
    beta1, beta2 = adam.betas
    first = torch.add(beta1 * moments.first, gradients, alpha=1 - beta1)
    second = torch.addcmul(beta2 * moments.second, gradients, gradients, value=1 - beta2)
    if adam.definition == "less":
        return first.div_(second.add_(adam.epsilon).sqrt_())
    step = moments.step + 1
    return (first / (1 - beta1**step)) / ((second / (1 - beta2**step)).sqrt() + adam.epsilon)
