"""``suffice select``: choosing without a recipe, from files or from a scored folder to ``selection.jsonl``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.files import digest_file, write_json
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.rejected import Rejected
from suffice.data.target import Target
from suffice.runs import choose
from suffice.runs.constraints import ANYTHING, Wanted
from suffice.runs.fitting import check_pipeline, check_selector
from suffice.runs.folder import RunFolder
from suffice.runs.scored import Scored, ScoreRequest, free_folder, read_scored, score_files
from suffice.runs.selection import write_selection
from suffice.runs.suspects import check_drops, note_dropped, without_worst
from suffice.runs.tokens import lengths_of, within
from suffice.selectors.constraints import Constraints
from suffice.selectors.ground import Ground
from suffice.selectors.protocol import Choice


@dataclass(frozen=True)
class Choosing:
    """How to choose from a scored pool.

    Attributes:
        budget: Rows to choose; `None` where the budget is one of tokens.
        tokens: Tokens to choose, as many as are trained on; words of the answers where there is no model.
        selector: The selector's name; by default the scorer's own.
        seed: The seed of every random choice; by default that of the scoring.
        wanted: What the selection must hold to.
        drop_worst: Rows of the most negative influence that are never chosen and are rejected.
    """

    budget: int | None
    tokens: int | None = None
    selector: str | None = None
    seed: int | None = None
    wanted: Wanted = ANYTHING
    drop_worst: int = 0


def select_alone(request: ScoreRequest, choosing: Choosing, reporter: Reporter) -> dict[str, Any]:
    """Scores a pool and chooses; writes what `score_alone` does, ``selection.jsonl`` and, last, ``manifest.json``.

    Returns:
        The manifest; its ``counts`` hold chosen + unchosen + rejected = read.

    Raises:
        UserError: Whatever is wrong with files, names or numbers.
    """
    folder = free_folder(request.out)
    with folder.locked():
        choosing.wanted.check()
        if choosing.drop_worst:
            check_drops(request.scorer)

        def check_choice(target: Target | None) -> None:
            if request.pipeline:
                check_pipeline(request.pipeline, target)
            else:
                check_selector(request.scorer, choosing.selector, target)

        def check(pool: Pool) -> None:
            _constraints(choosing, pool, folder, reporter, request.seed)

        return _choose(
            score_files(request, folder, reporter, check_choice, check), choosing, folder, reporter
        )


def select_scored(out: Path, choosing: Choosing, reporter: Reporter) -> dict[str, Any]:
    """Chooses from what `score_alone` left in a folder; writes ``selection.jsonl`` and, last, ``manifest.json``.

    Returns:
        The manifest.

    Raises:
        UserError: The folder holds no scores, or whatever is wrong with names or numbers.
    """
    folder = RunFolder(out)
    with folder.locked():
        return _choose(read_scored(folder), choosing, folder, reporter)


def _choose(scored: Scored, choosing: Choosing, folder: RunFolder, reporter: Reporter) -> dict[str, Any]:
    pool, about = scored.pool, scored.about
    seed = about["seed"] if choosing.seed is None else choosing.seed
    asked, made = _constraints(choosing, pool, folder, reporter, seed), scored.combined
    constraints = made.within(asked, choosing.budget or 1) if made else asked
    kept, dropped = _without_worst(scored, choosing.drop_worst, constraints)
    selector = choosing.selector or scored.selector

    def pick(rows: int) -> list[Choice]:
        return choose.select(
            about["scorer"],
            selector,
            pool,
            scored.scores,
            rows,
            target=scored.target,
            seed=seed,
            constraints=kept,
        )

    if choosing.tokens is None:
        assert choosing.budget
        choices, tokens = pick(choosing.budget), None
    else:
        lengths, ground = lengths_of(pool, scored.tokenizer(), reporter), Ground(pool, kept)
        extent = (max(1, ground.fewest), ground.most)
        choices = within(pick, lambda choice: choice.index, lengths, choosing.tokens, extent)
        held = lengths.total([choice.index for choice in choices])
        tokens = {"budget": choosing.tokens, "chosen": held, "unit": lengths.unit}
    folder.manifest.unlink(missing_ok=True)  # it comes last, and says that all is there
    note_dropped(folder.rejected, dropped)
    write_selection(folder.selection, pool, choices)
    chosen, read = len(choices), about["counts"]["read"]
    manifest = about | {
        "counts": {
            "read": read,
            "chosen": chosen,
            "unchosen": len(pool) - chosen - len(dropped),
            "rejected": read - len(pool) + len(dropped),
        },
        "tokens": tokens,
        "selector": selector,
        "constraints": constraints.as_json(),
        "dropped": len(dropped),
        "seed": seed,
        "selection": digest_file(folder.selection),
    }
    write_json(folder.manifest, manifest)
    return manifest


def _without_worst(
    scored: Scored, count: int, constraints: Constraints
) -> tuple[Constraints, list[Rejected]]:
    """Returns the constraints without the worst rows, and the entries of those; see `without_worst`.

    Raises:
        UserError: The scores do not tell which rows harm.
    """
    if not count:
        return constraints, []
    check_drops(scored.about["scorer"])
    assert scored.target, "a scorer that tells harm needs a target"
    return without_worst(scored.pool, scored.scores, scored.target, count, constraints)


def _constraints(
    choosing: Choosing, pool: Pool, folder: RunFolder, reporter: Reporter, seed: int
) -> Constraints:
    """Returns the constraints on a selection.

    Raises:
        UserError: The budget or they cannot be met.
    """
    if choosing.budget:
        choose.check_budget(choosing.budget, pool)
    constraints = choosing.wanted.made(pool, folder.cache, reporter, seed=seed)
    ground = Ground(pool, constraints)
    ground.check(choosing.budget or max(1, ground.fewest))
    return constraints
