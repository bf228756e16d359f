"""What recipes have in common whose arms are judged by a reward."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args

import yaml
from pydantic import Field, model_validator

from suffice.common.errors import UserError
from suffice.common.files import write_text
from suffice.runs.fields import checked, read_fields
from suffice.runs.selection_settings import Section

QUESTION = "{question}"


class RightSettings(Section):
    """What is right."""

    name: str = Field("math", description="The reward; see suffice list rewards.")
    options: dict[str, Any] = Field({}, description="Its options; see suffice list rewards NAME.")
    require_stop: bool = Field(True, description="A reply that does not end by itself is worth nothing.")
    seconds: float = Field(10.0, gt=0, description="What judging one reply may take.")
    unsafe: bool = Field(False, description="Run code as yourself where it cannot be isolated.")


class OneSettings(Section):
    """How the one example is chosen: by replies of the base alone, or named."""

    row: int | None = Field(None, ge=1, description="The example itself, by its number in the file.")
    candidates: int = Field(60, ge=1, description="Examples whose pass rate the base's replies estimate.")
    rollouts: int = Field(32, ge=2, description="Replies to each.")
    rates: tuple[float, float] = Field((0.03, 0.5), description="Pass rates of an example to learn from.")


class EvaluationSettings(Section):
    """How arms are judged on test items."""

    items: int | None = Field(None, ge=1, description="Test items of each task; all by default.")
    sampled_items: int = Field(40, ge=0, description="Test items that are sampled too, for pass@k.")
    samples: int = Field(16, ge=1, description="Replies to each of them.")
    temperature: float = Field(0.6, gt=0)


class Design(Section):
    """What is compared with what.

    Attributes:
        needed: Arms that the verdict stands on.
    """

    needed: ClassVar[tuple[str, ...]] = ()

    arms: list[Any]
    seeds: int = Field(3, ge=1, description="Training seeds of each arm.")
    alpha: float = Field(0.05, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _with_what_is_needed(self) -> Self:
        missing = [arm for arm in self.needed if arm not in self.arms]
        if missing:
            raise ValueError(f"the arm '{missing[0]}' is missing, and the verdict stands on it")
        if len(set(self.arms)) < len(self.arms):
            raise ValueError("an arm is named twice")
        return self


class Execution(Section):
    """How the work is done: nothing here is part of the design."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    jobs: int | None = Field(None, ge=1, description="Worker processes side by side.")
    keep_weights: bool = Field(False, description="Whether the weights of the arm that counts stay.")


class RewardedRecipe(Section):
    """One run.

    Attributes:
        work: Fields that are no part of the design, as pydantic's ``exclude`` names them.
    """

    work: ClassVar[dict[str, Any]] = {"execution": True}

    name: str
    model: str = Field("lab", description="A folder, a hub id, or lab.")
    chat_template: str | None = None
    examples: str = Field(description="File of what may be trained on: prompt and answer; one example a row.")
    target: str = Field(description="Target file: test items, and dev items to pick the template on.")
    tasks: list[str] = Field([], description="Tasks to run apart, each on its own examples and items.")
    templates: list[str] = Field(
        [QUESTION], description="Prompt templates, the first the plain one; the best on dev is taken."
    )
    max_new_tokens: int = Field(3_072, ge=1, description="The longest reply.")
    reward: RightSettings = RightSettings()
    choice: OneSettings = OneSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    seed: int = 0
    execution: Execution = Execution()

    @property
    def free(self) -> dict[str, Any]:
        """What may change where a run that was begun is gone on with, as pydantic's ``exclude`` names it."""
        return self.work

    @property
    def reading_temperature(self) -> float:
        """The temperature at which the base's replies are sampled."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _templates_hold_the_question(self) -> Self:
        for template in self.templates:
            if template.count(QUESTION) != 1:
                raise ValueError(f"the template {template!r} does not hold {QUESTION} once")
        return self

    def write(self, path: Path) -> None:
        """Writes the recipe as YAML."""
        write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


Recipe = TypeVar("Recipe", bound=RewardedRecipe)


def read_rewarded(kind: type[Recipe], source: str | Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Returns a recipe of a kind with overrides laid over it.

    Raises:
        UserError: No such recipe, a recipe of another kind, or a field that does not exist or does not fit.
    """
    fields, where = read_fields(source, overrides)
    [name] = get_args(kind.model_fields["kind"].annotation)
    if fields.get("kind") != name:
        raise UserError(f"{where} is no recipe of the kind {name}", f"give one, such as {name}-lab")
    return checked(kind, fields, where)


def asked(template: str, question: str) -> str:
    """Returns a question in a template; what the question ends in already is not added again."""
    before, after = template.split(QUESTION)
    return before + question + ("" if after and question.endswith(after) else after)
