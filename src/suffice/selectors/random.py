"""Rows drawn at random: the baseline, which is a distribution and not one number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suffice.common.draws import Draws
from suffice.selectors.openings import Openings, Queue
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, check_budget, drawn


class Random:
    """Draws rows uniformly and without replacement; their scores play no part."""

    name = "random"
    paper = ""
    needs = ()
    cost = "none"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order in which they were drawn; their evidence is ``draw`` and ``turn``."""
        rows = len(request.pool)
        openings = Openings(request, np.ones(rows, dtype=bool))
        free = request.constraints.none
        drawn = random_rows(rows, request.budget if free else rows, seed=request.seed, draw=request.draw)
        queue = Queue(np.array(drawn))
        reason, choices = f"drawn at random (seed {request.seed}, draw {request.draw})", []
        for turn in range(request.budget):
            place, _, words = queue.take(openings, turn)
            choices.append(
                Choice(
                    int(queue.order[place]),
                    "pinned" if words else reason,
                    {"draw": request.draw, "turn": turn + 1},
                )
            )
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells that it was not drawn."""
        return drawn(request, choices)


def random_rows(rows: int, budget: int, *, seed: int, draw: int) -> list[int]:
    """Draws ``budget`` different places of a pool of ``rows`` rows.

    Args:
        rows: How many rows the pool has.
        budget: How many to draw.
        seed: The seed of the run.
        draw: Which of several draws this is; draws with other numbers are independent.

    Returns:
        The places, from 0, in the order in which they were drawn.

    Raises:
        UserError: The budget is below 1 or larger than the pool.
    """
    check_budget(budget, rows)
    return Draws(seed, "random-selection", draw).sample(range(rows), budget)
