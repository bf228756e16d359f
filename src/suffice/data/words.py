"""Words of a text and hashes of runs of them: what near twins and leakage compare.

A text is folded (compatibility forms and letter case make no difference) and cut into words: runs of letters,
marks and digits; every sign such as ``+`` or ``€``, and every character of a script that is written without
blanks, is a word by itself. Punctuation of prose, blanks and control characters only part words, so that
``5 + 3`` and ``5 - 3`` differ while ``Hello, world!`` and ``hello world`` do not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_PROSE = "\"'(),.:;?[]`{}!"
_BLANK, _WORD, _SIGN = 0, 1, 2
# Scripts written without blanks between words: Thai to Tibetan, Myanmar, Khmer, kana and bopomofo, Han.
_UNSPACED = (
    (0x0E00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x312F),
    (0x31A0, 0x31FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_PRIME = 0x9E3779B97F4A7C15
_INVERSE = pow(_PRIME, -1, 2**64)
_ROW = 4096  # powers that are multiplied at once
_MIX = (
    (30, 0xBF58476D1CE4E5B9),
    (27, 0x94D049BB133111EB),
)  # the finaliser of SplitMix64 (Steele et al. 2014)


def _classes() -> NDArray[np.uint8]:
    """Returns what each byte of a folded text is; bytes of characters beyond ASCII are parts of words."""
    kinds = np.full(256, _WORD, np.uint8)
    for code in range(128):
        letter = chr(code)
        if not letter.isalnum():
            kinds[code] = _BLANK if letter.isspace() or not letter.isprintable() else _SIGN
    kinds[[ord(letter) for letter in _PROSE]] = _BLANK
    return kinds


_CLASSES = _classes()
_NO_SIGNS = np.where(_CLASSES == _SIGN, np.uint8(_BLANK), _CLASSES)


class _Fold(dict[int, str | int]):
    """What becomes of a character beyond ASCII, looked up once each."""

    def __missing__(self, code: int) -> str | int:
        letter, kind = chr(code), unicodedata.category(chr(code))
        if code < 128 or kind[0] in "LMN":
            unspaced = any(low <= code <= high for low, high in _UNSPACED)
            self[code] = f" {letter} " if unspaced else letter
        elif kind[0] == "S":
            self[code] = f" {letter} "
        else:
            self[code] = "" if kind == "Cf" else " "
        return self[code]


_FOLD = _Fold()


def fold(text: str) -> str:
    """Returns a text without regard to compatibility forms, letter case and punctuation beyond ASCII."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold().translate(_FOLD)


@dataclass(frozen=True)
class WordHashes:
    """The words of several texts, as hashes.

    Attributes:
        values: A hash for each word, in order; the same on every machine.
        offsets: Text ``i`` has the words ``offsets[i]`` to ``offsets[i + 1]``.
    """

    values: Hashes
    offsets: Places

    def __len__(self) -> int:
        return len(self.offsets) - 1


def words(text: str, *, signs: bool = True) -> list[str]:
    """Returns the words of a text, folded, signs among them or left out."""
    data, kinds, starts = _cut(_joined([text])[0], _CLASSES if signs else _NO_SIGNS)
    last = kinds == _WORD
    last[:-1] &= kinds[1:] != _WORD
    ends = np.flatnonzero(last | (kinds == _SIGN)) + 1
    return [data[start:end].tobytes().decode() for start, end in zip(starts, ends, strict=True)]


def hash_words(texts: Sequence[str], *, signs: bool = True) -> WordHashes:
    """Cuts texts into words and hashes each: ``Σ (byte + 1) * prime ** place`` modulo 2**64, mixed.

    A byte's place in its word is its place in the whole less that of the word's first byte, so that all bytes are taken
    by their places in the whole and each sum is divided by the power of its first.

    Args:
        texts: The texts.
        signs: Whether signs are words; else they only part words.
    """
    classes = _CLASSES if signs else _NO_SIGNS
    buffer, text_ends = _joined(texts)
    data, _, starts = _cut(buffer, classes)
    offsets = np.concatenate([[0], np.searchsorted(starts, text_ends)]).astype(np.int64)
    if not len(starts):
        return WordHashes(np.empty(0, np.uint64), offsets)
    letters = np.where(classes == _BLANK, np.uint64(0), np.arange(1, 257, dtype=np.uint64))
    sums = np.add.reduceat(letters[data] * _powers(_PRIME, len(data)), starts)
    return WordHashes(mixed(sums * _powers(_INVERSE, len(data))[starts]), offsets)


def _joined(texts: Sequence[str]) -> tuple[bytes, Places]:
    """Returns the folded texts as one, a blank after each, and where each ends."""
    folded = [fold(text).encode("utf-8", "replace") for text in texts]
    lengths = np.fromiter(map(len, folded), np.int64, len(folded)) + 1
    return b" ".join([*folded, b""]), np.cumsum(lengths)


def _cut(buffer: bytes, classes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Places]:
    """Returns the bytes, what each is, and where each word starts."""
    data = np.frombuffer(buffer, np.uint8)
    kinds = classes.take(data)
    starts = kinds == _WORD
    starts[1:] &= kinds[:-1] != _WORD
    starts |= kinds == _SIGN
    return data, kinds, np.flatnonzero(starts)


def mixed(values: Hashes) -> Hashes:
    """Returns hashes whose bits all depend on all bits (SplitMix64's finaliser)."""
    values = values.copy()
    for shift, factor in _MIX:
        values ^= values >> np.uint64(shift)
        values *= np.uint64(factor)
    values ^= values >> np.uint64(31)
    return values


def runs(hashed: WordHashes, size: int, *, whole: bool = False) -> WordHashes:
    """Returns the hashes of all runs of ``size`` words within a text, by where they start.

    Args:
        hashed: The words.
        size: Words in a run.
        whole: Whether a text of fewer words (but not of none) has one run, that of all its words.
    """
    lengths = np.diff(hashed.offsets)
    counts = np.maximum(lengths - size + 1, 0)
    total = len(hashed.values)
    values = np.zeros(max(total - size + 1, 0), np.uint64)
    for place in range(size if len(values) else 0):
        values *= np.uint64(_PRIME)
        values += hashed.values[place : place + len(values)]
    short = np.flatnonzero((lengths > 0) & (lengths < size)) if whole else np.empty(0, np.int64)
    counts[short] = 1
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    starts = np.repeat(hashed.offsets[:-1] - offsets[:-1], counts) + np.arange(offsets[-1])
    chosen = np.zeros(len(starts), np.uint64)
    long = np.repeat(lengths >= size, counts)
    chosen[long] = values[starts[long]]
    chosen[~long] = wholes(hashed)[short]
    return WordHashes(mixed(chosen), offsets)


def wholes(hashed: WordHashes) -> Hashes:
    """Returns a hash of all words of each text, in order; 0 for a text without words."""
    lengths = np.diff(hashed.offsets)
    found = np.zeros(len(hashed), np.uint64)
    if len(hashed.values):
        places = np.arange(len(hashed.values)) - np.repeat(hashed.offsets[:-1], lengths)
        starts = hashed.offsets[:-1][lengths > 0]
        found[lengths > 0] = np.add.reduceat(hashed.values * _powers(_PRIME, lengths.max())[places], starts)
    return found


def _powers(base: int, count: int) -> Hashes:
    """Returns the first powers of a number modulo 2**64, from power 0."""
    low = _cumulated(base, _ROW)
    high = _cumulated(pow(base, _ROW, 2**64), count // _ROW + 1)
    powers: Hashes = (high[:, None] * low).ravel()[
        :count
    ]  # many times as fast as one product after the other
    return powers


@lru_cache(maxsize=8)
def _cumulated(base: int, count: int) -> Hashes:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return powers.cumprod(dtype=np.uint64)


def distinct(hashed: WordHashes) -> tuple[NDArray[np.int32], Places]:
    """Returns the different hashes of each text as 31-bit numbers in rising order, and their offsets."""
    owners = np.repeat(np.arange(len(hashed), dtype=np.uint64), np.diff(hashed.offsets))
    keys = (owners << np.uint64(31)) | (hashed.values >> np.uint64(33))
    keys.sort()
    keys = keys[np.diff(keys, prepend=np.uint64(2**63)) != 0]
    counts = np.bincount((keys >> np.uint64(31)).astype(np.int64), minlength=len(hashed))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return (keys & np.uint64(2**31 - 1)).astype(np.int32), offsets
