"""The one example, from the base's replies to candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.runs.rewarded.judged import Judged
from suffice.runs.rewarded.settings import OneSettings


@dataclass(frozen=True)
class Ranked:
    """The one example, and how the others follow.

    Attributes:
        one: The place of the one example.
        rates: The share of the base's replies that are right, for each candidate by its place.
        ranking: All candidates, the best first.
    """

    one: int
    rates: dict[int, float]
    ranking: list[int]

    def as_json(self, examples: Sequence[TargetItem]) -> dict[str, Any]:
        """Returns the JSON form."""
        return {
            "example": examples[self.one].id,
            "rate": self.rates[self.one],
            "ranking": [{"example": examples[i].id, "rate": self.rates[i]} for i in self.ranking],
        }


def candidates_of(settings: OneSettings, examples: int, seed: int) -> list[int]:
    """Returns the places of the candidates: random ones, and the named one where one is.

    Raises:
        UserError: There is no such example.
    """
    if settings.row is not None and settings.row > examples:
        raise UserError(
            f"choice.row is {settings.row}, and there are {examples} examples", "give a smaller number"
        )
    drawn = Draws(seed, "candidates").sample(range(examples), min(settings.candidates, examples))
    named = [] if settings.row is None else [settings.row - 1]
    return sorted({*drawn, *named})


def ranked(settings: OneSettings, candidates: Sequence[int], replies: Sequence[Sequence[Judged]]) -> Ranked:
    """Chooses the one example whose rewards vary most among the base's replies.

    The variance of right and wrong is ``p (1 - p)``; among equals the first stands. Examples whose pass rate lies outside
    ``rates`` come after all others: what is never solved gives no signal, and what is often solved little to learn.

    Args:
        settings: How to choose.
        candidates: Places of the examples that the base was asked.
        replies: Its replies to each.
    """
    rates = {}
    for place, told in zip(candidates, replies, strict=True):
        values = [reply.value for reply in told if reply.value is not None]
        rates[place] = fmean(values) if values else 0.0
    low, high = settings.rates
    ranking = sorted(
        candidates, key=lambda place: (not low <= rates[place] <= high, -rates[place] * (1 - rates[place]))
    )
    return Ranked(ranking[0] if settings.row is None else settings.row - 1, rates, ranking)
