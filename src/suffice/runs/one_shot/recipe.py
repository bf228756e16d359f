"""The recipe of a run on one example: what is trained on, by which reward, and against which controls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from suffice.runs.rewarded.settings import Design, OneSettings, RewardedRecipe, RightSettings, read_rewarded
from suffice.runs.selection_settings import Section

ArmName = Literal[
    "base",
    "template",
    "format",
    "random",
    "wrong",
    "entropy",
    "one",
    "random-one",
    "alike-one",
    "few",
    "whole",
]
ARMS: tuple[ArmName, ...] = (
    "base", "template", "format", "random", "wrong", "entropy", "one", "random-one", "alike-one", "few", "whole",
)  # fmt: skip
SINGLES: tuple[ArmName, ...] = ("random-one", "alike-one")


class RewardSettings(RightSettings):
    """What is right, and what is well formed."""

    format: dict[str, Any] = Field({}, description="Options of the reward format, for the arm format.")


class ChoiceSettings(OneSettings):
    """How the one example and its wrong label are chosen: by replies of the base alone, by a history, or named."""

    history: str | None = Field(
        None,
        description="Accuracies of the examples over another training; the one that moved most is taken, of all of them.",
    )
    history_reward: str | None = Field(None, description="The reward of right, where a log has several.")
    history_key: str | None = Field(None, description="The field of the examples that holds its keys.")
    wrong_label: str | None = Field(None, description="The wrong answer; by default the base's commonest.")
    wrong_lines: int | None = Field(
        None, ge=1, description="A wrong answer is one that no reply of more lines than this ended in."
    )


class TrainingSettings(Section):
    """How every arm is trained; the defaults are the paper's."""

    learning_rate: float = Field(1e-6, gt=0, description="Constant.")
    steps: int = Field(2_000, ge=1, description="Rollout steps.")
    groups: int = Field(128, ge=1, description="Prompts of a rollout step; a copy is a group of its own.")
    samples: int = Field(8, ge=2, description="Replies of a group.")
    updates: int = Field(1, ge=1, description="Optimiser steps of a rollout step (paper 8, its code 1).")
    temperature: float = Field(0.6, gt=0)
    kl: float = Field(0.001, ge=0)
    entropy: float = Field(0.001, ge=0)
    clip: float = Field(0.2, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, ge=0, description="0 leaves gradients as they are.")
    token_budget: int | None = Field(None, ge=1, description="Padded tokens of a forward pass.")
    lora: bool = Field(False, description="Train LoRA adapters instead of all weights.")
    lora_r: int = Field(16, ge=1)
    checkpoint_steps: int = Field(20, ge=0, description="Rollout steps between checkpoints; 0 for none.")


class ContaminationSettings(Section):
    """Whether the base knows the test by heart, and whether gains hold on problems that it cannot have seen."""

    fresh: str = Field(
        "", description="Such problems: a file with prompt and answer, lab, random-calculation, or none."
    )
    items: int = Field(
        0, ge=0, description="Test items of each task that are looked at, and fresh ones; 0 for none."
    )
    fraction: float = Field(0.6, gt=0, lt=1, description="The share of a question's words that is shown.")


class OneShotDesign(Design):
    """What is compared with what."""

    needed: ClassVar[tuple[str, ...]] = ("base", "template", "one")

    arms: list[ArmName] = Field(list(ARMS))
    singles: int = Field(5, ge=1, description="Other single examples: random ones, and as many alike.")
    few: list[Annotated[int, Field(ge=2)]] = Field([2, 4, 16], description="Examples of the arms between.")
    share: float = Field(0.9, gt=0, le=1, description="The share of the whole set's gain to be reached.")


class OneShotRecipe(RewardedRecipe):
    """One run."""

    kind: Literal["one-shot"]
    name: str = "one-shot"
    reward: RewardSettings = RewardSettings()
    choice: ChoiceSettings = ChoiceSettings()
    training: TrainingSettings = TrainingSettings()
    contamination: ContaminationSettings = ContaminationSettings()
    design: OneShotDesign = OneShotDesign()

    @property
    def free(self) -> dict[str, Any]:
        """What may change where a run that was begun is gone on with; a look at contamination changes no arm."""
        return self.work if self.contamination.items else {**self.work, "contamination": True}

    @property
    def reading_temperature(self) -> float:
        """The temperature at which the base's replies are sampled: that of training."""
        return self.training.temperature


def read_one_shot(source: str | Path, overrides: dict[str, Any] | None = None) -> OneShotRecipe:
    """Returns a recipe of this kind; see `read_rewarded`."""
    return read_rewarded(OneShotRecipe, source, overrides)
