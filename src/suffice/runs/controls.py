"""Random arms that are matched to the selection: by the lengths of its answers, or by what choosing cost.

Where the selection beats these too, its gain is neither that of longer answers nor of more computing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.selectors.openings import Openings

FORWARD_SHARE = 1 / 3  # a forward pass takes a third of the operations of a training step on the same tokens


def length_matched(
    lengths: NDArray[np.float32], selected: Sequence[int], draws: Draws, openings: Openings
) -> list[int]:
    """Draws rows whose answers are as long as those selected.

    After the pinned rows, for each selected row that is not pinned, in random order, one of the open rows of the
    nearest length is drawn.

    Args:
        lengths: The length of every answer of the pool, ``[rows]``.
        selected: Places of the selected rows, which may be drawn as well.
        draws: The stream of random draws.
        openings: What may be chosen, of as many rows.

    Returns:
        As many different places, from 0.
    """
    drawn = list(openings.pinned)
    for index in drawn:
        openings.take(index)
    others = [row for row in selected if row not in set(openings.pinned)]
    for row in draws.shuffled(others):
        distance = np.where(openings.mask, np.abs(lengths - lengths[row]), np.inf)
        drawn.append(draws.choice(np.flatnonzero(distance == distance.min()).tolist()))
        openings.take(drawn[-1])
    return drawn


def compute_matched(
    chosen: int, steps: int, batch: int, pool: int, *, passes: float, most: int | None = None
) -> tuple[int, int]:
    """Returns how many random rows, and for how many steps, cost what choosing and training the selection cost.

    The control spends what choosing took on more rows, with as many passes over each as the selection has.

    Args:
        chosen: Rows of the selection.
        steps: Its optimiser steps.
        batch: Rows of a step.
        pool: Rows of the pool.
        passes: What choosing took, in passes of training over the pool; a forward pass is `FORWARD_SHARE`.
        most: How many rows the control can have; all of the pool by default.

    Returns:
        Rows and steps.
    """
    more = passes * pool / (steps * batch)
    return min(most or pool, round(chosen * (1 + more))), round(steps * (1 + more))
