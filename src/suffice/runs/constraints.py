"""Constraints as a recipe or a command names them: rows by id or by file, sources by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.runs.recipe import SelectionSettings
from suffice.runs.selection import choices_from
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import SelectionRequest


def make_constraints(
    pool: Pool,
    pin: Iterable[str] = (),
    ban: Iterable[str] = (),
    at_least: Mapping[str, int] | None = None,
    at_most: Mapping[str, int] | None = None,
) -> Constraints:
    """Returns constraints on a pool.

    Args:
        pool: The pool.
        pin: Ids of rows, or JSONL files of rows with ``id`` or ``messages``; chosen first, in this order.
        ban: Likewise; never chosen.
        at_least: How many rows of a source are chosen at the least.
        at_most: How many at the most.

    Raises:
        UserError: A file is missing or names a row that is not in the pool.
    """
    return Constraints(_ids(pool, pin), _ids(pool, ban), at_least or {}, at_most or {})


def constraints_of(settings: SelectionSettings, pool: Pool) -> Constraints:
    """Returns what a recipe's selections must hold to; see `make_constraints`."""
    return make_constraints(pool, settings.pin, settings.ban, settings.at_least, settings.at_most)


def check_constraints(pool: Pool, budget: int, constraints: Constraints) -> None:
    """Refuses constraints that no selection can meet, whatever the scores.

    Raises:
        UserError: They cannot be met.
    """
    scores = Scores(pool.ids, np.zeros(len(pool), np.float32))
    request = SelectionRequest(pool, scores, budget, constraints=constraints)
    Openings(request, np.ones(len(pool), dtype=bool))


def read_bounds(option: str, given: Iterable[str] | None) -> dict[str, int]:
    """Returns ``SOURCE=ROWS``, given any number of times, as the rows of each source.

    Raises:
        UserError: One has another form, or names a source twice.
    """
    bounds: dict[str, int] = {}
    for pair in given or ():
        source, sign, rows = pair.rpartition("=")
        if not (source and sign and rows.isascii() and rows.isdigit()) or source in bounds:
            raise UserError(
                f"{option} has '{pair}'", "write SOURCE=ROWS once for each source, such as web=100"
            )
        bounds[source] = int(rows)
    return bounds


def files_in(rows: Iterable[str]) -> list[Path]:
    """Returns those of ``pin`` or ``ban`` that are files."""
    return [Path(name) for name in rows if name.endswith(".jsonl")]


def _ids(pool: Pool, rows: Iterable[str]) -> tuple[str, ...]:
    ids: list[str] = []
    for name in rows:
        if name.endswith(".jsonl"):
            ids += [pool.ids[choice.index] for choice in choices_from(Path(name), pool)]
        else:
            ids.append(name)
    return tuple(ids)
