"""Recipes: everything a run is determined by, as YAML, checked before anything is read or trained."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from suffice.common.files import write_text
from suffice.common.options import resolved
from suffice.runs.fields import checked, read_fields
from suffice.runs.selection_settings import Section, SelectionSettings
from suffice.runs.steps import resolved_options

ArmKind = Literal["base", "random", "longest", "length-matched", "compute-matched", "selected", "full"]
ARMS: tuple[ArmKind, ...] = ("base", "random", "longest", "selected", "full")


class TargetSettings(Section):
    """The behaviour wanted, and how a reply is judged."""

    file: str = Field(description="Target file (JSONL): prompt or messages, answer, task, split, id.")
    dev: str | None = Field(None, description="File of dev examples, where they are apart.")
    untargeted: str | None = Field(
        None, description="Target file of tasks that the selection does not aim at, watched for harm."
    )
    extractor: Literal["auto", "number", "exact", "choice", "last_line"] = Field(
        "auto", description="What of reference and reply is compared; auto is number for GSM8K, else exact."
    )
    items: int | None = Field(None, ge=1, description="Test items of each family; all by default.")
    max_new_tokens: int = Field(256, ge=1, description="The longest reply.")
    require_stop: bool = Field(True, description="A reply that does not end by itself is wrong.")

    @field_validator("extractor", mode="before")
    @classmethod
    def _in_one_word(cls, name: Any) -> Any:
        return name.replace(" ", "_").replace("-", "_") if isinstance(name, str) else name


class ReadingSettings(Section):
    """What is asked of the rows of the pool."""

    columns: dict[str, str] = Field({}, description="The files' column for each field, where names differ.")
    ignore: list[str] = Field([], description="Rules to ignore, such as W2 or E103.")
    allow_license: list[str] = Field([], description="Licences to allow; all by default.")


class TrainingSettings(Section):
    """How every arm is trained."""

    learning_rate: float | None = Field(
        None, gt=0, description="The same for all arms; by default 1e-5, with LoRA 2e-4."
    )
    tune: bool = Field(False, description="Whether each arm's rate is picked on dev.")
    rates: list[Annotated[float, Field(gt=0)]] = Field(
        [], description="Rates to try; by default a third of the learning rate, itself, and three times it."
    )
    batch_size: int = Field(32, ge=1, description="Rows of an optimiser step.")
    epochs: float = Field(4.0, gt=0, description="Passes over the budget.")
    steps: int | None = Field(None, ge=1, description="Optimiser steps; by default the epochs' worth.")
    match: Literal["steps", "epochs"] = Field("steps", description="What is equal in all arms.")
    max_length: int | None = Field(None, ge=8, description="Tokens of a row; by default the window.")
    warmup_ratio: float = Field(0.03, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    lora: bool = Field(False, description="Train LoRA adapters instead of all weights.")
    lora_r: int = Field(16, ge=1)
    checkpoint_steps: int = Field(500, ge=0, description="Steps between checkpoints; 0 for none.")

    @model_validator(mode="after")
    def _steps_or_epochs(self) -> Self:
        if self.steps and self.match == "epochs":
            raise ValueError("equal epochs leave no choice of steps; give training.epochs alone")
        return self

    def rate(self) -> float:
        """Returns the learning rate in force."""
        return self.learning_rate or (2e-4 if self.lora else 1e-5)

    def rates_to_try(self) -> list[float]:
        """Returns the learning rates that tuning tries, from low to high; none without tuning."""
        if not self.tune:
            return []
        return sorted(self.rates or [self.rate() / 3, self.rate(), self.rate() * 3])


class DesignSettings(Section):
    """What is compared with what; fixed before the first score is computed."""

    arms: list[ArmKind] = Field(list(ARMS))
    draws: int = Field(5, ge=1, description="Draws of the random arm.")
    seeds: int = Field(3, ge=1, description="Training seeds of the other arms.")
    margin: float = Field(
        2.0, gt=0, description="Percent points below the yardstick that still count as enough."
    )
    alpha: float = Field(0.05, gt=0, lt=0.5)
    draw_seeds: int = Field(1, ge=1, description="Training seeds of each draw; two tell draw and seed apart.")
    budgets: list[Annotated[int, Field(ge=1)]] = Field(
        [], description="Budgets of the curve, beside the selection's own; none for no curve."
    )
    scorers: list[str] = Field(
        [], description="Scorers on the curve beside the selection's own and random: NAME or NAME+SELECTOR."
    )
    looks: list[Annotated[int, Field(ge=3)]] = Field(
        [], description="Runs an arm after which to look, such as [3, 5, 8]; they replace draws and seeds."
    )

    @field_validator("looks")
    @classmethod
    def _rising(cls, looks: list[int]) -> list[int]:
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError("looks must rise, such as [3, 5, 8]")
        return looks

    @field_validator("arms")
    @classmethod
    def _with_the_selection(cls, arms: list[ArmKind]) -> list[ArmKind]:
        if "selected" not in arms:
            raise ValueError("the arm 'selected' is missing, and it is what a run judges")
        if len(set(arms)) < len(arms):
            raise ValueError("an arm is named twice")
        return arms


class ExecutionSettings(Section):
    """How the work is done: nothing here changes a selection, and none of it is part of the design."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    jobs: int | None = Field(
        None, ge=1, description="Worker processes; by default what memory and cores allow."
    )
    keep_weights: Literal["selected", "all", "none"] = "selected"


class Recipe(Section):
    """One run."""

    name: str = "lima"
    model: str = Field("lab", description="A folder, a hub id, or lab.")
    chat_template: str | None = None
    pool: list[str] = Field(min_length=1, description="Files or quoted globs.")
    target: TargetSettings
    reading: ReadingSettings = ReadingSettings()
    selection: SelectionSettings = SelectionSettings()
    training: TrainingSettings = TrainingSettings()
    design: DesignSettings = DesignSettings()
    seed: int = 0
    execution: ExecutionSettings = ExecutionSettings()

    @model_validator(mode="after")
    def _tokens_or_curve(self) -> Self:
        if self.selection.budget_tokens and self.design.budgets:
            raise ValueError("a budget of tokens has no curve; leave out design.budgets")
        return self

    def steps(self, rows: int, chosen: int) -> int:
        """Returns the optimiser steps of an arm with ``rows`` rows where ``chosen`` rows are selected."""
        training = self.training
        if training.match == "steps":
            rows = chosen
            if training.steps:
                return training.steps
        return max(1, math.ceil(math.ceil(rows / training.batch_size) * training.epochs))

    def with_checked_options(self) -> Recipe:
        """Returns the recipe with the scorer's options in their own types, and paths from the root.

        Raises:
            UserError: There is no such scorer or option, or a value does not fit.
        """
        settings = self.selection
        if settings.steps:
            options = resolved_options(settings.steps, settings.options)
        else:
            options = resolved("scorers", settings.scorer, settings.options)
        return self.model_copy(update={"selection": self.selection.model_copy(update={"options": options})})

    def write(self, path: Path) -> None:
        """Writes the recipe as YAML."""
        write_text(path, yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True))

    def differences(self, other: Recipe) -> list[str]:
        """Returns, in words, where another recipe's design differs; how the work is done does not count."""
        mine, theirs = _flat(self.model_dump()), _flat(other.model_dump())
        return [
            f"{key} is {mine[key]!r} there and {theirs[key]!r} here"
            for key in mine
            if not key.startswith("execution.") and mine[key] != theirs[key]
        ]


def read_recipe(source: str | Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Returns a recipe with overrides laid over it; see `suffice.runs.fields`."""
    fields, where = read_fields(source, overrides)
    return checked(Recipe, fields, where)


def _flat(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
