"""IFD: how little the instruction helps with the answer, as the ratio of two losses.

Li et al., "From Quantity to Quality: Boosting LLM Performance with Self-Guided Data Selection for
Instruction Tuning" (Cherry LLM, arXiv 2308.12032):

    IFD(Q, A) = loss(A | Q) / loss(A),   loss(A | Q) = -1/N sum_i log P(a_i | Q, a_1 .. a_i-1)

Its public code (github.com/tianyi-lab/Cherry_LLM, ``data_by_IFD.py``) takes the ratio of the mean losses of the
answer's tokens, with the header that opens a reply before the answer alone, and leaves out ratios above 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from suffice.scorers.likelihood import Answers, Floats, answer_losses
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class IFD:
    """The mean loss of the answer's tokens after the instruction, divided by theirs without it.

    A ratio of 1 or more means that the instruction did not help; such a row has no score, and the notes count
    them.
    """

    name = "ifd"
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False
    paper = "arXiv 2308.12032"
    cost = "one forward pass over the row and its answer"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; see `suffice.scorers.likelihood.answer_losses` for rows without a score.

        Raises:
            UserError: There is no model.
        """
        answers = answer_losses(self.name, pool, context, alone=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return helped(pool, answers, answers.loss / answers.alone)


def helped(pool: Pool, answers: Answers, ratios: Floats) -> Scores:
    """Returns the ratios below 1 as scores; the note ``rows_not_helped`` counts the others."""
    unhelped = ratios >= 1
    return answers.scores(pool, np.where(unhelped, np.nan, ratios), rows_not_helped=int(unhelped.sum()))
