"""The gates, one effect a file: each is a function from the bench to its readings."""

from __future__ import annotations

from collections.abc import Callable

from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates import (
    budget,
    diversity,
    headroom,
    knowledge,
    lima,
    limi,
    rlvr,
    selection,
    srlm,
    strength,
    wording,
    zero_shot,
)
from suffice.lab.measure.reading import Reading

GATES: dict[str, Callable[[Bench], list[Reading]]] = {
    "knowledge": knowledge.measure,
    "zero-shot": zero_shot.measure,
    "headroom": headroom.measure,
    "lima": lima.measure,
    "selection": selection.measure,
    "budget": budget.measure,
    "diversity": diversity.measure,
    "wording": wording.measure,
    "rlvr-a": rlvr.measure_shortcut,
    "rlvr-b": rlvr.measure_spurious,
    "limi": limi.measure,
    "srlm": srlm.measure,
    "strength": strength.measure,
}
