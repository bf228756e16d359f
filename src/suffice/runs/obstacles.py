"""What stood in the way of a row that was not chosen: constraints first, then what its selector found it to lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from suffice.common import registry
from suffice.data.language import UNTOLD
from suffice.runs.made_choice import MadeChoice
from suffice.runs.naming import rejected_at
from suffice.selectors.protocol import Choice, SelectionRequest, excerpt


@dataclass(frozen=True)
class Obstacle:
    """Something that stood in a row's way.

    Attributes:
        kind: ``rule``, ``ban``, ``language``, ``twin``, ``source``, ``step``, ``missing``, ``lack`` or ``elsewhere``.
        text: What it is, as a sentence.
        remedy: What would have had to be different.
        evidence: The figures behind it.
    """

    kind: str
    text: str
    remedy: str
    evidence: dict[str, Any] = field(default_factory=dict)


def obstacles(made: MadeChoice, index: int) -> list[Obstacle]:
    """Returns what stood in the way of a row that was not chosen, each thing that alone would have sufficed."""
    choices = made.choices or ()
    if not made.selector:
        return [Obstacle("elsewhere", "the selection was made elsewhere", "choose here, with --scorer")]
    found = [*_constraints(made, index, choices), *_steps(made, index)]
    lack = (
        None
        if any(one.kind == "step" for one in found)
        else _missing(made, index) or _lack(made, index, choices)
    )
    return [*found, lack] if lack else found


def _constraints(made: MadeChoice, index: int, choices: Sequence[Choice]) -> Iterator[Obstacle]:
    """Yields the constraints that the row met."""
    constraints, row = made.constraints, made.pool[index]
    dropped = rejected_at(made.folder.rejected, row.file, row.line)
    for entry in dropped:
        yield Obstacle("rule", f"{entry['rule']}: {entry['message']}", entry["remedy"])
    if row.id in constraints.ban and not dropped:
        yield Obstacle("ban", "it is banned", "leave it out of --ban")
    if constraints.language is not None and constraints.language[index] not in constraints.languages:
        code, allowed = constraints.language[index], ", ".join(constraints.languages)
        told = "cannot be told" if code == UNTOLD else f"is {code}"
        yield Obstacle(
            "language",
            f"its language {told}, and {allowed} alone is asked for",
            f"allow it: --language {','.join(constraints.languages)},{code}",
            {"language": code},
        )
    yield from _twins(made, index, choices)
    yield from _sources(made, row.source, choices)


def _twins(made: MadeChoice, index: int, choices: Sequence[Choice]) -> Iterator[Obstacle]:
    """Yields the twin that is chosen."""
    cluster = made.constraints.cluster
    if cluster is None:
        return
    for turn, choice in enumerate(choices, 1):
        if cluster[choice.index] == cluster[index]:
            row = made.pool[choice.index]
            yield Obstacle(
                "twin",
                f'its twin "{excerpt(row.messages)}" ({row.id}) is chosen, as number {turn:,}',
                "leave out --no-twins, or raise its threshold",
                {"id": row.id, "turn": turn},
            )


def _sources(made: MadeChoice, source: str, choices: Sequence[Choice]) -> Iterator[Obstacle]:
    """Yields the bounds of sources that were reached."""
    constraints, counts = made.constraints, Counter(made.pool.sources[choice.index] for choice in choices)
    most = constraints.at_most.get(source)
    if most is not None and counts[source] >= most:
        yield Obstacle(
            "source",
            f'its source "{source}" is full: {counts[source]:,} of at most {most:,}',
            f"allow more: --at-most {source}={most + 1}",
            {"source": source, "at_most": most},
        )
    asked = {name: least for name, least in constraints.at_least.items() if least and name != source}
    kept = [name for name, least in asked.items() if counts[name] <= least]
    if kept:
        bounds = ", ".join(f'"{name}" ({asked[name]:,})' for name in kept)
        yield Obstacle(
            "source",
            f"places were kept for {bounds}",
            "ask for fewer with --at-least, or give a larger --budget",
            {"kept_for": kept},
        )


def _steps(made: MadeChoice, index: int) -> Iterator[Obstacle]:
    """Yields the step of a pipeline at which the row was left out."""
    for number, passed in enumerate(made.combined.trail if made.combined else (), 1):
        if passed.kept[index]:
            continue
        value, cut = float(passed.values[index]), passed.cut
        evidence: dict[str, Any] = {"step": number}
        if np.isnan(value):
            text = f"step {number} ({passed.words}) left it out: it has no score there"
        else:
            text = f"step {number} ({passed.words}) left it out: {value:,.4g}, where the last row kept has {cut:,.4g}"
            evidence |= {"score": value, "needed": cut}
        yield Obstacle("step", text, "keep more rows at that step", evidence)
        return


def _missing(made: MadeChoice, index: int) -> Obstacle | None:
    """Tells where the selector could not look at the row at all."""
    needs, scores = getattr(registry.load("selectors", made.selector), "needs", ()), made.scores
    if scores is None:
        return None
    if "scores" in needs and np.isnan(scores.values[index]):
        return Obstacle("missing", "it has no score", "the notes of the scores count why rows have none")
    if "vectors" in needs and scores.vectors is not None:
        norm = float(np.linalg.norm(scores.vectors[index]))
        if not norm > 0:
            return Obstacle("missing", "it has no vector", "the notes of the scores count why rows have none")
    if "target" in needs and scores.affinity is not None and np.isnan(scores.affinity[index]).any():
        return Obstacle("missing", "it has no affinity", "the notes of the scores count why rows have none")
    return None


def _lack(made: MadeChoice, index: int, choices: Sequence[Choice]) -> Obstacle | None:
    """Returns what the selector found the row to lack."""
    selector, remedy = registry.load("selectors", made.selector)(), f"or pin it: --pin {made.pool.ids[index]}"
    if made.scores is None or not choices:
        return None
    if not hasattr(selector, "lacked"):
        return Obstacle(
            "lack", f"the selector '{made.selector}' does not tell why it passes over rows", remedy
        )
    constraints = replace(made.constraints, left_out=None)
    request = SelectionRequest(
        made.pool, made.scores, len(choices), made.seed, made.target, constraints=constraints
    )
    lack = selector.lacked(request, choices, index)
    return Obstacle("lack", lack.reason, remedy, lack.evidence)
