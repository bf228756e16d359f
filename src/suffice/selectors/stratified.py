"""Stratified random: rows drawn at random within each source, so that every source has its share.

The next row is drawn from the source that has waited longest: the one with the largest n / (2 c + 1), of n rows and c
chosen ones (the method of Webster and Sainte-Laguë, whose shares are proportional but for rounding and never shrink as the
budget grows); or, for equal shares, the one with the smallest c.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from suffice.common.draws import Draws
from suffice.selectors.openings import Openings, Queue
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, drawn


class Stratified:
    """Draws rows at random within sources; scores play no part.

    Args:
        equal: Whether all sources get as many rows; else each gets them by its size.
    """

    name = "stratified"
    paper = ""
    needs = ()
    cost = "none"

    def __init__(self, equal: bool = False) -> None:
        self.equal = equal

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order in which they were drawn, pinned ones first.

        Their evidence is ``source``, ``size`` (how many rows the source has) and ``turn`` (from 1).
        """
        sources = request.pool.sources
        openings = Openings(request, np.ones(len(sources), dtype=bool))
        sizes, chosen = Counter(sources), Counter[str]()
        queues = {source: _drawn(request, source) for source in sizes}
        choices = []
        for turn in range(request.budget):
            index, words = openings.pin(turn), "pinned; one of the rows"
            if index is None:
                source = self._next(queues, sizes, chosen, openings)
                place = queues[source].first(openings.mask)
                assert place is not None
                index, words = int(queues[source].order[place]), "drawn at random from the rows"
            source = sources[index]
            openings.take(index)
            chosen[source] += 1
            evidence = {"source": source, "size": sizes[source], "turn": turn + 1}
            choices.append(Choice(index, f'{words} of "{source}" ({sizes[source]:,})', evidence))
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells that it was not drawn."""
        return drawn(request, choices, "the rows of a source")

    def _next(
        self, queues: dict[str, Queue], sizes: Counter[str], chosen: Counter[str], openings: Openings
    ) -> str:
        """Returns the source whose turn it is, of equals the first in the pool."""
        able = [source for source, queue in queues.items() if queue.first(openings.mask) is not None]
        if self.equal:
            return min(able, key=lambda source: chosen[source])
        return max(able, key=lambda source: sizes[source] / (2 * chosen[source] + 1))


def _drawn(request: SelectionRequest, source: str) -> Queue:
    """Returns the rows of a source in random order."""
    rows = [index for index, name in enumerate(request.pool.sources) if name == source]
    return Queue(np.array(Draws(request.seed, "stratified", source, request.draw).shuffled(rows)))
