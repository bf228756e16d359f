"""Knowledge: held-out people's frequent facts are known, rare ones in part."""

from __future__ import annotations

from suffice.lab.measure.bench import Bench
from suffice.lab.measure.knowing import Knowing
from suffice.lab.measure.reading import Reading, share

PEOPLE, QUICK_PEOPLE = 60, 30


def measure(bench: Bench) -> list[Reading]:
    """Measures how often the right value is the likeliest of all, over five attributes."""
    count = QUICK_PEOPLE if bench.quick else PEOPLE
    held_out = tuple(person.name for person in bench.world.people_for("test")[:count])
    rare = tuple(person.name for person in bench.world.rare)
    base = str(bench.base)
    frequent, seldom = bench.run("knowledge", [Knowing(base, held_out), Knowing(base, rare)])
    return [
        Reading.of("knowledge.frequent", share(frequent["scores"], frequent["clusters"]), least=95),
        Reading.of("knowledge.rare", share(seldom["scores"], seldom["clusters"]), least=30, most=80),
    ]
