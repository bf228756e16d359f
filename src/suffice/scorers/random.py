"""A random score: with it any selector runs as a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from suffice.common.draws import Draws
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class Random:
    """A uniform draw from 0 to 1 for each row, decided by the seed alone."""

    name = "random"
    paper = ""
    cost = "none"
    default_selector = "top"
    makes = ("scores",)
    needs_model = False
    needs_target = False

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Draws a number for every row."""
        draws = Draws(context.seed, "random-scores")
        # 24 bits are all that a float32 in [0, 1) holds.
        values = np.array([draws.below(1 << 24) for _ in range(len(pool))], dtype=np.float32) / (1 << 24)
        return Scores(pool.ids, values.astype(np.float32))
