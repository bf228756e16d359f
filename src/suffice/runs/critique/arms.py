"""The runs of all arms: on which rows, with which seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.example import Example, Message, content_id
from suffice.data.target import TargetItem
from suffice.proof.arms import Kind
from suffice.runs.critique.critics import in_words, question_in
from suffice.runs.critique.critiques import Critique
from suffice.runs.critique.recipe import CritiqueRecipe
from suffice.runs.rewarded.judged import in_template


@dataclass(frozen=True)
class CritiqueRun:
    """One run of an arm.

    Attributes:
        arm: Its name.
        index: The number of the run within the arm.
        seed: The training seed.
        template: The prompt template that it is judged under.
        rows: What is trained on; nothing for the base.
        steps: Optimiser steps; 0 for the base.
    """

    arm: str
    index: int
    seed: int
    template: str
    rows: tuple[Example, ...] = ()
    steps: int = 0

    @property
    def proof_kind(self) -> Kind:
        """What the arm is to the statistics."""
        return "method" if self.rows else "model"


@dataclass(frozen=True)
class Problem:
    """A problem and the critiques of solutions to it."""

    item: TargetItem
    critiques: Sequence[Critique]


def runs_of(recipe: CritiqueRecipe, template: str, one: Problem, other: Problem | None) -> list[CritiqueRun]:
    """Returns the runs of all arms, in the recipe's order; all trainings take as many steps as that on ``one``.

    Args:
        recipe: The recipe.
        template: The template picked on dev.
        one: The one problem.
        other: Another one, where the arm ``critique-other`` is wanted.

    Raises:
        UserError: An arm has nothing to train on.
    """
    steps = recipe.training.settings(len(one.critiques)).steps or 0
    runs = []
    for arm in recipe.design.arms:
        if arm in ("base", "template"):
            runs.append(CritiqueRun(arm, 0, recipe.seed, recipe.templates[0] if arm == "base" else template))
            continue
        for index in range(recipe.design.seeds):
            seed = recipe.seed + index
            rows = tuple(_rows(arm, recipe.critiques.instruction, template, one, other, seed))
            runs.append(CritiqueRun(arm, index, seed, template, rows, steps))
    return runs


def _rows(
    arm: str, instruction: str, template: str, one: Problem, other: Problem | None, seed: int
) -> Iterator[Example]:
    """Yields the training rows of an arm: prompt, and what the model is to reply."""
    problem = other if arm == "critique-other" else one
    if problem is None:
        raise UserError(
            "there are no critiques of another example for the arm critique-other",
            "add some, or leave it out of design.arms",
        )
    if arm == "solutions":
        right = dict.fromkeys(critique.solution for critique in one.critiques if critique.right)
        if not right:
            raise UserError(
                f"no criticised solution of the example '{one.item.id}' is right, for the arm solutions",
                "add some, or leave it out of design.arms",
            )
        for solution in right:
            yield _row(in_template(template, one.item.messages), solution)
        return
    critiques = problem.critiques
    judged = shuffled(critiques, seed) if arm == "shuffled" else [one.solution for one in critiques]
    question = question_in(problem.item)
    for solution, critique in zip(judged, critiques, strict=True):
        asked = {"role": "user", "content": in_words(instruction, question, solution)}
        yield _row((*problem.item.messages[:-1], asked), critique.text)


def shuffled(critiques: Sequence[Critique], seed: int) -> list[str]:
    """Returns for each critique the solution of another one, never the same text as its own.

    Shuffled critiques are laid out solution by solution, and the solutions moved on by the size of the largest group.

    Raises:
        UserError: More than half of the critiques are of one solution.
    """
    order = Draws(seed, "shuffled").shuffled(range(len(critiques)))
    groups = Counter(critique.solution for critique in critiques)
    place = {solution: i for i, solution in enumerate(dict.fromkeys(critiques[i].solution for i in order))}
    laid = sorted(order, key=lambda i: place[critiques[i].solution])
    largest = max(groups.values())
    if 2 * largest > len(critiques):
        raise UserError(
            f"{largest} of {len(critiques)} critiques are of one solution, and the arm shuffled pairs each with another",
            "leave it out of design.arms, or give critiques of more solutions",
        )
    found = [""] * len(critiques)
    for at, i in enumerate(laid):
        found[i] = critiques[laid[(at + largest) % len(laid)]].solution
    return found


def _row(prompt: Sequence[Message], reply: str) -> Example:
    messages = (*prompt, {"role": "assistant", "content": reply})
    return Example(content_id(messages), messages, None, "", None, "", 0)
