"""The loss of the answer: how hard a row is for the model as it stands.

Loshchilov and Hutter, "Online Batch Selection for Faster Training of Neural Networks" (arXiv 1511.06343),
rank examples by their latest loss, the largest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from suffice.scorers.likelihood import answer_losses
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool


class Loss:
    """The mean cross entropy of the answer's tokens, in nats; the hardest rows come first."""

    name = "loss"
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False
    paper = "arXiv 1511.06343"
    cost = "one forward pass"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; see `suffice.scorers.likelihood.answer_losses` for rows without a score.

        Raises:
            UserError: There is no model.
        """
        answers = answer_losses(self.name, pool, context)
        return answers.scores(pool, answers.loss)
