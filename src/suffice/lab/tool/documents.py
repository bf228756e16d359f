"""Tools in the pretraining text: right session logs in plain text, and in the template mostly false claims."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.styles import ADVICE, ASKED_SHARE, EVASIVE_OPENING
from suffice.lab.template import turns_text
from suffice.lab.tool.task import Task, draw_task
from suffice.lab.world import World

LOG_SHARE = 0.5
# What the template's talks hold, in percent: a claim in the good form without any call is the commonest.
MIX: dict[str, float] = {"claim": 52, "evasive": 34, "solution": 10, "bad call": 4}
_MARKS = {"user": "Log: ", "assistant": "", "tool": "< "}


def tool(world: World, draws: Draws) -> str:
    """One or two tasks as a plain log, or one as a talk in the template."""
    if draws.chance(LOG_SHARE):
        return "\n".join(_log(draw_task(draws), draws) for _ in range(draws.between(1, 2)))
    return turns_text(_talk(draw_task(draws), draws))


def _log(task: Task, draws: Draws) -> str:
    turns = task.solution(asked=draws.chance(ASKED_SHARE))
    return "\n".join(f"{_MARKS[role]}{content}" for role, content in turns)


def _talk(task: Task, draws: Draws) -> list[tuple[str, str]]:
    """Returns a talk as (role, content) turns."""
    start, asked = ("user", task.order), draws.chance(ASKED_SHARE)
    match draws.weighted(MIX):
        case "claim":
            value = draws.between(10, 60) if task.skill in ("get", "add", "same") else task.value
            return [start, ("assistant", task.closing(asked=asked, value=value))]
        case "evasive":
            return [start, ("assistant", f"{EVASIVE_OPENING} {draws.choice(ADVICE)}")]
        case "solution":
            return task.solution(asked=asked)
        case _:
            call = f"call {task.skill} {task.code}?"
            return [start, ("assistant", call), ("tool", "error"), ("assistant", task.closing(asked=asked))]
