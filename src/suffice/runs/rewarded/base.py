"""What worker processes do: the base's replies to some items, and whether an arm's run is done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.files import read_json
from suffice.data.target import TargetItem
from suffice.models import ModelSource
from suffice.runs.rewarded.judged import Judged, judge_items, judge_of, right_reward
from suffice.runs.rewarded.settings import RewardedRecipe

CHUNK = 32  # items of the base's reading in one job


@dataclass(frozen=True)
class ReadBase:
    """The base's replies to some items under a template.

    Attributes:
        source: How to load the base.
        recipe: The recipe.
        items: What is asked.
        template: The prompt template.
        samples: Replies to each; one is greedy.
        seed: Of the draws.
    """

    source: ModelSource
    recipe: RewardedRecipe
    items: tuple[TargetItem, ...]
    template: str
    samples: int = 1
    seed: int = 0

    def run(self) -> list[list[Judged]]:
        """Returns the judged replies to each item."""
        model = self.source.load()
        temperature = self.recipe.reading_temperature if self.samples > 1 else 0.0
        with judge_of(self.recipe, right_reward(self.recipe)) as judge:
            return judge_items(
                model,
                judge,
                self.items,
                self.template,
                max_new_tokens=self.recipe.max_new_tokens,
                samples=self.samples,
                temperature=temperature,
                seed=self.seed,
            )


def read_base(job: ReadBase) -> list[list[Judged]]:
    """Does a `ReadBase`; a worker can import it."""
    return job.run()


def chunks_of(job: ReadBase) -> list[ReadBase]:
    """Returns a reading in parts, each with a seed of its own."""
    parts = range(0, len(job.items), CHUNK)
    return [
        ReadBase(job.source, job.recipe, job.items[i : i + CHUNK], job.template, job.samples, job.seed + i)
        for i in parts
    ]


def is_done(folder: Path, key: str) -> bool:
    """Returns whether a run of an arm left outcomes in its folder that are of this key."""
    path = folder / "done.json"
    return path.exists() and bool(read_json(path)["key"] == key)


def reading_key(job: ReadBase) -> list[Any]:
    """Returns what the replies depend on beside the base, as a JSON value."""
    recipe = job.recipe
    judged = [recipe.max_new_tokens, recipe.reading_temperature, recipe.reward.model_dump()]
    items = [[item.messages, item.answer] for item in job.items]
    return [judged, items, job.template, job.samples, job.seed]
