"""Seeded draws that are the same on every machine and Python version.

The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014) used as a counter: draw ``i`` of a stream is a hash of (key, i), and a stream's key is a hash
of the seed and of the stream's name. Streams need not be drawn in order, so work can be split freely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def stream_key(seed: int, *names: str | int) -> int:
    """Returns the 64-bit key of a stream; its draw ``i`` (from 0) hashes key + (i + 1) x the golden ratio."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Draws:
    """A stream of random draws, named by a seed and any number of names.

    Args:
        seed: The seed.
        names: What the stream is for; streams with other names are independent.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int, *names: str | int) -> None:
        self._state = stream_key(seed, *names)

    def bits(self) -> int:
        """Returns 64 random bits as an integer."""
        self._state = z = (self._state + _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, bound: int) -> int:
        """Returns an integer from 0 to ``bound`` - 1 (multiply-shift; the bias is below ``bound`` / 2**64)."""
        return (self.bits() * bound) >> 64

    def between(self, low: int, high: int) -> int:
        """Returns an integer from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """Returns true with the given probability."""
        return (self.bits() >> 11) < probability * (1 << 53)

    def choice(self, items: Sequence[T]) -> T:
        """Returns one of ``items``."""
        return items[self.below(len(items))]

    def weighted(self, weights: dict[str, float]) -> str:
        """Returns a key of ``weights``, each with a probability in proportion to its weight."""
        left = (self.bits() >> 11) / (1 << 53) * sum(weights.values())
        for name, weight in weights.items():
            left -= weight
            if left < 0:
                return name
        return name

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Returns ``items`` in random order (Fisher-Yates)."""
        return self.sample(items, len(items))

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Returns ``count`` different ``items`` in random order (a Fisher-Yates shuffle stopped early)."""
        pool = list(items)
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
