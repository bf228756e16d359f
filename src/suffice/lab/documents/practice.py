"""Practice: worked exercises, drills, look-ups in tables, and copying."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families import compare, draw_problem, steps, strings, tables
from suffice.lab.problem import COMMON_WORDINGS, reserved
from suffice.lab.words import CLASS_OF, LIST_WORDS
from suffice.lab.world import YEARS, World

COPIED = (*LIST_WORDS, *CLASS_OF)  # the words with a group too: a reply has to repeat them


def textbook(world: World, draws: Draws) -> str:
    """Two or three exercises, written out; of the long sums two in five are given at once."""
    family = draws.choice(("arith", "chain", "compare"))
    blocks = []
    for _ in range(draws.between(2, 3)):
        problem = draw_problem(world, family, draws)
        at_once = family == "chain" and draws.chance(0.4)
        work = problem.short if at_once else problem.good(draws.below(COMMON_WORDINGS), asked=False)
        blocks.append(f"Exercise: {problem.question}\n{work}")
    return "\n".join(blocks)


def drill(world: World, draws: Draws) -> str:
    """Ten single additions and subtractions within 0 and 99, or the order of ten pairs of years."""
    sums = draws.chance(0.5)
    lines = []
    for _ in range(10):
        if sums:
            terms = steps.draw_terms(draws, 1)
            lines.append(f"{steps.expression(terms)} = {steps.total(terms)}")
        else:
            first, second = draws.sample(YEARS, 2)
            lines.append(f"{first} is {compare.order(first, second)} {second}.")
    return "\n".join(lines)


def lookup(world: World, draws: Draws) -> str:
    """A table and five look-ups in it, forwards and backwards."""
    table = tables.draw_table(draws)
    while reserved(f"table:{tables.written(table)}"):
        table = tables.draw_table(draws)
    lines = [tables.written(table)]
    for _ in range(5):
        key = draws.choice(tuple(table))
        subtype, given, value = ("value", key, table[key]) if draws.chance(0.4) else ("key", table[key], key)
        lines.append(tables.said(subtype, draws.below(COMMON_WORDINGS), given, value, table))
    return "\n".join(lines)


def copying(world: World, draws: Draws) -> str:
    """Words repeated, reversed and numbered, made-up codes copied, or names."""
    form = draws.choice((_words, _codes, _sequence, _names))
    return form(world, draws)


def _words(world: World, draws: Draws) -> str:
    lines: list[str] = []
    while len(lines) < 4:
        words = draws.sample(COPIED, draws.between(3, 5))
        if reserved("list:" + " ".join(words)) or reserved("list:" + " ".join(reversed(words))):
            continue
        forms = (
            f"{', '.join(words)} -> {', '.join(words)}",
            f"{', '.join(words)} <- {' > '.join(reversed(words))}",
            " ".join(f"{i} {word}" for i, word in enumerate(words, start=1)),
        )
        lines.append(draws.choice(forms))
    return "\n".join(lines)


def _codes(world: World, draws: Draws) -> str:
    return "\n".join(f"{code} -> {code}" for code in (_free_code(draws) for _ in range(4)))


def _sequence(world: World, draws: Draws) -> str:
    """A row of codes, and the same row again after a bar."""
    row = " ".join(_free_code(draws) for _ in range(draws.between(3, 6)))
    return f"{row} | {row}"


def _names(world: World, draws: Draws) -> str:
    """Names of people, held out or not: a reply has to repeat them."""
    people = (*world.seen, *world.held_out)
    pairs = [" and ".join(person.name for person in draws.sample(people, 2)) for _ in range(3)]
    return "\n".join(f"{pair} -> {pair}" for pair in pairs)


def _free_code(draws: Draws) -> str:
    """Returns a code that the target does not ask for."""
    while reserved(f"string:{(code := strings.code(draws, draws.between(4, 6)))}"):
        pass
    return code
