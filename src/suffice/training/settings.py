"""How an arm is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

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
        learning_rate: The peak; from there it falls to zero.
        schedule: How it falls: in a line, or as half a cosine wave.
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
    schedule: Literal["linear", "cosine"] = "linear"

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.epochs is None):
            raise UserError("training needs either steps or epochs", "give one of the two")
        if min(self.steps or self.epochs or 0, self.batch_size, self.learning_rate) <= 0:
            raise UserError(
                f"training cannot run with steps {self.steps}, epochs {self.epochs}, batch size "
                f"{self.batch_size} and learning rate {self.learning_rate}",
                "give numbers above zero",
            )

    def as_json(self) -> dict[str, Any]:
        """Returns the fields for keys; without the schedule where it is linear, as in keys from before it was a field."""
        fields = asdict(self)
        return fields if self.schedule != "linear" else {k: v for k, v in fields.items() if k != "schedule"}


@dataclass(frozen=True, slots=True)
class GRPOSettings:
    """How to train by reward. The defaults are those of 1-shot RLVR (arXiv 2504.20571) and its public code.

    A rollout step samples ``groups`` x ``samples`` replies and makes ``updates`` optimiser steps of them. The paper
    speaks of 8 updates (mini-batches of 128 replies), its code makes one: it multiplies the size of the mini-batch by
    the samples of a group.

    Attributes:
        learning_rate: Constant.
        steps: Rollout steps.
        groups: Prompts of a rollout step; fewer examples are repeated, and every copy is a group of its own.
        samples: Replies of a group.
        updates: Optimiser steps for each rollout step.
        temperature: What logits are divided by in sampling and in the loss.
        max_new_tokens: The longest reply.
        kl: The coefficient of the divergence from the base (the estimator k3); 0 needs no second model.
        entropy: The coefficient of the entropy bonus.
        clip: How far a probability ratio counts, which matters from the second update on.
        weight_decay: Of AdamW.
        max_grad_norm: Gradients are scaled down to this norm; 0 leaves them.
        token_budget: The most padded tokens of a forward pass; by default 8,192 on a CPU and 24,000 on a GPU.
        lora: Train adapters instead of all weights.
        checkpoint_steps: Save a checkpoint every so many rollout steps, from which a killed run resumes; 0 for none.
    """

    learning_rate: float = 1e-6
    steps: int = 2_000
    groups: int = 128
    samples: int = 8
    updates: int = 1
    temperature: float = 0.6
    max_new_tokens: int = 3_072
    kl: float = 0.001
    entropy: float = 0.001
    clip: float = 0.2
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    token_budget: int | None = None
    lora: LoRA | None = None
    checkpoint_steps: int = 0

    def __post_init__(self) -> None:
        least = min(self.steps, self.groups, self.updates, self.max_new_tokens)
        if least < 1 or self.samples < 2 or min(self.learning_rate, self.temperature) <= 0:
            raise UserError(
                "training by reward needs steps, groups, updates and new tokens of 1 or more, 2 samples or more, and a "
                "learning rate and a temperature above zero",
                "mend the settings",
            )
        if self.groups * self.samples % self.updates:
            raise UserError(
                f"{self.groups * self.samples} replies cannot be shared out evenly to {self.updates} updates",
                "give a number of updates that divides groups x samples",
            )
