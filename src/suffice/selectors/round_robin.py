"""Turns go round the families of the target and, within each, round its dev examples.

RDS+ (Ivison et al., arXiv 2503.01807, section 3) lets each query in turn take its best row that is not taken
yet. With several tasks the turns go round the tasks first, so that a task with many dev examples has no more
turns than one with few.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.target import Target, TargetItem
from suffice.selectors.protocol import (
    Choice,
    SelectionRequest,
    beat,
    check_budget,
    excerpt,
    ordinal,
    percentile,
    ranking,
)


class RoundRobin:
    """Each dev example in turn takes the row closest to it; a row without a score is never taken."""

    name = "round_robin"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the turns.

        Their evidence is ``score`` (affinity to the dev example served), ``percentile`` (percent of scored
        rows farther from it), ``task``, ``dev`` (its id), ``dev_prompt`` (the beginning of its prompt),
        ``turn`` (from 1), ``beat`` (the id of the closest row left untaken) and ``margin`` (by how much).

        Raises:
            UserError: The scores have no affinity to the target's dev examples, or the budget cannot be met.
        """
        target, affinity = request.target, request.scores.affinity
        if target is None or affinity is None or request.scores.queries != [item.id for item in target.dev]:
            raise UserError(
                "the selector 'round_robin' needs a target and scores that hold each row's affinity to its dev "
                "examples",
                "score with --scorer embedding and the same --target, or choose --selector top",
            )
        usable = np.flatnonzero(~np.isnan(affinity).any(axis=1))
        check_budget(request.budget, len(affinity), len(usable))
        free = np.ones(len(affinity), dtype=bool)
        turns = _turns(target, affinity, usable)
        return [_choice(request, next(turns), free, turn) for turn in range(1, request.budget + 1)]


class _Queue:
    """The rows in the order of their closeness to one dev example; read once, from the front."""

    def __init__(self, item: TargetItem, affinity: NDArray[np.float32], usable: NDArray[np.int64]) -> None:
        self.item, self.affinity = item, affinity
        self.order = usable[ranking(affinity[usable])].astype(np.int32)
        self._place = 0

    def take(self, free: NDArray[np.bool_]) -> tuple[int, int | None]:
        """Takes the closest free row.

        Returns:
            Its place in the order, and the place of the closest row then left; `None` where none is left.
        """
        taken = self._next_free(free)
        free[self.order[taken]] = False
        following = self._next_free(free)
        return taken, following if following < len(self.order) else None

    def _next_free(self, free: NDArray[np.bool_]) -> int:
        # Rows never become free again, so the scan goes on from where it last stood.
        while self._place < len(self.order) and not free[self.order[self._place]]:
            self._place += 1
        return self._place


def _turns(target: Target, affinity: NDArray[np.float32], usable: NDArray[np.int64]) -> Iterator[_Queue]:
    """Yields, without end, the dev example whose turn it is."""
    families: dict[str, list[_Queue]] = {name: [] for name in target.families}
    for column, item in enumerate(target.dev):
        families[item.task].append(_Queue(item, affinity[:, column], usable))
    for family in cycle([cycle(queues) for queues in families.values() if queues]):
        yield next(family)


def _choice(request: SelectionRequest, queue: _Queue, free: NDArray[np.bool_], turn: int) -> Choice:
    """Lets one dev example take its row, and says why."""
    place, following = queue.take(free)
    index = int(queue.order[place])
    rival = None if following is None else int(queue.order[following])
    score = float(queue.affinity[index])
    ending, beaten = beat(request, rival, 0.0 if rival is None else score - float(queue.affinity[rival]))
    share = percentile(place, len(queue.order))
    item = queue.item
    evidence = {
        "score": score,
        "percentile": share,
        "task": item.task,
        "dev": item.id,
        "dev_prompt": excerpt(item.messages),
        "turn": turn,
        **beaten,
    }
    return Choice(
        index, f'serves "{item.task}" (dev {item.id}); {ordinal(share)} percentile{ending}', evidence
    )
