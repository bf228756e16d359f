"""What a target asks, indexed for finding rows of a pool that ask or say the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suffice.data.example import Message
from suffice.data.sets import Ids, Sets, alike
from suffice.data.target import TargetItem
from suffice.data.words import WordHashes, distinct, hash_words, runs, wholes

RUN = 13  # words in a row that tell a passage; a shorter prompt is matched whole
NEAR = 0.8  # Jaccard similarity of prompts that ask nearly the same
SHINGLE = 3  # words in a row that prompts are compared by


class Hits(NamedTuple):
    """Runs of words of some texts that items have too.

    Attributes:
        texts: The text of each.
        starts: The word it starts at.
        numbers: Which run of the index it is.
    """

    texts: Ids
    starts: Ids
    numbers: Ids


def questions(messages: Sequence[Message]) -> list[str]:
    """Returns what the user says, turn by turn."""
    return [turn["content"] for turn in messages if turn["role"] == "user"]


class Asked:
    """An index of the prompts of items: whole, as sets, and as runs of words.

    Args:
        items: The items.
    """

    def __init__(self, items: Sequence[TargetItem]) -> None:
        prompts = [questions(item.messages) for item in items]
        self.turns = max(map(len, prompts), default=0)
        hashed = hash_words(["\n".join(turns) for turns in prompts])
        self._wholes = _postings(zip(wholes(hashed).tolist(), range(len(items)), strict=True))
        self._wholes.pop(0, None)  # prompts without a word
        self._sets, self._prefixes, self._prefix_items = _near_index(hashed)
        owners = np.repeat(np.arange(len(prompts)), [len(turns) for turns in prompts])
        found = runs(hash_words(list(chain.from_iterable(prompts)), signs=False), RUN)
        owners = np.repeat(owners, np.diff(found.offsets))
        self.run_values, number = np.unique(found.values, return_inverse=True)
        self._run_items = _postings(zip(number.tolist(), owners.tolist(), strict=True))

    def items_of(self, run: int) -> list[int]:
        """Returns the items that have a run of the index."""
        return self._run_items[run]

    def whole(self, hashed: WordHashes) -> Iterator[tuple[int, int]]:
        """Yields each text that is an item's prompt, word for word, with the item."""
        for text, value in enumerate(wholes(hashed).tolist()):
            for item in self._wholes.get(value, ()):
                yield text, item

    def shared_runs(self, hashed: WordHashes) -> Hits:
        """Returns the runs of `RUN` words that texts, hashed without signs, share with items, by text and start."""
        own = runs(hashed, RUN)
        places, numbers = _found(own.values, self.run_values)
        texts = np.searchsorted(own.offsets, places, side="right") - 1
        return Hits(texts, places - own.offsets[texts], numbers)

    def near(self, hashed: WordHashes) -> Iterator[tuple[int, int, float]]:
        """Yields each text that asks nearly what an item asks, with the item and their similarity.

        Exact, for prompts of `RUN` words or more: where the similarity is s or more, the text has s of the item's
        runs or more, and so one of any choice of the others and one more (the prefix filter of Chaudhuri, Ganti
        and Kaushik 2006). The rarest are chosen.
        """
        hashes, offsets = distinct(runs(hashed, SHINGLE, whole=True))
        places, numbers = _found(hashes, self._prefixes)
        texts = np.searchsorted(offsets, places, side="right") - 1
        items = [self._prefix_items[number] for number in numbers.tolist()]
        pairs = {(text, item) for text, own in zip(texts.tolist(), items, strict=True) for item in own}
        if not pairs:
            return
        rows, others = np.array(sorted(pairs)).T
        for found, similarity in alike(Sets(hashes, np.diff(offsets)), rows, self._sets, others, NEAR):
            yield from zip(rows[found].tolist(), others[found].tolist(), similarity.tolist(), strict=True)


def _postings(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Returns the different second numbers of each first one, in order."""
    found: dict[int, dict[int, None]] = {}
    for one, other in pairs:
        found.setdefault(one, {})[other] = None
    return {one: list(others) for one, others in found.items()}


def _found(values: NDArray[np.generic], index: NDArray[np.generic]) -> tuple[Ids, Ids]:
    """Returns the places of the values that a rising index holds, and where it does."""
    if not len(index):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    numbers = np.minimum(np.searchsorted(index, values), len(index) - 1)
    places = np.flatnonzero(index[numbers] == values)
    return places, numbers[places]


def _near_index(hashed: WordHashes) -> tuple[Sets, NDArray[np.int32], list[list[int]]]:
    """Returns the prompts as sets, the rarest hashes of each that has `RUN` words, and the prompts of each hash."""
    hashes, offsets = distinct(runs(hashed, SHINGLE, whole=True))
    values, number, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    long = np.flatnonzero(np.diff(hashed.offsets) >= RUN)
    chosen: list[tuple[int, int]] = []
    for item in long.tolist():
        own = number[offsets[item] : offsets[item + 1]]
        rarest = own[np.argsort(counts[own], kind="stable")]
        needed = len(own) - int(np.ceil((NEAR - 1e-6) * len(own))) + 1
        chosen += [(int(values[one]), item) for one in rarest[:needed]]
    postings = dict(sorted(_postings(chosen).items()))
    return Sets(hashes, np.diff(offsets)), np.array(list(postings), np.int32), list(postings.values())
