"""Lengths of answers, pool against what the arms were trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suffice.runs.arms import ArmRun
from suffice.runs.context import Run

BINS = 24


def answer_lengths(run: Run) -> tuple[list[float], dict[str, list[int]]]:
    """Returns a histogram of answer lengths, in whitespace words, on a logarithmic axis.

    Returns:
        The edges of the bins, and the counts of pool, selection, first random draw and longest rows.
    """
    words = np.array([len(example.answer.split()) for example in run.pool], dtype=np.int64)
    edges = np.geomspace(1, max(2, int(words.max())) + 1, BINS + 1)
    parts = {
        "pool": words,
        **{arm.arm: words[list(arm.rows)] for arm in run.arms if _shown(arm)},
    }
    return [float(edge) for edge in edges], {name: _count(part, edges) for name, part in parts.items()}


def _shown(arm: ArmRun) -> bool:
    return arm.kind in ("selected", "random", "longest") and arm.index == 0 and not arm.curve


def _count(words: NDArray[np.int64], edges: NDArray[np.float64]) -> list[int]:
    return [int(count) for count in np.histogram(words, bins=edges)[0]]
