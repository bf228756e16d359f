"""How an arm is trained."""

from __future__ import annotations

from dataclasses import dataclass

from suffice.common.errors import UserError


@dataclass(frozen=True, slots=True)
class LoRA:
    """Low-rank adapters on all linear layers (Hu et al. 2021, arXiv 2106.09685), merged before saving.

    Attributes:
        r: The rank.
        alpha: The update is scaled by ``alpha`` / ``r``.
    """

    r: int = 16
    alpha: int = 32


@dataclass(frozen=True, slots=True)
class SFTSettings:
    """How to train.

    Attributes:
        learning_rate: The peak; from there it falls linearly to zero.
        steps: Optimiser steps. Give either these or ``epochs``.
        epochs: Passes over the rows.
        batch_size: Rows of an optimiser step; where there are fewer rows, all of them.
        warmup_ratio: The share of the steps in which the rate rises linearly from zero.
        weight_decay: Of AdamW.
        betas: Of AdamW.
        max_grad_norm: Gradients are scaled down to this norm.
        max_length: The most tokens of a row; the model's window where not given.
        token_budget: The most padded tokens of a forward pass; a larger batch is split and its gradients
            summed, which changes speed and memory but not the loss. Where not given, 1,024 on a CPU (rows of
            like length share a pass, so little is padded) and 16,384 on a GPU.
        lora: Train adapters instead of all weights.
        checkpoint_steps: Save a checkpoint every so many steps, from which a killed run resumes; 0 for none.
    """

    learning_rate: float = 1e-5
    steps: int | None = None
    epochs: float | None = None
    batch_size: int = 32
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    max_grad_norm: float = 1.0
    max_length: int | None = None
    token_budget: int | None = None
    lora: LoRA | None = None
    checkpoint_steps: int = 0

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.epochs is None):
            raise UserError("training needs either steps or epochs", "give one of the two")
        if min(self.steps or self.epochs or 0, self.batch_size, self.learning_rate) <= 0:
            raise UserError(
                f"training cannot run with steps {self.steps}, epochs {self.epochs}, batch size "
                f"{self.batch_size} and learning rate {self.learning_rate}",
                "give numbers above zero",
            )
