"""The perplexity of the answer, from the middle of the pool's, its top or its bottom.

Marion et al., "When Less is More: Investigating Data Pruning for Pretraining LLMs at Scale" (arXiv
2309.04564): rows are ranked by exp of the mean loss of their tokens, and the bottom, the middle or the top of
the ranking is kept. The middle did best there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from suffice.scorers.likelihood import Floats, answer_losses
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool

_LARGEST = float(np.finfo(np.float32).max)


class _Perplexity:
    """What the three have in common: the exp of the mean loss of an answer's tokens."""

    name: str
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False
    paper = "arXiv 2309.04564"
    cost = "one forward pass"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; see `suffice.scorers.likelihood.answer_losses` for rows without a score.

        Raises:
            UserError: There is no model.
        """
        answers = answer_losses(self.name, pool, context)
        with np.errstate(over="ignore"):
            perplexities = np.minimum(np.exp(answers.loss), _LARGEST)
        found = perplexities[~np.isnan(perplexities)]
        median = {"median_perplexity": float(np.median(found))} if len(found) else {}
        return answers.scores(pool, self.rank(perplexities), **median)

    def rank(self, perplexities: Floats) -> Floats:
        """Turns perplexities [rows], NaN where there is none, into scores, of which higher is better."""
        raise NotImplementedError


class Middle(_Perplexity):
    """How near a row is to the median: 1 at the median rank of the pool, towards 0 at the lowest and the highest.

    The best k rows are the k in the middle of the ranking. Rows of equal perplexity have their mean rank.
    """

    name = "perplexity"

    def rank(self, perplexities: Floats) -> Floats:
        """See `_Perplexity.rank`."""
        scores = np.full(len(perplexities), np.nan)
        known = ~np.isnan(perplexities)
        below = (rankdata(perplexities[known]) - 0.5) / max(known.sum(), 1)
        scores[known] = 1 - np.abs(2 * below - 1)
        return scores


class Top(_Perplexity):
    """The perplexity itself: the least likely answers come first."""

    name = "perplexity_top"

    def rank(self, perplexities: Floats) -> Floats:
        """See `_Perplexity.rank`."""
        return perplexities


class Low(_Perplexity):
    """The perplexity with its sign turned: the likeliest answers come first."""

    name = "perplexity_low"

    def rank(self, perplexities: Floats) -> Floats:
        """See `_Perplexity.rank`."""
        return -perplexities
