"""Greedy choice where every choice lowers what other rows would add, over many rows and in few passes.

Gains that only fall let a pass over all rows wait (the lazy greedy algorithm of Minoux 1978, for blocks): of the rows
with the largest gains, the *front*, the best is taken, and the gains of the front alone are brought up to date, as long
as the two best of the front stay above all that any row outside had at the last pass. What is taken is what a pass for
every choice would take, and the runner-up is the true one. Then one product of matrices brings all rows up to date.
Memory: the gains, and a block of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from suffice.scorers.vectors import Vectors
from suffice.selectors.constraints import Constraints
from suffice.selectors.directions import Directions, nearest_before
from suffice.selectors.openings import Openings
from suffice.selectors.protocol import Choice, Lack, SelectionRequest, beat, excerpt

FRONT = 2048
"""Rows whose gains are kept up to date between two passes."""
WAITING = 256
"""Choices that may wait for a pass."""

Gains = NDArray[np.float64]
Product = Callable[[Vectors], NDArray[np.float32]]
"""Takes vectors [count, width] and returns the products of some rows with them [rows, count]."""


class Objective(Protocol):
    """What is to be made large, told by what a row would add to it."""

    def start(self, directions: Directions) -> Gains:
        """Returns what each row would add before any is chosen, or more than that [rows]."""

    def chose(self, row: Vectors) -> None:
        """Takes note that a row was chosen [width]."""

    def lower(self, gains: Gains, product: Product, rows: slice | None) -> Gains:
        """Returns gains after the last choice, or after all since `settle`; none is larger than before.

        Args:
            gains: What some rows would have added before [rows].
            product: Multiplies those rows with vectors.
            rows: Which rows those are, where all choices since `settle` are new to ``gains``; `None` where the last
                one is.
        """

    def settle(self) -> None:
        """Takes note that the gains of all rows are up to date."""


class Probes:
    """An objective for which a choice is one vector: what it takes from a row follows from their product."""

    def __init__(self) -> None:
        self._vectors: list[Vectors] = []
        self._offsets: list[float] = []

    def chose(self, row: Vectors) -> None:
        """See `Objective`."""
        vector, offset = self.probe(row)
        self._vectors.append(vector)
        self._offsets.append(offset)

    def lower(self, gains: Gains, product: Product, rows: slice | None) -> Gains:
        """See `Objective`."""
        some = slice(-1 if rows is None else 0, None)
        products = product(np.stack(self._vectors[some])) + np.array(self._offsets[some], np.float32)
        return self.after(gains, products)

    def settle(self) -> None:
        """See `Objective`."""
        self._vectors, self._offsets = [], []

    def probe(self, row: Vectors) -> tuple[Vectors, float]:
        """Returns the vector of a choice, and an offset that is added to its products."""
        raise NotImplementedError

    def after(self, gains: Gains, products: NDArray[np.float32]) -> Gains:
        """Returns gains after some choices.

        Args:
            gains: What rows would have added before [rows].
            products: Their products with the choices' vectors, offsets added [rows, choices].
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Pick:
    """One choice.

    Attributes:
        index: The row's place in the pool.
        gain: What it added.
        rival: The row that would have added most in its stead; `None` where none was open or the row was pinned.
        rival_gain: What that one would have added.
        pinned: Whether the row was pinned.
    """

    index: int
    gain: float
    rival: int | None = None
    rival_gain: float = 0.0
    pinned: bool = False


def choose(
    directions: Directions, openings: Openings, objective: Objective, budget: int, front: int | None = None
) -> list[Pick]:
    """Chooses rows, each time the open row that adds most, the first of equals.

    Args:
        directions: The rows' vectors.
        openings: What may be chosen.
        objective: What a row adds.
        budget: How many rows to choose.
        front: How many rows are kept up to date between two passes; `FRONT` by default. It decides the time alone.
    """
    gains = objective.start(directions)
    picks: list[Pick] = []
    while len(picks) < budget:
        pinned = openings.pinned[len(picks) : len(picks) + WAITING]
        if pinned:
            some = _take_pinned(pinned, directions, openings, objective, gains)
        else:
            size = min(front or FRONT, len(gains))
            some = _take_front(directions, openings, objective, gains, budget - len(picks), size)
        picks += some
    return picks


def _take_pinned(
    pinned: Sequence[int], directions: Directions, openings: Openings, objective: Objective, gains: Gains
) -> list[Pick]:
    """Takes pinned rows, and brings the gains of all rows up to date, in place."""
    vectors, mine, picks = directions.take(pinned), gains[list(pinned)], []
    for place, index in enumerate(pinned):
        picks.append(Pick(index, float(mine[place]), pinned=True))
        openings.take(index)
        mine = _after(objective, mine, vectors, place)
    _update(directions, objective, gains)
    return picks


def _take_front(
    directions: Directions, openings: Openings, objective: Objective, gains: Gains, wanted: int, size: int
) -> list[Pick]:
    """Takes rows of the front while they are sure to be the best, and brings all gains up to date, in place."""
    front, outside = _front(np.where(openings.mask, gains, -np.inf), size)
    vectors, mine = directions.take(front), gains[front]
    picks: list[Pick] = []
    while len(picks) < min(wanted, WAITING):
        able = np.where(openings.mask[front], mine, -np.inf)
        best = int(able.argmax())
        gain, able[best] = float(able[best]), -np.inf
        second = int(able.argmax())
        if picks and able[second] <= outside:
            break
        rival = None if able[second] == -np.inf else int(front[second])
        picks.append(Pick(int(front[best]), gain, rival, 0.0 if rival is None else float(able[second])))
        openings.take(int(front[best]))
        mine = _after(objective, mine, vectors, best)
    _update(directions, objective, gains)
    return picks


def _front(gains: Gains, size: int) -> tuple[NDArray[np.int64], float]:
    """Returns the rows with the largest gains in the order of the pool, and the largest gain of the others."""
    largest = np.argpartition(-gains, size - 1)[:size]
    front = np.union1d(largest, [gains.argmax()])  # of equals it may have left out the first
    rest = np.ones(len(gains), dtype=bool)
    rest[front] = False
    return front, float(gains[rest].max(initial=-np.inf))


def _after(objective: Objective, gains: Gains, vectors: Vectors, chosen: int) -> Gains:
    """Returns the gains of rows after one of them was chosen."""
    objective.chose(vectors[chosen])
    return objective.lower(gains, lambda others: vectors @ others.T, None)


def _update(directions: Directions, objective: Objective, gains: Gains) -> None:
    """Brings the gains of all rows up to date, in place."""
    for rows in directions.blocks():
        gains[rows] = objective.lower(gains[rows], partial(directions.dots, rows), rows)
    objective.settle()


def explain(
    request: SelectionRequest, directions: Directions, picks: Sequence[Pick], words: Callable[[Pick], str]
) -> list[Choice]:
    """Returns choices with their reasons.

    Their evidence is ``turn`` (from 1), ``gain`` (what the row added), ``nearest`` (the id of the most alike of the
    rows chosen before) and ``cosine`` (how alike; empty and 0 for the first), ``beat`` (the id of the open row that
    would have added most in its stead) and ``margin`` (how much less; empty and 0 where none was left).

    Args:
        request: What was asked for.
        directions: The rows' vectors.
        picks: The rows.
        words: Says what a row added.
    """
    before, cosines = nearest_before(directions.take([pick.index for pick in picks]))
    choices = []
    for turn, pick in enumerate(picks):
        ending, beaten = beat(request, pick.rival, 0.0 if pick.rival is None else pick.gain - pick.rival_gain)
        reason, nearest = ("pinned; " if pick.pinned else "") + words(pick), ""
        if turn:
            row = request.pool[picks[before[turn]].index]
            nearest = row.id
            reason += f'; most like "{excerpt(row.messages)}", cosine {cosines[turn]:.2f}'
        evidence = {
            "turn": turn + 1,
            "gain": pick.gain,
            "nearest": nearest,
            "cosine": float(cosines[turn]),
            **beaten,
        }
        choices.append(Choice(pick.index, reason + ending, evidence))
    return choices


def lacked_gain(
    select: Callable[[SelectionRequest], list[Choice]],
    request: SelectionRequest,
    choices: Sequence[Choice],
    index: int,
) -> Lack:
    """Tells what a row would have added in the place of the last one, where all others are chosen as they were.

    Args:
        select: Chooses.
        request: What was asked for.
        choices: What it chose.
        index: A row that it could have chosen.
    """
    *before, last = choices
    pins = tuple(request.pool.ids[row] for row in [*(choice.index for choice in before), index])
    other = replace(request, constraints=Constraints(pin=pins))
    gain, needed = float(select(other)[-1].evidence["gain"]), float(last.evidence["gain"])
    row = request.pool[last.index]
    evidence = {"gain": gain, "needed": needed, "short": needed - gain}
    return Lack(
        f'in the place of the last row, "{excerpt(row.messages)}", its gain would have been {gain:.3g}, and that '
        f"one's is {needed:.3g}",
        evidence,
    )
