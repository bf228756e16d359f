"""The runs of all arms: on which examples, by which reward, with which seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.runs.one_shot.choosing import Chosen
from suffice.runs.one_shot.jobs import ArmRun
from suffice.runs.one_shot.recipe import SINGLES, OneShotRecipe
from suffice.runs.rewarded.judged import question_of
from suffice.training.rollouts import Question


@dataclass(frozen=True)
class Plan:
    """What the arms of one task are made of.

    Attributes:
        recipe: The recipe.
        examples: All examples.
        chosen: The one example, the ranking and the wrong label.
        template: The template picked on dev.
    """

    recipe: OneShotRecipe
    examples: Sequence[TargetItem]
    chosen: Chosen
    template: str

    def runs(self) -> list[ArmRun]:
        """Returns the runs of all arms, in the recipe's order.

        Raises:
            UserError: The arm ``wrong`` is wanted and there is no wrong label.
        """
        return [run for arm in self.recipe.design.arms for run in self._arm(arm)]

    def _arm(self, arm: str) -> Iterator[ArmRun]:
        recipe, chosen = self.recipe, self.chosen
        match arm:
            case "base" | "template":
                template = recipe.templates[0] if arm == "base" else self.template
                yield ArmRun(arm, arm, 0, recipe.seed, template)
            case "format" | "random" | "entropy" | "wrong" | "one":
                yield from self._on_the_one(arm)
            case "few":
                for count in recipe.design.few:
                    places = chosen.best(count, len(self.examples), recipe.seed)
                    yield from self._seeded(arm, [self._question(i) for i in places], name=f"few-{count}")
            case "whole":
                yield from self._seeded(arm, [self._question(i) for i in range(len(self.examples))])
            case _:
                for index, place in enumerate(self._singles(arm)):
                    yield self._run(arm, arm, index, [self._question(place)])

    def _on_the_one(self, arm: str) -> Iterator[ArmRun]:
        """Yields the runs on the chosen example, by the right reward, a false one, or for a wrong label."""
        false: dict[str, tuple[str, dict[str, Any]]] = {
            "format": ("format", self.recipe.reward.format),
            "random": ("random", {}),
            "entropy": ("none", {}),
        }
        label = self._wrong() if arm == "wrong" else None
        question = self._question(self.chosen.one, label)
        yield from self._seeded(arm, [question], *false.get(arm, ("", None)))

    def _singles(self, arm: str) -> list[int]:
        """Returns the places of other single examples."""
        count = self.recipe.design.singles
        if arm == SINGLES[1]:
            return self.chosen.alike(count)
        others = [place for place in range(len(self.examples)) if place != self.chosen.one]
        return Draws(self.recipe.seed, arm).sample(others, min(count, len(others)))

    def _wrong(self) -> str:
        if self.chosen.wrong is None:
            raise UserError(
                f"the base gives no wrong answer to the example '{self.examples[self.chosen.one].id}' that could be its "
                "wrong label",
                "give choice.wrong_label, or leave the arm wrong out of design.arms",
            )
        return self.chosen.wrong

    def _question(self, place: int, answer: str | None = None) -> Question:
        return question_of(self.examples[place], self.template, answer)

    def _seeded(
        self,
        arm: str,
        questions: list[Question],
        reward: str = "",
        options: dict[str, Any] | None = None,
        name: str = "",
    ) -> Iterator[ArmRun]:
        for index in range(self.recipe.design.seeds):
            yield self._run(name or arm, arm, index, questions, reward, options)

    def _run(
        self,
        name: str,
        kind: str,
        index: int,
        questions: list[Question],
        reward: str = "",
        options: dict[str, Any] | None = None,
    ) -> ArmRun:
        right = self.recipe.reward
        given = right.options if options is None else options
        if reward == "random":
            given = {"seed": self.recipe.seed + index}  # each run has coins of its own
        return ArmRun(
            arm=name,
            kind=kind,
            index=index,
            seed=self.recipe.seed + index,
            template=self.template,
            questions=tuple(questions),
            reward=reward or right.name,
            options=tuple(sorted(given.items())),
        )
