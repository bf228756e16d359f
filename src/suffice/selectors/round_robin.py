"""Turns go round the families of the target and, within each, round its dev examples.

RDS+ (Ivison et al., arXiv 2503.01807, section 3) lets each query in turn take its best row that is not taken
yet. With several tasks the turns go round the tasks first, so that a task with many dev examples has no more
turns than one with few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.target import Target, TargetItem
from suffice.selectors.openings import Openings, Queue
from suffice.selectors.protocol import (
    Choice,
    Lack,
    SelectionRequest,
    beat,
    excerpt,
    ordinal,
    percentile,
    ranking,
)


class RoundRobin:
    """Each dev example in turn takes the row closest to it; a row without a score is never taken."""

    name = "round_robin"
    paper = "arXiv 2503.01807"
    needs = ("scores", "target")
    cost = "a sort for every dev example"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns rows in the order of the turns.

        Their evidence is ``score`` (affinity to the dev example served), ``percentile`` (percent of scored
        rows farther from it), ``task``, ``dev`` (its id), ``dev_prompt`` (the beginning of its prompt),
        ``turn`` (from 1), ``beat`` (the id of the closest row left open) and ``margin`` (by how much).

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
        usable = np.asarray(~np.isnan(affinity).any(axis=1))
        openings = Openings(request, usable)
        queues = [
            _Queue(item, affinity[:, column], np.flatnonzero(usable))
            for column, item in enumerate(target.dev)
        ]
        turns, choices = _turns(target, queues), []
        for turn in range(request.budget):
            pin = openings.pin(turn)
            queue = next(turns) if pin is None else queues[int(affinity[pin].argmax())]
            choices.append(_choice(request, queue, openings, turn))
        return choices

    def lacked(self, request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
        """Tells which dev example came nearest to taking it, and how much closer the last row that it took is."""
        assert request.target is not None
        assert request.scores.affinity is not None
        closeness = dict(zip(request.scores.queries, request.scores.affinity[index].tolist(), strict=True))
        last: dict[str, float] = {}
        for choice in choices:
            dev = choice.evidence["dev"]
            if not choice.reason.startswith("pinned"):
                last[dev] = min(last.get(dev, np.inf), choice.evidence["score"])
        if not last:
            return Lack("every row that was chosen is pinned", {})
        dev = min(last, key=lambda name: last[name] - closeness[name])
        item = next(item for item in request.target.dev if item.id == dev)
        short = last[dev] - closeness[dev]
        reason = (
            f'nearest to being taken by "{item.task}" (dev {dev}): affinity {closeness[dev]:.4g}, '
            f"{short:.2g} below that of the last row it took, {last[dev]:.4g}"
        )
        return Lack(reason, {"dev": dev, "score": closeness[dev], "needed": last[dev], "short": short})


class _Queue(Queue):
    """The rows in the order of their closeness to one dev example."""

    def __init__(self, item: TargetItem, affinity: NDArray[np.float32], usable: NDArray[np.int64]) -> None:
        self.item, self.affinity = item, affinity
        super().__init__(usable[ranking(affinity[usable])].astype(np.int32))


def _turns(target: Target, queues: Sequence[_Queue]) -> Iterator[_Queue]:
    """Yields, without end, the dev example whose turn it is."""
    families: dict[str, list[_Queue]] = {name: [] for name in target.families}
    for queue in queues:
        families[queue.item.task].append(queue)
    for family in cycle([cycle(some) for some in families.values() if some]):
        yield next(family)


def _choice(request: SelectionRequest, queue: _Queue, openings: Openings, turn: int) -> Choice:
    """Lets one dev example take its row, or gives it the one that is pinned, and says why."""
    place, following, words = queue.take(openings, turn)
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
        "turn": turn + 1,
        **beaten,
    }
    return Choice(
        index, f'{words}serves "{item.task}" (dev {item.id}); {ordinal(share)} percentile{ending}', evidence
    )
