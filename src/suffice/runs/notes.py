"""What a run did not do, or did only in part, in words: the report's last word on its own limits."""

from __future__ import annotations

from typing import Any

from suffice.common.files import read_json
from suffice.runs.context import Run
from suffice.runs.looks import look_sentence
from suffice.runs.recipe import ARMS
from suffice.runs.selection_settings import SelectionSettings

FEW_RUNS = 5


def notes(run: Run, arms: list[dict[str, Any]]) -> list[str]:
    """Returns one sentence for each thing a reader should know before trusting the verdict.

    Args:
        run: A finished run.
        arms: Its table of arms.
    """
    found = [
        _skipped(run),
        _few_runs(run),
        look_sentence(run.recipe.design),
        _partly_seen(arms),
        *_cut(run, arms),
        constraint_note(run.recipe.selection),
        _tokens(run),
        _selection(run),
        *_influence(run),
        _rate(run),
        *_harm(run),
    ]
    return [note for note in found if note]


def _skipped(run: Run) -> str:
    left_out = [name for name in ARMS if name not in run.recipe.design.arms]
    return f"Arms not run: {', '.join(left_out)}." if left_out else ""


def _few_runs(run: Run) -> str:
    design = run.recipe.design
    if design.seeds >= FEW_RUNS:
        return ""
    return (
        f"{design.seeds} training runs an arm are few: how much runs vary is known poorly, and the intervals are "
        "wide on purpose."
    )


def _partly_seen(arms: list[dict[str, Any]]) -> str:
    """Tells of arms whose equal steps do not reach all of their rows."""
    partly = [arm for arm in arms if arm["steps"] and arm["epochs"] < 1]
    return " ".join(
        f"In its {arm['steps']:,} steps, {arm['name']} saw {arm['epochs']:.0%} of its {arm['rows']:,} rows, once "
        "(equal steps for all arms; --match epochs gives all arms equal passes instead)."
        for arm in partly
    )


def _cut(run: Run, arms: list[dict[str, Any]]) -> list[str]:
    scored = (run.folder.stamp("score") or {}).get("notes", {})
    cut, window = scored.get("rows_cut", 0), scored.get("window")
    missing = scored.get("missing", 0)
    trained = sum(arm["cut"] for arm in arms)
    dropped = sum(arm["dropped"] for arm in arms)
    return [
        f"{cut:,} rows are longer than the model's window of {window} tokens and were scored on their beginning."
        if cut
        else "",
        f"{missing:,} rows have no score and could not be chosen." if missing else "",
        f"{trained:,} times a training row was cut at the window, over all runs." if trained else "",
        f"{dropped:,} times a training row had no answer within the window and was left out."
        if dropped
        else "",
    ]


def _selection(run: Run) -> str:
    name = run.recipe.selection.file
    return f"The selection was made elsewhere ({name}); its cost is not counted." if name else ""


def constraint_note(settings: SelectionSettings) -> str:
    """Returns what all arms hold to, in a sentence; nothing where that is nothing."""
    asked = {
        "pinned rows": settings.pin,
        "banned rows": settings.ban,
        "least numbers of sources": settings.at_least,
        "greatest numbers of sources": settings.at_most,
        f"languages ({', '.join(settings.languages)})": settings.languages,
        f"no two twins ({settings.no_twins})": settings.no_twins,
    }
    held = [name for name, given in asked.items() if given]
    if not held:
        return ""
    return (
        f"All arms but the base and full hold to the constraints of the recipe: {', '.join(held)}. What is compared is "
        "the choice within them."
    )


def _tokens(run: Run) -> str:
    limit = run.recipe.selection.budget_tokens
    held = (run.folder.stamp("select") or {}).get("tokens")
    if not limit or held is None:
        return ""
    return (
        f"The budget is one of {limit:,} tokens that are trained on: the chosen rows hold {held:,}, those of the other "
        "arms no more; how many rows that is differs, and the rows of an arm are the mean of its runs."
    )


def _influence(run: Run) -> list[str]:
    """Tells who chose, by what, and what was dropped, where that is not the usual."""
    settings, scored = run.recipe.selection, (run.folder.stamp("score") or {}).get("notes", {})
    dropped = (run.folder.stamp("select") or {}).get("dropped", 0)
    shares = [value for name, value in scored.items() if name.startswith("share_of_checkpoint_")]
    return [
        f"{settings.model} chose the rows, and {run.recipe.model} was trained." if settings.model else "",
        f"Choosing: {scored['warning']}." if "warning" in scored else "",
        f"Shares of the warm-up's checkpoints in the score: {', '.join(f'{one:.0%}' for one in shares)}."
        if shares
        else "",
        f"{dropped:,} rows of the most negative influence were rejected before choosing; the other arms keep them."
        if dropped
        else "",
    ]


def _rate(run: Run) -> str:
    if run.recipe.training.tune:
        return "The learning rate of each arm was picked on dev."
    return "All arms were trained with one learning rate; another might suit one of them better (--tune)."


def _harm(run: Run) -> list[str]:
    """Tells what the selection did to the tasks that it does not aim at."""
    if run.recipe.target.untargeted is None:
        return []
    found = read_json(run.folder.verdict)["untargeted"]
    own = [one for one in found if one["b"].startswith("selected-")]
    if not own:
        return [
            "Harm to untargeted tasks cannot be told: it takes the base, and one run or three of every other arm."
        ]
    return [f"Untargeted: {one['sentence']}" for one in own]
