"""One run at work: its folder, its recipe, and what several stages need, made once."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from suffice.common.files import digest, read_json
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.target import Target, read_target
from suffice.models import ModelSource, load_tokenizer
from suffice.models.loading import model_fingerprint
from suffice.runs.arms import ArmRun, plan_arms
from suffice.runs.constraints import wanted_by
from suffice.runs.controls import FORWARD_SHARE
from suffice.runs.cost import worker_count
from suffice.runs.folder import RunFolder
from suffice.runs.recipe import Recipe
from suffice.runs.tokens import Lengths, lengths_of
from suffice.runs.untargeted import with_untargeted
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints

if TYPE_CHECKING:
    from suffice.models import LanguageModel

_GSM8K = re.compile(r"^#### .*\d", re.MULTILINE)


class Run:
    """A run at work.

    Args:
        folder: The run folder, locked by the caller.
        recipe: The recipe of the run.
        reporter: Where progress is told.
        until: The last stage that is wanted.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe, reporter: Reporter, until: str = "report") -> None:
        self.folder, self.recipe, self.reporter, self.until = folder, recipe, reporter, until
        self.source = ModelSource(
            recipe.model, recipe.execution.device, recipe.execution.dtype, recipe.chat_template
        )

    @cached_property
    def target(self) -> Target:
        """The target, with no more test items of a family than the recipe asks for."""
        settings = self.recipe.target
        target = read_target(settings.file, settings.dev, seed=self.recipe.seed)
        return target.first(settings.items) if settings.items else target

    @cached_property
    def judged(self) -> Target:
        """All items that arms are evaluated on: the target, and the untargeted ones that are watched for harm."""
        settings = self.recipe.target
        if settings.untargeted is None:
            return self.target
        untargeted = read_target(settings.untargeted, seed=self.recipe.seed)
        return with_untargeted(
            self.target, untargeted.first(settings.items) if settings.items else untargeted
        )

    @cached_property
    def extractor(self) -> str:
        """What is compared: with ``auto``, numbers where every answer has GSM8K's ``#### N``, else all of it."""
        named = self.recipe.target.extractor
        if named != "auto":
            return named
        return "number" if all(_GSM8K.search(item.answer) for item in self.target.items) else "exact"

    @cached_property
    def pool(self) -> Pool:
        """The pool, once its stage has written it."""
        return Pool.read(self.folder.pool)

    @cached_property
    def model(self) -> LanguageModel:
        """The base."""
        return self.source.load()

    @cached_property
    def model_key(self) -> str:
        """The base's fingerprint, found without loading it."""
        return model_fingerprint(self.recipe.model, self.recipe.chat_template)

    @property
    def scoring_source(self) -> ModelSource:
        """The model that scores the pool: the base, or another with its own chat template."""
        named = self.recipe.selection.model
        return replace(self.source, spec=named, chat_template=None) if named else self.source

    @cached_property
    def scoring_key(self) -> str:
        """The fingerprint of the model that scores, found without loading it."""
        source = self.scoring_source
        return model_fingerprint(source.spec, source.chat_template)

    @cached_property
    def jobs(self) -> int:
        """How many workers run side by side."""
        return worker_count(self.model, self.recipe.execution.jobs)

    @cached_property
    def selected(self) -> list[int]:
        """Pool indices of the selection, once its stage has written it."""
        stamp = self.folder.stamp("select")
        assert stamp is not None, "the stage select comes before"
        return [int(index) for index in stamp["indices"]]

    @cached_property
    def arms(self) -> list[ArmRun]:
        """The runs of all arms."""
        by_length = {"longest", "length-matched"} & set(self.recipe.design.arms)
        lengths = Scores.read(self.folder.scores_by("length")) if by_length else None
        notes = (self.folder.stamp("score") or {}).get("notes", {})
        passes = float(notes.get("passes", FORWARD_SHARE if "tokens" in notes else 0.0))
        return plan_arms(
            self.recipe,
            self.pool,
            self.selected,
            lengths,
            constraints=self.constraints,
            tokens=self.token_lengths if self.recipe.selection.budget_tokens else None,
            curve=self.curve,
            passes=passes,
        )

    @cached_property
    def constraints(self) -> Constraints:
        """What every choice of rows must hold to; nothing where the selection was made elsewhere."""
        wanted = wanted_by(self.recipe.selection)
        return wanted.made(self.pool, self.folder.cache, self.reporter, seed=self.recipe.seed)

    @cached_property
    def token_lengths(self) -> Lengths:
        """How many tokens of each row the base is trained on."""
        most = self.recipe.training.max_length
        key = digest([self.pool.fingerprint, self.model_key, most])[:16]
        path = self.folder.cache / f"lengths-{key}.parquet"
        if not path.exists():
            tokenizer = load_tokenizer(self.recipe.model, self.recipe.chat_template)
            lengths_of(self.pool, tokenizer, self.reporter, most).write(path)
        return Lengths.read(path)

    @cached_property
    def curve(self) -> dict[str, dict[int, list[int]]]:
        """Pool indices of the curve's selections, by arm kind or scorer and by budget; empty without a curve."""
        if not self.recipe.design.budgets:
            return {}
        found = read_json(self.folder.curve)
        return {method: {int(rows): indices for rows, indices in by.items()} for method, by in found.items()}
