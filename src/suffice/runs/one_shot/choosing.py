"""From the base's replies, or a history: the pass rates of candidates, the one example, its wrong label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.rewards.protocol import Reward, Rollout
from suffice.runs.one_shot.history import Past
from suffice.runs.one_shot.judged import Judged
from suffice.runs.one_shot.recipe import ChoiceSettings


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        one: The place of the one example.
        rates: The share of replies that are right, for each candidate by its place: of the base's, or of those in a history.
        ranking: All candidates, the best first.
        wrong: A wrong answer to the one example; `None` where the base gives none.
        past: The history that the ranking is by; `None` where it is by the base's replies.
    """

    one: int
    rates: dict[int, float]
    ranking: list[int]
    wrong: str | None
    past: Past | None = None

    def alike(self, count: int) -> list[int]:
        """Returns the candidates whose pass rates are nearest to the chosen one's, without it."""
        others = [place for place in self.ranking if place != self.one]
        return sorted(others, key=lambda place: abs(self.rates[place] - self.rates[self.one]))[:count]

    def best(self, count: int, examples: int, seed: int) -> list[int]:
        """Returns the chosen example and the next in the ranking; beyond the candidates, random ones."""
        rest = [place for place in self.ranking if place != self.one]
        unread = [place for place in range(examples) if place not in self.rates]
        return [self.one, *rest, *Draws(seed, "few").shuffled(unread)][:count]

    def as_json(self, examples: Sequence[TargetItem]) -> dict[str, Any]:
        """Returns the JSON form."""
        rows: list[dict[str, Any]] = [
            {"example": examples[i].id, "rate": self.rates[i]} for i in self.ranking
        ]
        found = {"example": examples[self.one].id, "rate": self.rates[self.one], "wrong": self.wrong}
        if self.past is None:
            return found | {"ranking": rows}
        ranking = [row | {"std": self.past.deviations[i]} for row, i in zip(rows, self.ranking, strict=True)]
        return found | {"history": self.past.notes, "ranking": ranking}


def candidates_of(settings: ChoiceSettings, examples: int, seed: int, past: Past | None = None) -> list[int]:
    """Returns the places of the examples that the base is asked: random ones, and the named one where one is.

    By a history, which tells of all others, this is the one example alone.

    Raises:
        UserError: There is no such example.
    """
    if settings.row is not None and settings.row > examples:
        raise UserError(
            f"choice.row is {settings.row}, and there are {examples} examples", "give a smaller number"
        )
    if past is not None:
        return [past.ranking[0] if settings.row is None else settings.row - 1]
    drawn = Draws(seed, "candidates").sample(range(examples), min(settings.candidates, examples))
    named = [] if settings.row is None else [settings.row - 1]
    return sorted({*drawn, *named})


def choose(
    settings: ChoiceSettings,
    candidates: Sequence[int],
    replies: Sequence[Sequence[Judged]],
    examples: Sequence[TargetItem],
    reward: Reward,
    form: Reward,
    past: Past | None = None,
) -> Chosen:
    """Chooses the one example whose rewards vary most: among the base's replies, or over the epochs of a history.

    Among replies the variance of right and wrong is ``p (1 - p)``; among equals the first stands. Examples whose pass rate
    lies outside ``rates`` come after all others: what is never solved gives no signal, and what is often solved little to
    learn. A history ranks by its deviations alone, as the paper does.

    Args:
        settings: How to choose.
        candidates: Places of the examples that the base was asked.
        replies: Its replies to each.
        examples: All examples.
        reward: What is right.
        form: What is well formed; a wrong label comes from a well-formed reply.
        past: The history to choose by.
    """
    rates, ranking = (past.rates, past.ranking) if past else _by_replies(settings.rates, candidates, replies)
    one = ranking[0] if settings.row is None else settings.row - 1
    well_formed = [
        reply
        for reply in replies[list(candidates).index(one)]
        if form(Rollout(examples[one].messages, reply.reply, examples[one].answer)) == 1
    ]
    wrong = settings.wrong_label or wrong_label(
        well_formed, examples[one].answer, reward, settings.wrong_lines
    )
    return Chosen(one, rates, ranking, wrong, past)


def _by_replies(
    band: tuple[float, float], candidates: Sequence[int], replies: Sequence[Sequence[Judged]]
) -> tuple[dict[int, float], list[int]]:
    """Returns the pass rate of each candidate, and their ranking."""
    rates = {}
    for place, told in zip(candidates, replies, strict=True):
        values = [reply.value for reply in told if reply.value is not None]
        rates[place] = fmean(values) if values else 0.0
    low, high = band
    ranking = sorted(
        candidates, key=lambda place: (not low <= rates[place] <= high, -rates[place] * (1 - rates[place]))
    )
    return rates, ranking


def wrong_label(replies: Sequence[Judged], answer: str, reward: Reward, lines: int | None) -> str | None:
    """Returns the commonest wrong answer in replies; with ``lines``, of those that no longer reply ended in.

    A label that a slip in the worked steps can reach rewards working as well, and is no control.

    Args:
        replies: The base's well-formed replies to one example.
        answer: The right answer.
        reward: What finds the answer in a reply; `None` is returned where it cannot.
        lines: Lines of the longest reply that does not work.
    """
    found = getattr(reward, "found", None)
    if found is None:
        return None
    right = found(answer)
    wrong = [
        (reply, said)
        for reply in replies
        if reply.stopped and reply.value == 0 and (said := found(reply.reply)) and said != right
    ]
    worked = {said for reply, said in wrong if lines and len(reply.reply.splitlines()) > lines}
    at_once = [said for _, said in wrong if said not in worked]
    common = Counter(at_once or [said for _, said in wrong]).most_common(1)
    return common[0][0] if common else None
