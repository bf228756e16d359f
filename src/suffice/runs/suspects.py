"""The other end of influence: rows whose gradients point away from the target's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.common.files import write_jsonl
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.reading import read_rows
from suffice.data.rejected import Rejected
from suffice.data.rules import RAISES_THE_LOSS, RowError
from suffice.data.target import Target
from suffice.runs.steps import PIPELINE
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints

LISTED = 100


def tells_harm(scorer: str) -> bool:
    """Tells whether a scorer's affinities say by their sign whether a row helps or harms."""
    if scorer == PIPELINE:
        return False
    return bool(getattr(registry.load("scorers", scorer), "tells_harm", False))


def check_drops(scorer: str) -> None:
    """Refuses to drop the worst rows by a scorer that does not tell harm.

    Raises:
        UserError: It does not.
    """
    if not tells_harm(scorer):
        raise UserError(
            f"the worst rows cannot be dropped by the scorer '{scorer}', whose scores do not tell which rows harm",
            "take --scorer influence, or leave out drop_worst",
        )


def influence_on_target(scores: Scores, target: Target) -> NDArray[np.float32]:
    """Returns each row's influence on the target as a whole, float32 [rows], NaN without a score.

    The mean over the target's families of the mean affinity to the family's dev examples: a row that harms one
    family and helps the others is no suspect.

    Raises:
        UserError: The scores have no affinity to the target's dev examples.
    """
    if scores.affinity is None or scores.queries != [item.id for item in target.dev]:
        raise UserError(
            "the scores hold no affinity to the target's dev examples", "score anew with the same target"
        )
    tasks = np.array([item.task for item in target.dev])
    families = [scores.affinity[:, tasks == task].mean(axis=1) for task in dict.fromkeys(tasks.tolist())]
    return np.asarray(np.mean(families, axis=0), dtype=np.float32)


def worst(scores: Scores, target: Target, count: int) -> list[int]:
    """Returns the places of the rows with the most negative influence, most negative first.

    Args:
        scores: The scores.
        target: The target.
        count: How many; rows whose influence is not below 0 are never among them.
    """
    values = influence_on_target(scores, target)
    order = np.argsort(values, kind="stable")  # NaN sorts last
    return [int(row) for row in order[:count] if values[row] < 0]


def write_suspects(
    path: Path, pool: Pool, scores: Scores, target: Target, reporter: Reporter, count: int = LISTED
) -> None:
    """Writes the worst rows, most negative first, and tells how many there are.

    Each line has ``id``, ``influence`` (on the target as a whole), ``families`` (on each family), ``messages``,
    ``source``, ``file`` and ``line``, and ``tools`` where the row offers some.
    """
    found = worst(scores, target, len(pool))
    write_jsonl(path, _rows(pool, scores, target, found[:count]))
    reporter.say(f"suspects   {len(found):,} rows with an influence below 0, the worst in {path.name}")


def _rows(pool: Pool, scores: Scores, target: Target, places: Sequence[int]) -> Iterator[dict[str, Any]]:
    values = influence_on_target(scores, target)
    tasks = np.array([item.task for item in target.dev])
    assert scores.affinity is not None
    for place in places:
        example, affinity = pool[place], scores.affinity[place]
        row = {
            "id": example.id,
            "influence": float(values[place]),
            "families": {
                task: float(affinity[tasks == task].mean()) for task in dict.fromkeys(tasks.tolist())
            },
            "messages": list(example.messages),
            "source": example.source,
            "file": example.file,
            "line": example.line,
        }
        yield row | {"tools": list(example.tools)} if example.tools else row


def without_worst(
    pool: Pool, scores: Scores, target: Target, count: int, constraints: Constraints
) -> tuple[Constraints, list[Rejected]]:
    """Drops the worst rows from what may be chosen; those that are pinned stay.

    The pool and the arms that are drawn from it keep them: leaving them out is a part of choosing.

    Args:
        pool: The pool.
        scores: Its scores.
        target: The target.
        count: How many rows to drop at the most; no row whose influence is not below 0 is dropped.
        constraints: What the selection must hold to.

    Returns:
        The constraints with the dropped rows banned, and their entries for ``rejected.jsonl``.
    """
    if not count:
        return constraints, []
    values = influence_on_target(scores, target)
    pinned = set(constraints.pin)
    places = [place for place in worst(scores, target, count + len(pinned)) if pool.ids[place] not in pinned]
    entries = [_rejected(pool, place, float(values[place])) for place in places[:count]]
    banned = (*constraints.ban, *(pool.ids[place] for place in places[:count]))
    return replace(constraints, ban=banned), entries


def _rejected(pool: Pool, place: int, influence: float) -> Rejected:
    example = pool[place]
    message = f"the row's influence on the target is {influence:.4f}"
    error = RowError(RAISES_THE_LOSS, message)
    return Rejected.from_error(example.file, example.line, error, {"messages": list(example.messages)})


def note_dropped(path: Path, dropped: Sequence[Rejected]) -> None:
    """Puts dropped rows into ``rejected.jsonl``, in place of those that an earlier choice dropped."""
    earlier = [row.value for row in read_rows(path)]
    kept = [row for row in earlier if row["rule"] != str(RAISES_THE_LOSS)]
    if dropped or len(kept) < len(earlier):
        write_jsonl(path, [*kept, *(row.as_json() for row in dropped)])
