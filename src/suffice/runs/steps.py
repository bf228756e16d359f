"""The steps of a pipeline, as a recipe writes them.

Such as::

    pipeline:
      - {filter: length, keep: top 50%}
      - {weigh: {embedding: 2, perplexity_low: 1}, keep: top 10%}
      - {select: k_center}

What they do is told in `combining`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from suffice.common.errors import UserError, unknown_name
from suffice.common.options import resolved

_KEEP = re.compile(r"(top|bottom|at least|at most) (-?\d+(?:\.\d+)?)(%?)")
KINDS = ("filter", "weigh", "select")
PIPELINE = "pipeline"
"""What stands for the scorer's name where several score."""


@dataclass(frozen=True)
class Keep:
    """Which rows of a step stay.

    Attributes:
        side: ``top`` and ``bottom`` count rows, ``at least`` and ``at most`` look at the score itself.
        amount: How many, which percentage, or which score.
        percent: Whether the amount is a percentage.
    """

    side: Literal["top", "bottom", "at least", "at most"]
    amount: float
    percent: bool


def read_keep(text: str) -> Keep:
    """Returns ``top 50%``, ``bottom 2000``, ``at least 20`` or ``at most 3`` as what it means.

    Raises:
        ValueError: It is none of these.
    """
    found = _KEEP.fullmatch(" ".join(text.split()))
    if found:
        side, amount, percent = found[1], float(found[2]), bool(found[3])
        counts = side in ("top", "bottom")
        within = 0 < amount <= 100 if percent else amount >= 1 and amount.is_integer()
        if within if counts else not percent:
            return Keep(found[1], amount, percent)  # type: ignore[arg-type]
    raise ValueError(f"'{text}' says not what to keep; write top 50%, bottom 2000, at least 20 or at most 3")


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Filter(_Step):
    """Keeps rows by one score."""

    filter: str = Field(description="The scorer.")
    keep: str = Field(description="top 50%, bottom 2000, at least 20 or at most 3.")

    @field_validator("keep")
    @classmethod
    def _means_something(cls, text: str) -> str:
        read_keep(text)
        return text


class Weigh(_Step):
    """Gives rows the weighted mean of their places by several scores."""

    weigh: dict[str, float] = Field(description="The weight of each scorer; below 0 where low is good.")
    keep: str | None = Field(None, description="As of a filter; all rows by default.")

    @field_validator("weigh")
    @classmethod
    def _weights(cls, weights: dict[str, float]) -> dict[str, float]:
        if not weights or 0 in weights.values():
            raise ValueError("name scorers, each with a weight that is not 0")
        return weights

    @field_validator("keep")
    @classmethod
    def _means_something(cls, text: str | None) -> str | None:
        if text is not None:
            read_keep(text)
        return text


class Select(_Step):
    """Chooses from the rows that are left."""

    select: str = Field(description="The selector.")
    by: str | None = Field(None, description="The scorer whose vectors or affinities it looks at.")


def _kind(step: Any) -> str | None:
    """Returns what a step does, by the first of its fields."""
    names = step if isinstance(step, Mapping) else getattr(type(step), "model_fields", ())
    return next((name for name in KINDS if name in names), None)


Step = Annotated[
    Annotated[Filter, Tag("filter")] | Annotated[Weigh, Tag("weigh")] | Annotated[Select, Tag("select")],
    Discriminator(_kind),
]


def check_order(steps: Sequence[Step]) -> None:
    """Refuses steps that follow a selector, and none at all.

    Raises:
        ValueError: Naming the step.
    """
    if not any(isinstance(step, Filter | Weigh) or step.by for step in steps):
        raise ValueError("it names no scorer; begin with a filter or a weighing")
    for number, step in enumerate(steps[:-1], start=1):
        if isinstance(step, Select):
            raise ValueError(f"step {number} selects, and step {number + 1} follows it; put select last")


@dataclass(frozen=True)
class Pipeline:
    """The steps of a choice, in order."""

    steps: tuple[Step, ...]

    @property
    def scorers(self) -> list[str]:
        """The scorers that are needed, each once, in order."""
        named: list[str] = []
        for step in self.steps:
            if isinstance(step, Filter):
                named.append(step.filter)
            elif isinstance(step, Weigh):
                named += step.weigh
            elif step.by:
                named.append(step.by)
        return list(dict.fromkeys(named))

    @property
    def selector(self) -> str:
        """The selector."""
        last = self.steps[-1]
        return last.select if isinstance(last, Select) else "top"

    @property
    def by(self) -> str | None:
        """The scorer whose vectors and affinities the selector looks at, where one is named."""
        last = self.steps[-1]
        return last.by if isinstance(last, Select) else None

    def dump(self) -> list[dict[str, Any]]:
        """Returns the fields of each step."""
        return [step.model_dump(exclude_none=True) for step in self.steps]

    @property
    def words(self) -> list[str]:
        """Each step in words."""
        return [words_of(step) for step in self.steps]


def words_of(step: Step) -> str:
    """Returns a step in words."""
    if isinstance(step, Select):
        return f"select {step.select}" + (f" by {step.by}" if step.by else "")
    kept = f", keep {step.keep}" if step.keep else ""
    if isinstance(step, Filter):
        return f"filter {step.filter}{kept}"
    return "weigh " + ", ".join(f"{name} {weight:g}" for name, weight in step.weigh.items()) + kept


def options_of(scorer: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options of one scorer out of those of a pipeline, which are named ``SCORER.NAME``."""
    return {key[len(scorer) + 1 :]: value for key, value in options.items() if key.startswith(f"{scorer}.")}


def resolved_options(pipeline: Pipeline, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options of a pipeline's scorers, checked, as a recipe keeps them.

    Raises:
        UserError: One names no scorer of the pipeline, or none of its options, or a value does not fit.
    """
    for key in options:
        if key.partition(".")[0] not in pipeline.scorers:
            raise UserError(
                f"the option '{key}' is of no scorer of the pipeline",
                f"write SCORER.NAME, with one of {', '.join(pipeline.scorers)}",
            )
    return {
        f"{scorer}.{name}": value
        for scorer in pipeline.scorers
        for name, value in resolved("scorers", scorer, options_of(scorer, options)).items()
    }


def read_pipeline(path: Path) -> Pipeline:
    """Returns the steps that a YAML file lists, by themselves or under ``pipeline``.

    Raises:
        UserError: There is no such file, or a step is none.
    """
    if not path.is_file():
        raise UserError(f"no pipeline file {path}", "check the path")
    try:
        found = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML", "write a list of steps") from error
    if isinstance(found, dict):
        found = found.get("pipeline")
    if not isinstance(found, list) or not found:
        raise UserError(
            f"{path} holds no pipeline", "write a list of steps, such as - {select: top, by: length}"
        )
    return make_pipeline(found, str(path))


def make_pipeline(steps: list[Any], where: str) -> Pipeline:
    """Returns steps as a pipeline.

    Args:
        steps: The fields of each.
        where: What holds them, for the error.

    Raises:
        UserError: A step is none.
    """
    try:
        made = TypeAdapter(list[Step]).validate_python(steps)
        check_order(made)
    except ValidationError as error:
        raise step_error(where, error.errors()[0], ()) from error
    except ValueError as error:
        raise UserError(f"{where}: {error}", "mend the pipeline") from error
    return Pipeline(tuple(made))


def step_error(where: str, first: Mapping[str, Any], before: tuple[str, ...]) -> UserError:
    """Turns a complaint of pydantic about a step into one line that names it.

    Args:
        where: What holds the pipeline.
        first: The complaint.
        before: The fields that lead to the list of steps.
    """
    number, *rest = first["loc"][len(before) :] or (0,)
    step, fields = f"{where}, step {int(number) + 1}", [str(name) for name in rest[1:]]
    kind, field = str(rest[0]) if rest else "", ".".join(fields)
    if first["type"] in ("union_tag_not_found", "model_attributes_type", "model_type"):
        return UserError(
            f"{step}: a step filters, weighs or selects",
            "write {filter: SCORER, keep: top 50%}, {weigh: {SCORER: 1, …}} or {select: SELECTOR}",
        )
    if first["type"] == "missing":
        return UserError(f"{step} ({kind}) lacks '{field}'", "add it")
    if first["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"filter": Filter, "weigh": Weigh, "select": Select}
        known = models[kind].model_fields
        return unknown_name(f"field of {step} ({kind}):", field, known)
    if first["type"] == "value_error":
        return UserError(f"{step} ({kind}): {first['ctx']['error']}", "mend the step")
    return UserError(f"{step} ({kind}): {field} = {first['input']!r}: {first['msg']}", "mend the value")
