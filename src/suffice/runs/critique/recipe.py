"""The recipe of critique fine-tuning on one problem (Wang et al. 2025, arXiv 2506.03295): the defaults are the paper's."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from suffice.models.endpoint.settings import EndpointSettings
from suffice.runs.rewarded.settings import QUESTION, Design, RewardedRecipe
from suffice.runs.selection_settings import Section
from suffice.training.settings import SFTSettings

ArmName = Literal["base", "template", "critique", "solutions", "shuffled", "critique-other"]
ARMS: tuple[ArmName, ...] = ("base", "template", "critique", "solutions", "shuffled", "critique-other")

SOLUTION = "{solution}"
# Wordings of our own; the parts that they name are those of the paper's public code (prompts/generate_teacher_critique.py).
INSTRUCTION = (
    "Please critique whether the following solution to the question is correct.\n\n"
    "Question:\n{question}\n\nSolution:\n{solution}"
)
TEACHER_PROMPT = (
    "You are an expert who marks solutions. Say which ideas the question takes, go through the solution step by step, and "
    "name every step that is wrong and why. Where the solution is wrong, solve the question rightly as well. End with a last "
    "line that reads either 'Conclusion: right' or 'Conclusion: wrong'.\n\n"
    "Question:\n{question}\n\nSolution:\n{solution}"
)


class CritiqueSettings(Section):
    """Where critiques come from (one of ``file``, ``function`` and ``teacher``), and what is trained on."""

    file: str | None = Field(
        None, description="Critiques made elsewhere: solution, critique, example, right."
    )
    function: str | None = Field(None, description="A function of yours that writes them: module:function.")
    teacher: EndpointSettings | None = Field(None, description="An endpoint whose model writes them.")
    samples: int = Field(1_200, ge=2, description="Solutions sampled from the base; copies count once.")
    temperature: float = Field(1.0, gt=0, description="At which they are.")
    rows: int | None = Field(600, ge=2, description="The most critiques trained on; all where null.")
    max_tokens: int = Field(4_096, ge=1, description="The longest critique by a teacher.")
    prompt: str = Field(TEACHER_PROMPT, description="What the teacher is asked.")
    instruction: str = Field(INSTRUCTION, description="What the model is asked in training.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(map(bool, (self.file, self.function, self.teacher))) != 1:
            raise ValueError(
                "give one source of critiques: --set file=FILE, --set function=MODULE:FUNCTION, or --set endpoint=URL "
                "--set model=NAME"
            )
        for name in ("prompt", "instruction"):
            if any(getattr(self, name).count(part) != 1 for part in (QUESTION, SOLUTION)):
                raise ValueError(f"{name} does not hold {QUESTION} and {SOLUTION} once each")
        return self


class CritiqueTraining(Section):
    """How every arm is trained: all weights, for as many steps as the critiques take."""

    learning_rate: float = Field(5e-6, gt=0)
    schedule: Literal["linear", "cosine"] = "cosine"
    epochs: float = Field(50, gt=0, description="Passes over the critiques; other arms take as many steps.")
    steps: int | None = Field(None, ge=1, description="Optimiser steps, in place of passes.")
    batch_size: int = Field(512, ge=1)
    warmup_ratio: float = Field(0.05, ge=0, le=1)
    weight_decay: float = Field(0.05, ge=0)
    max_grad_norm: float = Field(1.0, ge=0)
    token_budget: int | None = Field(None, ge=1, description="Padded tokens of a forward pass.")
    checkpoints: int = Field(
        50, ge=1, description="Of so many equally spaced ones dev picks one; 1: the last."
    )
    checkpoint_steps: int = Field(10, ge=0, description="Steps after which a kill loses nothing; 0 for none.")

    def settings(self, rows: int) -> SFTSettings:
        """Returns the trainer's settings where there are so many critiques."""
        steps = self.steps or math.ceil(self.epochs * rows / min(self.batch_size, rows))
        given = self.model_dump(exclude={"epochs", "steps", "checkpoints"})
        return SFTSettings(steps=steps, **given)

    def judged_at(self, steps: int) -> list[int]:
        """Returns the steps after which a checkpoint is judged on dev; the last is one of them."""
        count = min(self.checkpoints, steps)
        return [steps * (i + 1) // count for i in range(count)]


class CritiqueDesign(Design):
    """What is compared with what."""

    needed: ClassVar[tuple[str, ...]] = ("base", "template", "critique")

    arms: list[ArmName] = Field(list(ARMS))


class CritiqueRecipe(RewardedRecipe):
    """One run."""

    # A cap that was reached may be raised and the run gone on with: what asking costs is no part of the design.
    work: ClassVar[dict[str, Any]] = {
        "execution": True,
        "critiques": {
            "teacher": {
                "concurrency": True, "per_minute": True, "timeout": True, "tries": True, "max_requests": True,
                "max_cost": True, "input_price": True, "output_price": True,
            }
        },
    }  # fmt: skip

    kind: Literal["critique"]
    name: str = "critique"
    critiques: CritiqueSettings
    training: CritiqueTraining = CritiqueTraining()
    design: CritiqueDesign = CritiqueDesign()

    @model_validator(mode="after")
    def _caps_hold_for_the_command(self) -> Self:
        if self.critiques.teacher and len(self.tasks) > 1:
            raise ValueError("a teacher's caps hold for one task; run each of the tasks by itself")
        return self

    @property
    def reading_temperature(self) -> float:
        """The temperature at which solutions are sampled, and candidates for the one problem tried."""
        return self.critiques.temperature
