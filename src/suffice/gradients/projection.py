"""Random projections whose every number is a hash of the seed, a block's name and a place.

A gradient is a sequence of named blocks (one for each weight). Each block is projected by itself and added to
the features, so that the projection of a block is the same whatever else is projected, on a CPU, on a GPU and
however the work is split. All projections P are unbiased: E <Px, Py> = <x, y>.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from suffice.common.draws import stream_key

_GOLDEN = 0x9E3779B97F4A7C15
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
_BLOCK = 2**20  # the most numbers of a dense matrix that are there at one time


def _signed(value: int) -> int:
    """Returns the 64 bits of ``value`` as torch's int64 writes them."""
    return (value + 2**63) % 2**64 - 2**63


def bits(key: int, start: int, stop: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Returns the draws ``start`` to ``stop`` of a stream of `suffice.common.draws` as int64 [stop - start].

    Args:
        key: The stream's `stream_key`.
        start: The first draw, from 0.
        stop: The draw after the last.
        device: Where they are made; integer arithmetic gives the same everywhere.
    """
    z = torch.arange(start + 1, stop + 1, dtype=torch.int64, device=device) * _signed(_GOLDEN) + _signed(key)
    for shift, factor in _MIX:
        z = (z ^ ((z >> shift) & ((1 << (64 - shift)) - 1))) * _signed(factor)
    return z


def signs(key: int, start: int, stop: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Returns the random signs ``start`` to ``stop`` of a stream, 64 from each draw, as int8 [stop - start]."""
    first = start // 64
    words = bits(key, first, -(-stop // 64), device)
    places = torch.arange(64, dtype=torch.int64, device=device)
    flat = (((words[:, None] >> places) & 1) * 2 - 1).to(torch.int8).flatten()
    return flat[start - 64 * first : stop - 64 * first]


class Projection(Protocol):
    """Projects blocks of gradients to ``size`` numbers."""

    size: int

    def add(self, features: torch.Tensor, block: str, values: torch.Tensor) -> None:
        """Adds a block's share to features.

        Args:
            features: The features so far, float32 [rows, size]; changed in place.
            block: The block's name.
            values: The block, flattened [rows, numbers].
        """


class Dense:
    """The dense Rademacher matrix of LESS, with entries ± 1 / sqrt(size).

    2 x numbers x size operations a row: the reference, and for small gradients. A column's signs are draws
    that follow each other, so it does not matter into how many blocks of columns the matrix is cut.

    Args:
        size: How many numbers there are after the projection.
        seed: The seed.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed

    def add(self, features: torch.Tensor, block: str, values: torch.Tensor) -> None:
        """Adds a block's share; see `Projection`."""
        columns = max(_BLOCK // self.size, 1)
        for start in range(0, values.shape[1], columns):
            part = values[:, start : start + columns]
            matrix = self.matrix(block, start, start + part.shape[1], features.device)
            features += part.float() @ matrix.T

    def matrix(self, block: str, start: int, stop: int, device: torch.device | str = "cpu") -> torch.Tensor:
        """Returns the columns ``start`` to ``stop`` of a block's matrix, float32 [size, stop - start]."""
        key = stream_key(self.seed, "dense", block)
        drawn = signs(key, start * self.size, stop * self.size, device)
        return drawn.view(stop - start, self.size).T / math.sqrt(self.size)


class Sketch:
    """A CountSketch (Charikar, Chen and Farach-Colton 2002) whose buckets are rotations.

    A block is cut into pieces of ``size`` numbers; each number gets a random sign, each piece is rotated by a
    random shift, and the pieces are added up. Two numbers of one piece never meet, any other two with a
    probability of 1 / size, and signs are independent, which is all that the CountSketch's variance rests
    on: at most 2 |x|² |y|² / size. There is no table of buckets, nothing is scattered, and the order of
    sums is fixed, on a GPU too.

    Args:
        size: How many numbers there are after the projection.
        seed: The seed.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self._drawn: dict[tuple[str, int, torch.device], tuple[torch.Tensor, list[int]]] = {}

    def add(self, features: torch.Tensor, block: str, values: torch.Tensor) -> None:
        """Adds a block's share; see `Projection`."""
        _add_rotated(features, values.float(), *self.draws(block, values.shape[1], features.device))

    def matrix(self, block: str, numbers: int) -> torch.Tensor:
        """Returns a block's matrix, float32 [size, numbers], for comparison."""
        features = torch.zeros(numbers, self.size)
        self.add(features, block, torch.eye(numbers))
        return features.T

    def draws(self, block: str, numbers: int, device: torch.device | str) -> tuple[torch.Tensor, list[int]]:
        """Returns a block's signs, float32 [numbers], and the shifts of its pieces; drawn once."""
        place = (block, numbers, torch.device(device))
        if place not in self._drawn:
            drawn = signs(stream_key(self.seed, "sketch signs", block), 0, numbers, device).float()
            words = bits(stream_key(self.seed, "sketch shifts", block), 0, -(-numbers // self.size))
            shifts = [((word % 2**64) * self.size) >> 64 for word in words.tolist()]
            self._drawn[place] = drawn, shifts
        return self._drawn[place]


def side(
    name: str, numbers: int, size: int, seed: int, device: torch.device | str = "cpu"
) -> torch.Tensor | None:
    """Returns the matrix of one side of a weight's gradient, that of a `Sketch`.

    With one such matrix for the inputs and one for the outputs, P_out G P_in^T is a Kronecker projection of
    the gradient G, computed from projected inputs and projected output gradients alone.

    Args:
        name: What is projected.
        numbers: How many numbers there are before.
        size: How many there are after.
        seed: The seed.
        device: Where the matrix is made.

    Returns:
        A matrix [size, numbers] with one 1 or -1 a column; `None` where projecting would not make it smaller.
    """
    if size >= numbers:
        return None
    factors, shifts = Sketch(size, seed).draws(f"side {name}", numbers, device)
    columns = torch.arange(numbers, device=device)
    places = (columns + torch.tensor(shifts, device=device)[columns // size]) % size
    matrix = torch.zeros(size, numbers, device=device)
    matrix[places, columns] = factors
    return matrix


def multiplier(matrix: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns what multiplies values [..., numbers] with the transpose of a side's matrix [size, numbers].

    On a CPU a matrix that is still a sketch's, its columns scaled or not, is a sum of rotated pieces, which takes
    a half to a third of the time of the product.
    """
    size, numbers = matrix.shape
    factors, places = matrix.sum(dim=0), matrix.abs().argmax(dim=0)
    columns, shifts = torch.arange(numbers, device=matrix.device), places[::size]
    one_a_column = bool(((matrix != 0).sum(dim=0) == 1).all())
    rotated = torch.equal(places, (columns + shifts[columns // size]) % size)
    if matrix.device.type != "cpu" or matrix.dtype != torch.float32 or not (one_a_column and rotated):
        return lambda values: values @ matrix.T
    turns: list[int] = shifts.tolist()

    def multiply(values: torch.Tensor) -> torch.Tensor:
        made = values.new_zeros(*values.shape[:-1], size)
        _add_rotated(made, values, factors, turns)
        return made

    return multiply


def _add_rotated(
    made: torch.Tensor, values: torch.Tensor, factors: torch.Tensor, shifts: Sequence[int]
) -> None:
    """Adds to ``made`` [..., size] the pieces of values [..., numbers] times factors, each rotated by its shift."""
    size, numbers = made.shape[-1], values.shape[-1]
    for start, shift in zip(range(0, numbers, size), shifts, strict=True):
        stop = min(start + size, numbers)
        turn = min(start + size - shift, stop)  # what comes after goes round to the front
        made[..., shift : shift + turn - start].addcmul_(values[..., start:turn], factors[start:turn])
        made[..., : stop - turn].addcmul_(values[..., turn:stop], factors[turn:stop])
