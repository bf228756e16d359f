"""The reward: what a reward model gives the whole conversation.

Ouyang et al., "Training language models to follow instructions with human feedback" (arXiv 2203.02155), train such a model
from comparisons; Du et al., "MoDS" (arXiv 2311.15653), choose training rows by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from suffice.common.errors import UserError
from suffice.models.rewards import rewards
from suffice.scorers.beside import load_beside
from suffice.scorers.likelihood import fates, notes_of, scores_of
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import SHARD_ROWS, TOKEN_BUDGET, Advance, Arrays, Shards

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel


@dataclass(frozen=True, slots=True)
class RewardSettings:
    """Which model rewards.

    Attributes:
        model: Folder or hub id of a sequence-classification model of transformers with one output.
    """

    model: str | None = None


class Reward:
    """The output of a reward model for a row, rendered by that model's own chat template.

    Args:
        settings: Which model rewards.
    """

    Settings = RewardSettings
    name = "reward"
    paper = "arXiv 2311.15653"
    cost = "one forward pass of the reward model"
    default_selector = "top"
    makes = ("scores",)
    needs = ("reward model",)
    needs_model = False
    needs_target = False

    def __init__(self, settings: RewardSettings | None = None) -> None:
        self._settings = settings or RewardSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        A row that the template refuses, that is longer than the model's window, or that has no answer has no score.

        Raises:
            UserError: There is no reward model, or it has more than one output.
        """
        if not self._settings.model:
            raise UserError("the scorer 'reward' needs a reward model", "give --set model=FOLDER or a hub id")
        model = load_beside(self._settings.model, context, head="reward")
        if model.network.config.num_labels != 1:
            raise UserError(
                f"'{model.name}' has {model.network.config.num_labels} outputs, and a reward model has one",
                "give a reward model",
            )
        budget = TOKEN_BUDGET[model.device]
        shards = Shards(
            self.name, _reward_rows, pool, model, context.folder, rows=SHARD_ROWS, settings=budget
        )
        with context.reporter.track("score", len(pool), "rows") as task:
            shards.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by reward")
        found = shards.joined()
        return scores_of(pool, found["value"], found["tokens"], notes_of(found, model.window))


def _reward_rows(model: LanguageModel, pool: Pool, advance: Advance) -> Arrays:
    """Returns the reward, the tokens of the answer, the tokens passed and the fate of each row of a shard."""
    rows = model.chat.encode_many([(row.messages, row.tools) for row in pool])
    kept = [i for i, row in enumerate(rows) if row and len(row.ids) <= model.window and any(row.trained)]
    value = np.full(len(rows), np.nan)
    tokens, passed = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    advance(len(rows) - len(kept))
    encoded = [row for i in kept if (row := rows[i])]
    value[kept] = rewards(model, [row.ids for row in encoded], TOKEN_BUDGET[model.device], advance)
    tokens[kept] = [sum(row.trained) for row in encoded]
    passed[kept] = [len(row.ids) for row in encoded]
    return {"value": value, "tokens": tokens, "passed": passed, "fate": fates(rows, kept, model.window)}
