"""A scorer and a selector of one's own.

Install and use them like this:

    pip install examples/own_scorer
    suffice select --pool pool.jsonl --scorer question_marks --budget 100 --out chosen
"""

from __future__ import annotations

import numpy as np

from suffice.data.pool import Pool
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.selectors.protocol import Choice, SelectionRequest, check_budget, ranking


class QuestionMarks:
    """Counts how often the user asks: the question marks in all user turns."""

    name = "question_marks"
    default_selector = "every_kth"
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

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows from the best to the worst."""
        order = ranking(request.scores.values)
        check_budget(request.budget, len(request.pool), len(order))
        places = [place * len(order) // request.budget for place in range(request.budget)]
        return [self._choice(request, int(order[place]), place + 1) for place in places]

    def _choice(self, request: SelectionRequest, index: int, rank: int) -> Choice:
        score = float(request.scores.values[index])
        return Choice(index, f"rank {rank} with {score:.0f} question marks", {"score": score, "rank": rank})
