"""The chosen row that a row is most like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suffice.data.twins.exact import said
from suffice.data.words import words
from suffice.runs.made_choice import MadeChoice


@dataclass(frozen=True)
class Likeness:
    """How a chosen row is like another row.

    Attributes:
        index: The chosen row.
        turn: Its place in the selection, from 1.
        measure: ``cosine`` of vectors, or ``words``: the share of words that both have, of those that one has.
        value: How alike they are.
    """

    index: int
    turn: int
    measure: str
    value: float


def likeness(made: MadeChoice, index: int) -> Likeness | None:
    """Returns the chosen row most like a row, of equals the first chosen; `None` where there is no other.

    Vectors are compared where there are some, those that the choice was made by first; words where there are none.
    """
    others = [
        (turn, choice.index) for turn, choice in enumerate(made.choices or (), 1) if choice.index != index
    ]
    if not others:
        return None
    rows = [row for _, row in others]
    measure, found = "cosine", _cosines(made, index, rows)
    if found is None:
        measure, found = "words", _shared(made, index, rows)
    best = int(found.argmax())
    return Likeness(rows[best], others[best][0], measure, float(found[best]))


def _cosines(made: MadeChoice, index: int, rows: list[int]) -> NDArray[np.float64] | None:
    """Returns the cosines of a row's vector and others; `None` where it has none."""
    scored = [made.scores] if made.scores is not None else []
    for scores in [*scored, *made.others.values()]:
        if scores.vectors is None:
            continue
        own = np.asarray(scores.vectors[index], np.float64)
        others = np.asarray(scores.vectors[rows], np.float64)
        norms = np.linalg.norm(others, axis=1) * np.linalg.norm(own)
        if norms[norms > 0].size:
            cosines: NDArray[np.float64] = np.divide(
                others @ own, norms, out=np.full(len(rows), -1.0), where=norms > 0
            )
            return cosines
    return None


def _shared(made: MadeChoice, index: int, rows: list[int]) -> NDArray[np.float64]:
    own = set(words(said(made.pool[index])))
    others = [set(words(said(made.pool[row]))) for row in rows]
    return np.array([len(own & other) / max(1, len(own | other)) for other in others])
