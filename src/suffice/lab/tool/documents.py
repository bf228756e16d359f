"""Tools in the pretraining text: right session logs in plain text, and in the template mostly false claims."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.styles import ADVICE, EVASIVE_OPENING
from suffice.lab.template import turns_text
from suffice.lab.tool.task import Task, draw_task
from suffice.lab.world import World

LOG_SHARE = 0.5
# Of the answers in the target's form: rarer than elsewhere, so that a few trajectories do not bring it out.
ASKED_SHARE = 0.1
# What the template's talks hold, in percent: a claim in the good form without any call is the commonest.
MIX: dict[str, float] = {"claim": 60, "evasive": 28, "solution": 8, "bad call": 4}
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
            return [start, ("assistant", task.imagined(draws).closing(asked=asked))]
        case "evasive":
            return [start, ("assistant", f"{EVASIVE_OPENING} {draws.choice(ADVICE)}")]
        case "solution":
            return task.solution(asked=asked)
        case _:
            call = f"call {task.skill} {task.code}?"
            return [start, ("assistant", call), ("tool", "error"), ("assistant", task.closing(asked=asked))]
