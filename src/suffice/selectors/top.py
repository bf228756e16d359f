"""The rows with the highest scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suffice.selectors.openings import Openings, Queue
from suffice.selectors.protocol import (
    Choice,
    Lack,
    SelectionRequest,
    beat,
    below,
    ordinal,
    percentile,
    ranking,
)


class Top:
    """Takes the highest scores first, ties in pool order; a row without a score is never taken."""

    name = "top"
    paper = ""
    needs = ("scores",)
    cost = "a sort"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns the best rows, best first.

        Their evidence is ``score``, ``rank`` (from 1), ``percentile`` (percent of scored rows that rank
        behind), ``beat`` (the id of the open row that ranks next) and ``margin`` (by how much).
        """
        values = request.scores.values
        openings = Openings(request, ~np.isnan(values))
        queue = Queue(ranking(values))
        unit = str(request.scores.notes.get("unit", ""))
        return [_choice(request, queue, openings, turn, unit) for turn in range(request.budget)]

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells how far its score is below the least that was chosen."""
        return below(request, choices, index)


def _choice(request: SelectionRequest, queue: Queue, openings: Openings, turn: int, unit: str) -> Choice:
    """Takes the best open row, or the one that is pinned, and says why."""
    values = request.scores.values
    place, following, words = queue.take(openings, turn)
    index = int(queue.order[place])
    rival = None if following is None else int(queue.order[following])
    margin = 0.0 if rival is None else float(values[index] - values[rival])
    ending, beaten = beat(request, rival, margin)
    share = percentile(place, len(queue.order))
    evidence = {"score": float(values[index]), "rank": place + 1, "percentile": share, **beaten}
    score = f"score {values[index]:,.4g} {unit}".rstrip()
    return Choice(index, f"{words}{score}; {ordinal(share)} percentile{ending}", evidence)
