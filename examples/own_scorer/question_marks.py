"""A scorer and a selector of one's own.

Install and use them like this:

    pip install examples/own_scorer
    suffice select --pool pool.jsonl --scorer question_marks --budget 100 --out chosen
"""

from __future__ import annotations

import numpy as np

from suffice.data.pool import Pool
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, ranking


class QuestionMarks:
    """Counts how often the user asks: the question marks in all user turns."""

    name = "question_marks"
    paper = ""
    cost = "a pass over the text"
    default_selector = "every_kth"
    makes = ("scores",)
    needs_model = False
    needs_target = False

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of the pool."""
        values = []
        with context.reporter.track("score", len(pool), "rows") as task:
            for row in pool:
                asked = (turn["content"] for turn in row.messages if turn["role"] == "user")
                values.append(sum(text.count("?") for text in asked))
                task.advance()
        return Scores(pool.ids, np.array(values, dtype=np.float32), notes={"unit": "question marks"})


class EveryKth:
    """Walks down the ranking in equal strides, so that rows of every score are chosen."""

    name = "every_kth"
    paper = ""
    needs = ("scores",)
    cost = "a sort"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns the pinned rows, and then rows from the best to the worst.

        Openings knows the constraints: which rows may be chosen at first, and after each that is taken.
        """
        values = request.scores.values
        openings, order, choices = Openings(request, ~np.isnan(values)), ranking(values).tolist(), []
        stride = len(order) / request.budget
        while len(choices) < request.budget:
            index = openings.pin(len(choices))
            if index is None:
                wanted = int(stride * len(choices))
                index = next(row for row in [*order[wanted:], *order[:wanted]] if openings.mask[row])
            openings.take(index)
            choices.append(self._choice(request, index, order.index(index) + 1))
        return choices

    def lacked(self, request: SelectionRequest, choices: list[Choice], index: int) -> Lack:
        """Tells for suffice explain why a row was passed over."""
        stride = len(request.pool) / len(choices)
        return Lack(
            f"every {stride:.3g}th row of the ranking is taken, and it lies between two", {"stride": stride}
        )

    def _choice(self, request: SelectionRequest, index: int, rank: int) -> Choice:
        score = float(request.scores.values[index])
        return Choice(index, f"rank {rank} with {score:.0f} question marks", {"score": score, "rank": rank})
