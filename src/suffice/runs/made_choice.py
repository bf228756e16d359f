"""What a folder holds of a choice: the pool, the scores, what was asked for and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import read_json
from suffice.common.progress import Silent
from suffice.data.pool import Pool
from suffice.data.target import Target
from suffice.runs.choose import default_selector
from suffice.runs.combining import Combined, read_combined
from suffice.runs.constraints import Wanted
from suffice.runs.context import Run
from suffice.runs.folder import RunFolder
from suffice.runs.scored import read_scored
from suffice.runs.selection import read_selection
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.protocol import Choice


@dataclass(frozen=True)
class MadeChoice:
    """What a folder holds of a choice.

    Attributes:
        folder: The folder.
        pool: The rows that could be chosen.
        target: The target, where there is one.
        scorer: What scored; empty where the selection was made elsewhere.
        selector: What chose; empty likewise, and where nothing was chosen yet.
        scores: The scores that the choice was made by, where there are some.
        others: The scores of other scorers that lie there, by name; those of a pipeline's among them.
        combined: What the steps of a pipeline made, where there is one.
        constraints: What the selection holds to.
        choices: The chosen rows in order; `None` where nothing was chosen yet.
        seed: The seed of the choice.
    """

    folder: RunFolder
    pool: Pool
    target: Target | None
    scorer: str
    selector: str
    scores: Scores | None
    others: dict[str, Scores] = field(default_factory=dict)
    combined: Combined | None = None
    constraints: Constraints = NONE
    choices: Sequence[Choice] | None = None
    seed: int = 0


def read_choice(path: Path) -> MadeChoice:
    """Returns what lies in a run folder, or in one that ``suffice select`` or ``suffice score`` wrote.

    Raises:
        UserError: The folder holds neither scores nor a selection.
    """
    folder = RunFolder(path)
    if folder.scoring.is_file():
        return _alone(folder)
    if folder.recipe_file.is_file():
        return _of_run(folder)
    raise UserError(
        f"{path} holds no run and no scores",
        "give a run folder, or one that suffice score or suffice select wrote",
    )


def _alone(folder: RunFolder) -> MadeChoice:
    scored, chosen = read_scored(folder), folder.manifest.is_file() and folder.selection.is_file()
    about = read_json(folder.manifest) if chosen else scored.about
    asked = Wanted(**about["constraints"]) if chosen else Wanted()
    seed = int(about["seed"])
    return MadeChoice(
        folder,
        scored.pool,
        scored.target,
        about["scorer"],
        about.get("selector", "") if chosen else "",
        scored.scores,
        _others(folder),
        scored.combined,
        asked.made(scored.pool, folder.cache, seed=seed),
        _choices(folder, scored.pool) if chosen else None,
        seed,
    )


def _of_run(folder: RunFolder) -> MadeChoice:
    recipe = folder.recipe()
    if folder.stamp("pool") is None:
        raise UserError(f"{folder.path} holds a run that has not read its pool yet", "run it first")
    run, settings = Run(folder, recipe, Silent()), recipe.selection
    scored, chosen = folder.stamp("score") is not None, folder.stamp("select") is not None
    combined = read_combined(settings.steps, folder) if scored and settings.steps else None
    scores = Scores.read(folder.scores) if scored and not settings.file else None
    selector = settings.steps.selector if settings.steps else settings.selector
    return MadeChoice(
        folder,
        run.pool,
        run.target,
        "" if settings.file else settings.scorer,
        "" if settings.file or not chosen else selector or default_selector(settings.scorer),
        combined.scores if combined else scores,
        _others(folder),
        combined,
        run.constraints,
        _choices(folder, run.pool) if chosen else None,
        recipe.seed,
    )


def _others(folder: RunFolder) -> dict[str, Scores]:
    paths = sorted(folder.path.glob("scores-*.parquet"))
    return {path.stem.removeprefix("scores-"): Scores.read(path) for path in paths}


def _choices(folder: RunFolder, pool: Pool) -> list[Choice]:
    place = {row_id: index for index, row_id in enumerate(pool.ids)}
    rows = read_selection(folder.selection)
    if any(row.get("id") not in place for row in rows):
        raise UserError(
            f"{folder.selection} has rows that are not in the folder's pool",
            "choose again with suffice select",
        )
    return [Choice(place[row["id"]], row.get("reason", ""), row.get("evidence") or {}) for row in rows]
