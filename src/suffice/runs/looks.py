"""Looks: a study that is judged after planned batches of runs, and goes on only while its outcome is open."""

from __future__ import annotations

from suffice.proof.design.sequential import run_looks
from suffice.runs.folder import RunFolder
from suffice.runs.recipe import DesignSettings


def designs(design: DesignSettings) -> list[DesignSettings]:
    """Returns the design in force at each look: so many runs an arm, and that look's share of alpha.

    Without looks there is one, the design itself. The levels are those of `suffice.proof.design.sequential.run_looks` for
    one arm that varies (the base does not, and the interval pools no spreads), so that all looks together err no
    more often than the design's alpha allows.
    """
    if not design.looks:
        return [design]
    levels = run_looks(design.looks, design.alpha, arms=1).nominal_alpha
    return [
        design.model_copy(update={"seeds": runs, "draws": runs, "alpha": level})
        for runs, level in zip(design.looks, levels, strict=True)
    ]


def looks_done(folder: RunFolder) -> int:
    """Returns the look that a folder has reached, counted from 0, to go on from there."""
    found = folder.stamp("prove")
    looks = folder.recipe().design.looks
    return looks.index(found["runs"]) if found and found.get("runs") in looks else 0


def is_open(folder: RunFolder) -> bool:
    """Tells whether the outcome of a folder's verdict is still open."""
    found = folder.stamp("prove")
    return found is not None and found["outcome"] == "inconclusive"


def look_sentence(design: DesignSettings) -> str:
    """Returns which look a design in force is and what it costs, in words; empty without looks."""
    if not design.looks:
        return ""
    place = design.looks.index(design.seeds) + 1
    return (
        f"This is look {place} of {len(design.looks)}, after {design.seeds} runs an arm. Its intervals have a level of "
        f"{100 * (1 - design.alpha):.4g} %, so that all looks together keep the level that was planned."
    )
