"""The one example with its wrong label, from the base's replies or a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common.draws import Draws
from suffice.data.target import TargetItem
from suffice.rewards.protocol import Reward, Rollout
from suffice.runs.one_shot.history import Past
from suffice.runs.one_shot.recipe import ChoiceSettings
from suffice.runs.rewarded.choosing import Ranked, ranked
from suffice.runs.rewarded.judged import Judged


@dataclass(frozen=True)
class Chosen(Ranked):
    """What was chosen.

    Attributes:
        wrong: A wrong answer to the one example; `None` where the base gives none.
        past: The history that the ranking is by; `None` where it is by the base's replies.
    """

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
        found = {**super().as_json(examples), "wrong": self.wrong}
        if self.past is None:
            return found
        ranking: list[dict[str, Any]] = found["ranking"]
        by = [{**row, "std": self.past.deviations[i]} for row, i in zip(ranking, self.ranking, strict=True)]
        return {**found, "history": self.past.notes, "ranking": by}


def choose(
    settings: ChoiceSettings,
    candidates: Sequence[int],
    replies: Sequence[Sequence[Judged]],
    examples: Sequence[TargetItem],
    reward: Reward,
    form: Reward,
    past: Past | None = None,
) -> Chosen:
    """Chooses the one example as `ranked` does, or by the deviations of a history alone, and its wrong label.

    Args:
        settings: How to choose.
        candidates: Places of the examples that the base was asked.
        replies: Its replies to each.
        examples: All examples.
        reward: What is right.
        form: What is well formed; a wrong label comes from a well-formed reply.
        past: The history to choose by.
    """
    found = ranked(settings, candidates, replies) if past is None else past.ranked(settings.row)
    one = found.one
    well_formed = [
        reply
        for reply in replies[list(candidates).index(one)]
        if form(Rollout(examples[one].messages, reply.reply, examples[one].answer)) == 1
    ]
    wrong = settings.wrong_label or wrong_label(
        well_formed, examples[one].answer, reward, settings.wrong_lines
    )
    return Chosen(one, found.rates, found.ranking, wrong, past)


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
