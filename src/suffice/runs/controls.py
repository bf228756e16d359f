"""Random arms that are matched to the selection: by the lengths of its answers, or by what choosing cost.

Where the selection beats these too, its gain is neither that of longer answers nor of more computing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws

FORWARD_SHARE = 1 / 3  # a forward pass takes a third of the operations of a training step on the same tokens


def length_matched(lengths: NDArray[np.float32], selected: Sequence[int], draws: Draws) -> list[int]:
    """Draws rows whose answers are as long as those selected.

    For each selected row, in random order, a row of the same length that is not taken yet is drawn; where none is
    left, one of the nearest length.

    Args:
        lengths: The length of every answer of the pool, ``[rows]``.
        selected: Places of the selected rows, which may be drawn as well.
        draws: The stream of random draws.

    Returns:
        As many different places, from 0.
    """
    free: dict[float, list[int]] = {}
    for row in draws.shuffled(range(len(lengths))):
        free.setdefault(float(lengths[row]), []).append(row)
    known = np.array(sorted(free))
    left = np.array([len(free[length]) for length in known])
    drawn = []
    for row in draws.shuffled(selected):
        distance = np.where(left > 0, np.abs(known - lengths[row]), np.inf)
        place = int(distance.argmin())
        left[place] -= 1
        drawn.append(free[float(known[place])].pop())
    return drawn


def compute_matched(chosen: int, steps: int, batch: int, pool: int, *, scored: bool) -> tuple[int, int]:
    """Returns how many random rows, and for how many steps, cost what choosing and training the selection cost.

    Choosing by a model takes one forward pass over the pool, a third of the operations of training on it once. The
    control spends them on more rows, with as many passes over each as the selection has.

    Args:
        chosen: Rows of the selection.
        steps: Its optimiser steps.
        batch: Rows of a step.
        pool: Rows of the pool, of which the control can have no more.
        scored: Whether a model read the pool; else choosing cost next to nothing.

    Returns:
        Rows and steps.
    """
    more = FORWARD_SHARE * pool / (steps * batch) if scored else 0.0
    return min(pool, round(chosen * (1 + more))), round(steps * (1 + more))
