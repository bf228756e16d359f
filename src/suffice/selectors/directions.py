"""The rows' vectors as selectors look at them: by direction alone, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.vectors import BLOCK, Vectors
from suffice.selectors.protocol import SelectionRequest


class Directions:
    """The rows' vectors, each scaled to norm 1 when it is read, so that their products are cosines.

    Args:
        request: What is asked for.
        selector: The selector's name, for the error.

    Attributes:
        usable: Which rows have a vector, neither missing nor zero [rows].
        width: The vectors' dimensions.

    Raises:
        UserError: The scores hold no vectors.
    """

    def __init__(self, request: SelectionRequest, selector: str) -> None:
        if request.scores.vectors is None:
            raise UserError(
                f"the selector '{selector}' looks at the rows' vectors, and these scores hold none",
                "score with --scorer sentence or embedding",
            )
        self._vectors = np.asarray(request.scores.vectors)
        self.width = self._vectors.shape[1]
        norms = np.concatenate([np.linalg.norm(self._vectors[rows], axis=1) for rows in self.blocks()])
        self.usable = np.isfinite(norms) & (norms > 0)
        self._scale = np.divide(1, norms, out=np.zeros_like(norms), where=self.usable)

    def __len__(self) -> int:
        return len(self._vectors)

    def blocks(self) -> Iterator[slice]:
        """Yields the rows in blocks."""
        for top in range(0, len(self._vectors), BLOCK):
            yield slice(top, min(top + BLOCK, len(self._vectors)))

    def take(self, rows: Sequence[int] | NDArray[np.integer] | slice) -> Vectors:
        """Returns the directions of some rows [rows, `width`]; zero or NaN where there is none."""
        taken: Vectors = self._vectors[rows] * self._scale[rows, None]
        return taken

    def dots(self, rows: slice, others: Vectors) -> NDArray[np.float32]:
        """Returns the products of a block's directions with other vectors [rows, others]; 0 for rows without one."""
        products: NDArray[np.float32] = (self._vectors[rows] @ others.T) * self._scale[rows, None]
        products[~self.usable[rows]] = 0
        return products

    def mean(self) -> Vectors:
        """Returns the mean direction of the usable rows [`width`]."""
        total = np.zeros(self.width)
        for rows in self.blocks():
            total += self.take(rows)[self.usable[rows]].sum(axis=0, dtype=np.float64)
        mean: Vectors = (total / max(1, int(self.usable.sum()))).astype(np.float32)
        return mean


def nearest_before(chosen: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns for each direction the most alike of those before it, and their cosine; -1 and 0 for the first.

    Args:
        chosen: Directions in the order of the choice [chosen, width].
    """
    nearest, cosines = np.full(len(chosen), -1), np.zeros(len(chosen), np.float32)
    for top in range(0, len(chosen), BLOCK):
        block = chosen[top : top + BLOCK]
        products = block @ chosen[: top + len(block)].T
        later = np.arange(products.shape[1]) >= np.arange(top, top + len(block))[:, None]
        products[later] = -np.inf
        nearest[top : top + len(block)] = products.argmax(axis=1)
        cosines[top : top + len(block)] = products.max(axis=1)
    if len(chosen):
        nearest[0], cosines[0] = -1, 0
    return nearest, cosines
