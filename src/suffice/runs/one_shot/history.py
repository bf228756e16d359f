"""Examples ranked by what became of them in a training that was made before, as 1-shot RLVR chooses (arXiv 2504.20571)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.common.errors import UserError
from suffice.data.example import Example
from suffice.data.pool import Pool
from suffice.data.target import TargetItem
from suffice.models import load_tokenizer
from suffice.runs.one_shot.recipe import OneShotRecipe
from suffice.runs.rewarded.choosing import Ranked
from suffice.scorers.histories.matching import match
from suffice.scorers.histories.scoring import HistorySettings
from suffice.scorers.reward_variance import RewardVariance


@dataclass(frozen=True)
class Past:
    """What a history tells of examples, by their places.

    Attributes:
        rates: The mean accuracy of each example that the history has, over its epochs.
        deviations: The population's standard deviation of its accuracies.
        ranking: These examples, the highest deviation first; ties keep the history's order.
        notes: How examples and history met, and how many of each have no counterpart.
    """

    rates: dict[int, float]
    deviations: dict[int, float]
    ranking: list[int]
    notes: dict[str, int | str]

    def ranked(self, row: int | None) -> Ranked:
        """Returns the ranking with the one example: the first, or that of line ``row`` of the examples, from 1."""
        return Ranked(self.ranking[0] if row is None else row - 1, self.rates, self.ranking)

    def words_of(self, place: int) -> str:
        """Returns what is known of an example, in words."""
        return f"whose accuracy had the standard deviation {self.deviations[place]:.3f} in the history"

    def words(self) -> str:
        """Returns in one line how examples and history met."""
        notes = self.notes
        left = [
            f"{notes['problems_without_example']:,} problems without an example",
            f"{notes['examples_without_history']:,} examples without a history, which cannot be chosen",
        ]
        unread = [f"{notes['problems_unread']:,} problems unread"] if notes["problems_unread"] else []
        met = f"{len(self.ranking):,} examples met by {notes['matched_by']}"
        return "; ".join([met, *left, *unread])


def read_past(recipe: OneShotRecipe, examples: Sequence[TargetItem], lines: Sequence[int]) -> Past:
    """Returns what the recipe's history tells of examples.

    Args:
        recipe: The recipe; ``choice.history`` is given.
        examples: The examples.
        lines: The line of each in the file of examples.

    Raises:
        UserError: The history cannot be read, has none of the examples, or lacks the one that the recipe names.
    """
    choice = recipe.choice
    assert choice.history
    settings = HistorySettings(Path(choice.history), choice.history_reward, choice.history_key)
    ranked = RewardVariance(settings).ranking()
    model = None
    if ranked.history.named_by == "prompt":
        model = load_tokenizer(recipe.model, recipe.chat_template)
    try:
        found = match(ranked.history, _pool(recipe, examples, lines), model, choice.history_key or "")
    except UserError as error:  # a recipe has a field where scoring has an option
        remedy = error.remedy.replace("--set key=FIELD", "choice.history_key: FIELD")
        raise UserError(error.message, remedy) from error
    problems = {place: int(problem) for place, problem in enumerate(found.problems) if problem >= 0}
    if choice.row is not None and choice.row - 1 not in problems:
        says = f"choice.row is {choice.row}, and {ranked.history.path} has no accuracies of that example"
        raise UserError(says, "name another, or leave out choice.history")
    keys = len(ranked.history.keys)
    return Past(
        rates={place: float(ranked.means[problem]) for place, problem in problems.items()},
        deviations={place: float(ranked.values[problem]) for place, problem in problems.items()},
        ranking=sorted(problems, key=lambda place: (-ranked.values[problems[place]], problems[place])),
        notes={
            "format": ranked.history.format,
            "matched_by": found.by,
            "problems": keys,
            "problems_unread": len(ranked.history.unread),
            "problems_without_example": keys - len(set(problems.values())),
            "examples_without_history": len(examples) - len(problems),
        },
    )


def _pool(recipe: OneShotRecipe, examples: Sequence[TargetItem], lines: Sequence[int]) -> Pool:
    """Returns the examples as the rows that histories are matched with."""
    return Pool.from_examples(
        Example(item.id, item.conversation, None, "", None, recipe.examples, line)
        for item, line in zip(examples, lines, strict=True)
    )
