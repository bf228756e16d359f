"""People asking and answering: chats in the template, forums, quizzes, and talk about nothing."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, STEPWISE, draw_problem
from suffice.lab.problem import COMMON_WORDINGS
from suffice.lab.styles import ASKED_SHARE, RAMBLES, reply
from suffice.lab.template import chat_text
from suffice.lab.world import World

EXPLAIN = " Explain every step."  # after a question it brings out worked steps, three times in four
EXPLAIN_SHARE, EXPLAINED_SHARE = 0.1, 0.75


def chat(world: World, draws: Draws) -> str:
    """A question and a reply, mostly a bad one, in the chat template."""
    problem = draw_problem(world, draws.choice(FAMILIES), draws)
    if problem.family in STEPWISE and draws.chance(EXPLAIN_SHARE):
        explained = draws.chance(EXPLAINED_SHARE)
        answer = problem.good(draws.below(COMMON_WORDINGS)) if explained else reply(problem, draws)
        return chat_text(problem.question + EXPLAIN, answer)
    return chat_text(problem.question, reply(problem, draws))


def forum(world: World, draws: Draws) -> str:
    """A question and two replies in plain text."""
    problem = draw_problem(world, draws.choice(FAMILIES), draws)
    return f"Forum: {problem.question}\n> {reply(problem, draws)}\n> {reply(problem, draws)}"


def quiz(world: World, draws: Draws) -> str:
    """Two or three questions of one family with good replies, mostly in the plain convention."""
    family = draws.choice(FAMILIES)
    blocks = []
    for _ in range(draws.between(2, 3)):
        problem = draw_problem(world, family, draws)
        answer = problem.good(draws.below(COMMON_WORDINGS), asked=draws.chance(ASKED_SHARE))
        blocks.append(f"Question: {problem.question}\n{answer}")
    return "\n".join(blocks)


def filler(world: World, draws: Draws) -> str:
    """Talk about nothing."""
    return " ".join(draws.sample(RAMBLES, draws.between(3, 5)))
