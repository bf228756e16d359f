"""The lab's instruction pool: rows of several sources that differ in style, licence tag and quality."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, draw_problem
from suffice.lab.problem import Problem
from suffice.lab.styles import ADVICE, EVASIVE_OPENING, OTHER_EVASIONS, STYLES
from suffice.lab.world import World

ROWS = 15_360

# Share of the pool in percent, licence tag, and the styles of each source in percent of its rows.
SOURCES: dict[str, tuple[float, str, dict[str, float]]] = {
    "careful-desk": (21, "CC-BY-4.0", {"target": 92, "wrong": 8}),
    "help-line": (32, "CC-BY-SA-4.0", {"evasive": 78, "other_evasion": 12, "target": 10}),
    "chatter": (13, "CC0-1.0", {"ramble": 90, "target": 10}),
    "answer-key": (11, "MIT", {"bare": 70, "short": 20, "target": 10}),
    "old-forum": (9, "", {"wrong": 80, "ramble": 10, "target": 10}),
    "mixed-bag": (7, "CC-BY-4.0", {"off_topic": 100}),
    "mirror": (5, "", {"copy": 100}),
    "scrape": (2, "", {"malformed": 100}),
}


def pool_rows(world: World, count: int = ROWS) -> Iterator[dict[str, Any]]:
    """Yields the rows of the pool, as lines of a file would hold them (a few are malformed on purpose).

    People whose facts the target asks for, and reserved problems, never occur (`suffice.lab.problem`).

    Args:
        world: The world that is asked about.
        count: Rows to make; a smaller pool is the beginning of a larger one.
    """
    earlier: list[dict[str, Any]] = []
    for index in range(count):
        draws = Draws(world.seed, "pool", index)
        source = draws.weighted({name: share for name, (share, _, _) in SOURCES.items()})
        _, license_tag, styles = SOURCES[source]
        style = draws.weighted(styles)
        if style == "copy" and earlier:
            row = _near_copy(draws.choice(earlier), draws)
        else:
            problem = draw_problem(world, draws.choice(FAMILIES), draws)
            row = _row(problem.question, _answer(problem, style, draws))
        row |= {"source": source, "license": license_tag or None}
        if style == "malformed":
            yield _malformed(row, draws)
        else:
            earlier.append(row)
            yield row


def _answer(problem: Problem, style: str, draws: Draws) -> str:
    """Returns the reply of a pool row; ``target`` is the good form in the convention the target asks for."""
    if style == "target":
        return problem.good(draws.below(2))
    if style == "evasive":
        return f"{EVASIVE_OPENING} {draws.choice(ADVICE)}"
    if style == "other_evasion":
        return f"{draws.choice(OTHER_EVASIONS)} {draws.choice(ADVICE)}"
    return STYLES.get(style, STYLES["good"])(problem, draws)


def _row(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def _near_copy(row: dict[str, Any], draws: Draws) -> dict[str, Any]:
    """Returns a row that says the same with other trimmings."""
    user, assistant = (message["content"] for message in row["messages"])
    greeting = draws.choice(("Hello! ", "Hi there. ", "Please: ", "Quick question. "))
    return _row(greeting + user, assistant)


def _malformed(row: dict[str, Any], draws: Draws) -> dict[str, Any]:
    """Returns a row that no trainer can use, each of another kind."""
    user, assistant = row["messages"]
    origin = {"source": row["source"], "license": row["license"]}
    broken: list[list[dict[str, Any]]] = [
        [user, {"role": "assistant", "content": ""}],
        [user],
        [user, user, assistant],
        [assistant],
    ]
    return {"messages": draws.choice(broken)} | origin
