"""Superfiltering: IFD as the ratio of two perplexities, told by a small model.

Li et al., "Superfiltering: Weak-to-Strong Data Filtering for Fast Instruction-Tuning" (arXiv 2402.00530):

    IFD(y | x) = PPL(y | x) / PPL(y) = exp(loss(y | x) - loss(y))

It ranks otherwise than the ratio of losses (`suffice.scorers.ifd`). Its public code
(github.com/tianyi-lab/Superfiltering, ``select_data.py``) keeps ratios below 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from suffice.scorers.ifd import helped
from suffice.scorers.likelihood import answer_losses
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class Superfiltering:
    """The perplexity of the answer after the instruction, divided by its perplexity without it.

    A ratio of 1 or more means that the instruction did not help; such a row has no score, and the notes count
    them. Any model may tell; the paper takes GPT-2.
    """

    name = "superfiltering"
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False
    paper = "arXiv 2402.00530"
    cost = "one forward pass over the row and its answer"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; see `suffice.scorers.likelihood.answer_losses` for rows without a score.

        Raises:
            UserError: There is no model.
        """
        answers = answer_losses(self.name, pool, context, alone=True)
        with np.errstate(over="ignore"):
            return helped(pool, answers, np.exp(answers.loss - answers.alone))
