"""Difficulty by domain: a domain at random, and in it a hard row rather than an easy one.

Muennighoff et al., "s1: Simple test-time scaling" (arXiv 2501.19393, section 2.2 and algorithm 1): a domain is drawn
uniformly from those that still have rows; in it a row with a weight of 2^-rank, the hardest first, where the paper takes the
length of the reasoning for difficulty. Here the score is the difficulty and the row's source its domain. The rank is
that among the rows left. The paper's rows that are chosen beforehand are pinned rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suffice.common.draws import Draws
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, ranking


class DifficultyDomain:
    """Draws a source uniformly, then one of its rows with weight 2^-rank by score; never a row without a score."""

    name = "difficulty_domain"
    paper = "arXiv 2501.19393"
    needs = ("scores",)
    cost = "a sort"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order in which they were drawn, pinned ones first.

        Their evidence is ``score``, ``source``, ``rank`` (by score among the rows left in the source, from 1) and
        ``left`` (how many those were).
        """
        values = request.scores.values
        openings = Openings(request, ~np.isnan(values))
        left: dict[str, list[int]] = {}
        for index in ranking(values)[::-1].tolist():  # the best last, where it is cheap to take from
            left.setdefault(request.pool.sources[index], []).append(index)
        choices = []
        for index in openings.pinned:
            rows = left[request.pool.sources[index]]
            choices.append(_choice(request, rows, len(rows) - 1 - rows.index(index), "pinned; "))
            openings.take(index)
        left = {name: [index for index in rows if openings.mask[index]] for name, rows in left.items()}
        draws = Draws(request.seed, self.name, request.draw)
        while len(choices) < request.budget:
            able = sorted(name for name, rows in left.items() if rows and openings.mask[rows[-1]])
            rows = left[draws.choice(able)]
            choices.append(_choice(request, rows, _rank(draws, len(rows))))
            openings.take(choices[-1].index)
            for twin in openings.twins(choices[-1].index):
                if twin in (rows := left.get(request.pool.sources[twin], [])):
                    rows.remove(twin)
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells where it stood in its source, whose hard rows are drawn with more weight."""
        values, sources = request.scores.values, request.pool.sources
        rows = [row for row, source in enumerate(sources) if source == sources[index]]
        rank = 1 + int((values[rows] > values[index]).sum())
        return Lack(
            f'rows are drawn with weights of 2^-rank; it is number {rank:,} of {len(rows):,} in "{sources[index]}"',
            {"rank": rank, "rows": len(rows)},
        )


def _rank(draws: Draws, rows: int) -> int:
    """Returns a rank from 0 to ``rows`` - 1 with a probability in proportion to 2^-rank."""
    while True:
        tails = draws.bits()
        rank = (tails & -tails).bit_length() - 1 if tails else 64
        if rank < rows:
            return rank


def _choice(request: SelectionRequest, rows: list[int], rank: int, words: str = "") -> Choice:
    """Takes the row of a rank out of rows that stand worst first, and says why."""
    left = len(rows)
    index = rows.pop(left - 1 - rank)
    source, score = request.pool.sources[index], float(request.scores.values[index])
    evidence = {"score": score, "source": source, "rank": rank + 1, "left": left}
    return Choice(
        index, f'{words}score {score:,.4g}, number {rank + 1:,} of the {left:,} left in "{source}"', evidence
    )
