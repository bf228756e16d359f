"""How a recipe says that rows are chosen."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from suffice.runs.steps import PIPELINE, Pipeline, Step, check_order, options_of


class Section(BaseModel):
    """A part of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SelectionSettings(Section):
    """How rows are chosen."""

    scorer: str = Field("embedding", description="The scorer; see suffice list scorers.")
    selector: str | None = Field(None, description="The selector; by default the scorer's own.")
    budget: int = Field(1000, ge=1, description="How many rows to choose.")
    budget_tokens: int | None = Field(
        None, ge=1, description="How many tokens to choose instead, as many as are trained on; of every arm."
    )
    model: str | None = Field(
        None, description="A model that scores the pool in place of the one that is trained."
    )
    drop_worst: int = Field(
        0,
        ge=0,
        description="Rows of the most negative influence that are never chosen and go to the rejected.",
    )
    file: str | None = Field(None, description="A selection made elsewhere (JSONL with id or messages).")
    reject_twins: bool = Field(False, description="Whether exact twins are rejected.")
    pipeline: list[Step] = Field(
        [], description="Steps that filter, weigh and select, instead of one scorer."
    )
    options: dict[str, Any] = Field(
        {}, description="Options of the scorer; see suffice list scorers NAME. In a pipeline SCORER.NAME."
    )
    pin: list[str] = Field([], description="Rows to choose first: ids, or JSONL files of rows.")
    ban: list[str] = Field([], description="Rows never to choose: ids, or JSONL files of rows.")
    at_least: dict[str, Annotated[int, Field(ge=0)]] = Field(
        {}, description="Rows of a source to choose at the least."
    )
    at_most: dict[str, Annotated[int, Field(ge=0)]] = Field(
        {}, description="Rows of a source to choose at the most."
    )
    languages: list[str] = Field(
        [], description="Languages of rows that may be chosen, such as en; und for those that cannot be told."
    )
    no_twins: str | None = Field(
        None, description="Choose no two twins: exact, near or semantic; near@0.7 for another threshold."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_pipeline(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and fields.get("pipeline"):
            named = (
                fields.get("scorer") not in (None, PIPELINE) or fields.get("selector") or fields.get("file")
            )
            if named:
                raise ValueError(
                    "a pipeline names scorers and selector itself; leave out selection.scorer, .selector and .file"
                )
            options: dict[str, Any] = {}  # as SCORER.NAME, or those of a scorer by themselves
            for name, value in (fields.get("options") or {}).items():
                own = value if isinstance(value, dict) else None
                options |= {name: value} if own is None else {f"{name}.{key}": own[key] for key in own}
            return fields | {"scorer": PIPELINE, "options": options}
        return fields

    @field_validator("pipeline")
    @classmethod
    def _in_order(cls, steps: list[Step]) -> list[Step]:
        if steps:
            check_order(steps)
        return steps

    @property
    def steps(self) -> Pipeline | None:
        """The pipeline, where there is one."""
        return Pipeline(tuple(self.pipeline)) if self.pipeline else None

    @property
    def scorers(self) -> list[str]:
        """The scorers by which rows are chosen; none where the selection was made elsewhere."""
        return [] if self.file else self.steps.scorers if self.steps else [self.scorer]

    def options_of(self, scorer: str) -> dict[str, Any]:
        """Returns the options of one of the scorers."""
        return options_of(scorer, self.options) if self.steps else self.options

    @model_validator(mode="after")
    def _chosen_here(self) -> Self:
        asked = (self.pin, self.ban, self.at_least, self.at_most, self.languages, self.no_twins)
        if self.file and (any(asked) or self.drop_worst or self.budget_tokens):
            raise ValueError(
                "a selection made elsewhere takes no constraints; leave out selection.file or them"
            )
        return self
