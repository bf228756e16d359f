"""The lab's instruction pools: rows of several sources that differ in style, licence tag and quality.

In the *plain* pool bad rows differ from good ones in style, which an embedding sees. In the *hard* pool
they share the good form and are bad in what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, draw_problem
from suffice.lab.problem import COMMON_WORDINGS, Problem
from suffice.lab.styles import ADVICE, EVASIVE_OPENING, OTHER_EVASIONS, STYLES
from suffice.lab.world import World

ROWS = 15_360

PoolName = Literal["plain", "hard"]
Sources = dict[str, tuple[float, str, dict[str, float]]]

# Share of the pool in percent, licence tag, and the styles of each source in percent of its rows.
PLAIN: Sources = {
    "careful-desk": (21, "CC-BY-4.0", {"target": 98, "wrong": 2}),
    "help-line": (32, "CC-BY-SA-4.0", {"evasive": 78, "other_evasion": 12, "target": 10}),
    "chatter": (13, "CC0-1.0", {"ramble": 90, "target": 10}),
    "answer-key": (11, "MIT", {"bare": 70, "short": 20, "target": 10}),
    "old-forum": (9, "", {"ramble": 80, "wrong": 10, "target": 10}),
    "mixed-bag": (7, "CC-BY-4.0", {"off_topic": 100}),
    "mirror": (5, "", {"copy": 100}),
    "scrape": (2, "", {"malformed": 100}),
}
HARD: Sources = {
    "careful-desk": (24, "CC-BY-4.0", {"target": 92, "wrong": 8}),
    "hasty-desk": (24, "CC-BY-SA-4.0", {"wrong": 80, "target": 20}),
    "slip-desk": (18, "MIT", {"broken": 90, "target": 10}),
    "old-style": (18, "CC0-1.0", {"unasked": 100}),
    "swapped": (9, "", {"other_task": 100}),
    "mirror": (5, "", {"copy": 100}),
    "scrape": (2, "", {"malformed": 100}),
}
POOLS: dict[PoolName, Sources] = {"plain": PLAIN, "hard": HARD}


def pool_rows(world: World, count: int = ROWS, name: PoolName = "plain") -> Iterator[dict[str, Any]]:
    """Yields the rows of a pool, as lines of a file would hold them (a few are malformed on purpose).

    People and words that the target asks about, and reserved problems, never occur (`suffice.lab.problem`).

    Args:
        world: The world that is asked about.
        count: Rows to make; a smaller pool is the beginning of a larger one.
        name: Which pool.
    """
    return (row for _, row in labelled_rows(world, count, name))


def labelled_rows(
    world: World, count: int = ROWS, name: PoolName = "plain"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each row of a pool after its style; ``target`` is the style of the good ones."""
    sources = POOLS[name]
    shares = {source: share for source, (share, _, _) in sources.items()}
    earlier: list[dict[str, Any]] = []
    for index in range(count):
        draws = Draws(world.seed, "pool", name, index)
        source = draws.weighted(shares)
        _, license_tag, styles = sources[source]
        style = draws.weighted(styles)
        if style == "copy" and earlier:
            row = _near_copy(draws.choice(earlier), draws)
        else:
            problem = draw_problem(world, draws.choice(FAMILIES), draws)
            row = _row(problem.question, _answer(world, problem, style, draws))
        row |= {"source": source, "license": license_tag or None}
        if style == "malformed":
            yield style, _malformed(row, draws)
        else:
            earlier.append(row)
            yield style, row


def good_rows(
    world: World, count: int, *, seed: int, family: str | None = None, wording: int | None = None
) -> list[dict[str, Any]]:
    """Returns rows like the good ones of the pools, with different questions.

    Args:
        world: The world that is asked about.
        count: Rows to make.
        seed: Of the draw.
        family: The family they are all from; by default all take part alike.
        wording: The wording they all have; by default one of the common two.
    """
    draws = Draws(world.seed, "good rows", seed)
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < count:
        problem = draw_problem(world, family or FAMILIES[len(rows) % len(FAMILIES)], draws)
        said = problem.good(draws.below(COMMON_WORDINGS) if wording is None else wording)
        rows.setdefault(problem.question, _row(problem.question, said))
    return list(rows.values())


def _answer(world: World, problem: Problem, style: str, draws: Draws) -> str:
    """Returns the reply of a pool row; ``target`` is the good form in the convention the target asks for."""
    wording = draws.below(COMMON_WORDINGS)
    match style:
        case "target":
            return problem.good(wording)
        case "broken":
            return problem.broken(wording)
        case "unasked" if problem.answer != problem.value:  # right, in another convention than the target's
            return problem.good(wording, asked=False)
        case "unasked":
            return problem.mistaken(wording)
        case "other_task":
            others = [family for family in FAMILIES if family != problem.family]
            return draw_problem(world, draws.choice(others), draws).good(wording)
        case "evasive":
            return f"{EVASIVE_OPENING} {draws.choice(ADVICE)}"
        case "other_evasion":
            return f"{draws.choice(OTHER_EVASIONS)} {draws.choice(ADVICE)}"
        case _:
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
