"""``suffice select``: choosing without a recipe, from files or from a scored folder to ``selection.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from suffice.common import registry
from suffice.common.files import digest_file, write_json
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.runs import choose
from suffice.runs.constraints import check_constraints, make_constraints
from suffice.runs.folder import RunFolder
from suffice.runs.scored import Scored, ScoreRequest, free_folder, read_scored, score_files
from suffice.runs.selection import write_selection
from suffice.selectors.constraints import Constraints


@dataclass(frozen=True)
class Choosing:
    """How to choose from a scored pool.

    Attributes:
        budget: Rows to choose.
        selector: The selector's name; by default the scorer's own.
        seed: The seed of every random choice; by default that of the scoring.
        pin: Rows to choose first: ids, or files of rows.
        ban: Rows never to choose, likewise.
        at_least: Rows of a source to choose at the least.
        at_most: Rows of a source to choose at the most.
    """

    budget: int
    selector: str | None = None
    seed: int | None = None
    pin: Sequence[str] = ()
    ban: Sequence[str] = ()
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)


def select_alone(request: ScoreRequest, choosing: Choosing, reporter: Reporter) -> dict[str, Any]:
    """Scores a pool and chooses; writes what `score_alone` does, ``selection.jsonl`` and, last, ``manifest.json``.

    Returns:
        The manifest; its ``counts`` hold chosen + unchosen + rejected = read.

    Raises:
        UserError: Whatever is wrong with files, names or numbers.
    """
    folder = free_folder(request.out)
    with folder.locked():
        if choosing.selector:
            registry.load("selectors", choosing.selector)

        def check(pool: Pool) -> None:
            _constraints(choosing, pool)

        return _choose(score_files(request, folder, reporter, check), choosing, folder)


def select_scored(out: Path, choosing: Choosing) -> dict[str, Any]:
    """Chooses from what `score_alone` left in a folder; writes ``selection.jsonl`` and, last, ``manifest.json``.

    Returns:
        The manifest.

    Raises:
        UserError: The folder holds no scores, or whatever is wrong with names or numbers.
    """
    folder = RunFolder(out)
    with folder.locked():
        return _choose(read_scored(folder), choosing, folder)


def _choose(scored: Scored, choosing: Choosing, folder: RunFolder) -> dict[str, Any]:
    pool, about = scored.pool, scored.about
    constraints = _constraints(choosing, pool)
    seed = about["seed"] if choosing.seed is None else choosing.seed
    choices = choose.select(
        about["scorer"],
        choosing.selector,
        pool,
        scored.scores,
        choosing.budget,
        target=scored.target,
        seed=seed,
        constraints=constraints,
    )
    folder.manifest.unlink(missing_ok=True)  # it comes last, and says that all is there
    write_selection(folder.selection, pool, choices)
    chosen, read = len(choices), about["counts"]["read"]
    manifest = about | {
        "counts": {
            "read": read,
            "chosen": chosen,
            "unchosen": len(pool) - chosen,
            "rejected": read - len(pool),
        },
        "selector": choosing.selector or choose.default_selector(about["scorer"]),
        "constraints": asdict(constraints),
        "seed": seed,
        "selection": digest_file(folder.selection),
    }
    write_json(folder.manifest, manifest)
    return manifest


def _constraints(choosing: Choosing, pool: Pool) -> Constraints:
    """Returns the constraints on a selection.

    Raises:
        UserError: The budget or they cannot be met.
    """
    choose.check_budget(choosing.budget, pool)
    constraints = make_constraints(pool, choosing.pin, choosing.ban, choosing.at_least, choosing.at_most)
    check_constraints(pool, choosing.budget, constraints)
    return constraints
