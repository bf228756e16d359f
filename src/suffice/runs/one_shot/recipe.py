"""The recipe of a run on one example: what is trained on, by which reward, and against which controls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from suffice.common.errors import UserError
from suffice.common.files import write_text
from suffice.runs.fields import checked, read_fields
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
NEEDED: tuple[ArmName, ...] = ("base", "template", "one")
SINGLES: tuple[ArmName, ...] = ("random-one", "alike-one")

_QUESTION = "{question}"


class RewardSettings(Section):
    """What is right, and what is well formed."""

    name: str = Field("math", description="The reward; see suffice list rewards.")
    options: dict[str, Any] = Field({}, description="Its options; see suffice list rewards NAME.")
    format: dict[str, Any] = Field({}, description="Options of the reward format, for the arm format.")
    require_stop: bool = Field(True, description="A reply that does not end by itself is worth nothing.")
    seconds: float = Field(10.0, gt=0, description="What judging one reply may take.")
    unsafe: bool = Field(False, description="Run code as yourself where it cannot be isolated.")


class ChoiceSettings(Section):
    """How the one example is chosen: by replies of the base alone, by the history of another training, or named."""

    row: int | None = Field(None, ge=1, description="The example itself, by its number in the file.")
    candidates: int = Field(60, ge=1, description="Examples whose pass rate the base's replies estimate.")
    rollouts: int = Field(32, ge=2, description="Replies to each.")
    rates: tuple[float, float] = Field((0.03, 0.5), description="Pass rates of an example to learn from.")
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


class EvaluationSettings(Section):
    """How arms are judged on test items."""

    items: int | None = Field(None, ge=1, description="Test items of each task; all by default.")
    sampled_items: int = Field(40, ge=0, description="Test items that are sampled too, for pass@k.")
    samples: int = Field(16, ge=1, description="Replies to each of them.")
    temperature: float = Field(0.6, gt=0)


class ContaminationSettings(Section):
    """Whether the base knows the test by heart, and whether gains hold on problems that it cannot have seen."""

    fresh: str = Field(
        "", description="Such problems: a file with prompt and answer, lab, random-calculation, or none."
    )
    items: int = Field(
        0, ge=0, description="Test items of each task that are looked at, and fresh ones; 0 for none."
    )
    fraction: float = Field(0.6, gt=0, lt=1, description="The share of a question's words that is shown.")


class OneShotDesign(Section):
    """What is compared with what."""

    arms: list[ArmName] = Field(list(ARMS))
    seeds: int = Field(3, ge=1, description="Training seeds of each arm.")
    singles: int = Field(5, ge=1, description="Other single examples: random ones, and as many alike.")
    few: list[Annotated[int, Field(ge=2)]] = Field([2, 4, 16], description="Examples of the arms between.")
    share: float = Field(0.9, gt=0, le=1, description="The share of the whole set's gain to be reached.")
    alpha: float = Field(0.05, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _with_the_chain(self) -> Self:
        missing = [arm for arm in NEEDED if arm not in self.arms]
        if missing:
            raise ValueError(f"the arm '{missing[0]}' is missing, and the verdict stands on it")
        if len(set(self.arms)) < len(self.arms):
            raise ValueError("an arm is named twice")
        return self


class OneShotExecution(Section):
    """How the work is done: nothing here is part of the design."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    jobs: int | None = Field(None, ge=1, description="Worker processes side by side.")
    keep_weights: bool = Field(False, description="Whether the weights of the arm one stay.")


class OneShotRecipe(Section):
    """One run."""

    kind: Literal["one-shot"]
    name: str = "one-shot"
    model: str = Field("lab", description="A folder, a hub id, or lab.")
    chat_template: str | None = None
    examples: str = Field(description="File of what may be trained on: prompt and answer; one example a row.")
    target: str = Field(description="Target file: test items, and dev items to pick the template on.")
    tasks: list[str] = Field([], description="Tasks to run apart, each on its own examples and items.")
    templates: list[str] = Field(
        [_QUESTION], description="Prompt templates, the first the plain one; the best on dev is taken."
    )
    max_new_tokens: int = Field(3_072, ge=1, description="The longest reply.")
    reward: RewardSettings = RewardSettings()
    choice: ChoiceSettings = ChoiceSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    contamination: ContaminationSettings = ContaminationSettings()
    design: OneShotDesign = OneShotDesign()
    seed: int = 0
    execution: OneShotExecution = OneShotExecution()

    @model_validator(mode="after")
    def _templates_hold_the_question(self) -> Self:
        for template in self.templates:
            if template.count(_QUESTION) != 1:
                raise ValueError(f"the template {template!r} does not hold {_QUESTION} once")
        return self

    def write(self, path: Path) -> None:
        """Writes the recipe as YAML."""
        write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def read_one_shot(source: str | Path, overrides: dict[str, Any] | None = None) -> OneShotRecipe:
    """Returns a recipe of this kind with overrides laid over it.

    Raises:
        UserError: No such recipe, a recipe of another kind, or a field that does not exist or does not fit.
    """
    fields, where = read_fields(source, overrides)
    if fields.get("kind") != "one-shot":
        raise UserError(f"{where} is no recipe of the kind one-shot", "give one, such as one-shot-lab")
    return checked(OneShotRecipe, fields, where)


def asked(template: str, question: str) -> str:
    """Returns a question in a template; what the question ends in already is not added again."""
    before, after = template.split(_QUESTION)
    return before + question + ("" if after and question.endswith(after) else after)
