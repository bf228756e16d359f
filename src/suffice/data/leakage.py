"""Leakage: rows of the pool that hold what the target's items ask.

Three ways, the first that applies is told:

- *whole*: the user says an item's prompt, word for word;
- *near*: the user asks nearly the same (Jaccard similarity of 0.8 or more of the runs of three words), where the
  prompt has 13 words or more;
- *run*: any turn of the row has 13 words in a row of the item's prompt, signs not counted (Brown et al., "Language
  models are few-shot learners", arXiv 2005.14165, appendix C, whose limit for common runs is kept too: what more than
  ten different rows of the pool have is a template and does not count).

Words are those of `suffice.data.words`. An item's user turns are compared with the first turns of a row, and a prompt
of one turn with every user turn. Not found are paraphrases, and rows that have an item's reference answer alone, since
what worked answers share is set phrases. One pass over the pool; memory holds the items and the rows found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from suffice.common.progress import Reporter, Silent
from suffice.data.asked import RUN, Asked, questions
from suffice.data.example import Example
from suffice.data.pool import Pool
from suffice.data.rejected import Rejected
from suffice.data.rules import TEST_LEAK, RowError
from suffice.data.splits import Split
from suffice.data.target import Target
from suffice.data.words import hash_words, words

COMMON = 10  # rows that may have a run before it is a template
SPAN = 40  # words of a span that are shown
_BATCH = 512
_ORDER = {"whole": 0, "near": 1, "run": 2}


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that holds what an item asks.

    Attributes:
        row: Its place in the pool.
        item: The item's id.
        split: The item's split.
        how: ``whole``, ``near`` or ``run``.
        span: The words in common, at most `SPAN` of them; of near prompts, the row's.
        size: How many words the span has in all.
        similarity: Of near prompts; else 1.
    """

    row: int
    item: str
    split: Split
    how: Literal["whole", "near", "run"]
    span: str
    size: int
    similarity: float = 1.0

    @property
    def message(self) -> str:
        """What the row does, in words."""
        item = f"the {self.split} item {self.item}"
        match self.how:
            case "whole":
                return f"the row asks what {item} asks: “{self.span}”"
            case "near":
                return (
                    f"the row asks nearly what {item} asks (similarity {self.similarity:.2f}): “{self.span}”"
                )
        return f"the row has {self.size} words in a row of what {item} asks: “{self.span}”"


def find_leaks(pool: Iterable[Example], target: Target) -> Iterator[Leak]:
    """Yields the rows that hold what items of the target ask, each item once for a row, in pool order.

    Args:
        pool: The rows; gone through once.
        target: The items, dev and test.
    """
    search = _Search(target)
    rows = enumerate(pool)
    while batch := list(islice(rows, _BATCH)):
        search.add(batch)
    yield from search.leaks()


class _Search:
    """Goes through the pool: keeps leaks of prompts, and runs in common until it is known how common they are."""

    def __init__(self, target: Target) -> None:
        self._items = target.items
        self._asked = Asked(target.items)
        self._rows = np.zeros(len(self._asked.run_values), np.int64)  # different rows that have each run
        self._runs: dict[int, list[tuple[int, list[str], list[tuple[int, int]]]]] = {}
        self._found: dict[tuple[int, int], Leak] = {}

    def add(self, batch: list[tuple[int, Example]]) -> None:
        """Looks at some rows."""
        units = [(row, text) for row, example in batch for text in self._units(example)]
        hashed = hash_words([text for _, text in units])
        for place, item in self._asked.whole(hashed):
            self._note("whole", units[place], item)
        for place, item, similarity in self._asked.near(hashed):
            self._note("near", units[place], item, similarity)
        self._add_runs(batch)

    def _units(self, example: Example) -> Iterator[str]:
        """Yields each user turn, and the first turns together up to as many as an item has."""
        turns = questions(example.messages)
        yield from dict.fromkeys(turns)
        for count in range(2, min(self._asked.turns, len(turns)) + 1):
            yield "\n".join(turns[:count])

    def _note(
        self, how: Literal["whole", "near"], unit: tuple[int, str], item: int, similarity: float = 1.0
    ) -> None:
        row, text = unit
        span = words(text)
        leak = self._leak(row, item, how, span, similarity)
        before = self._found.get((row, item))
        if not before or (_ORDER[how], -similarity) < (_ORDER[before.how], -before.similarity):
            self._found[row, item] = leak

    def _leak(
        self,
        row: int,
        item: int,
        how: Literal["whole", "near", "run"],
        span: list[str],
        similarity: float = 1.0,
    ) -> Leak:
        shown = " ".join(span[:SPAN]) + (" …" if len(span) > SPAN else "")
        return Leak(row, self._items[item].id, self._items[item].split, how, shown, len(span), similarity)

    def _add_runs(self, batch: list[tuple[int, Example]]) -> None:
        """Counts the runs that rows share with items and keeps those that are not known to be common."""
        turns = [
            (row, example.id, message["content"]) for row, example in batch for message in example.messages
        ]
        hits = self._asked.shared_runs(hash_words([text for _, _, text in turns], signs=False))
        owners = np.array([row for row, _, _ in turns])[hits.texts]
        new = np.array(["-" not in name for _, name, _ in turns], np.bool_)[
            hits.texts
        ]  # no exact twin of a row
        pairs = np.unique(np.stack([owners[new], hits.numbers[new]]), axis=1)
        np.add.at(self._rows, pairs[1], 1)
        for text in np.unique(hits.texts).tolist():
            inside = hits.texts == text
            own = list(zip(hits.starts[inside].tolist(), hits.numbers[inside].tolist(), strict=True))
            kept = [(start, number) for start, number in own if self._rows[number] <= COMMON]
            if kept:
                row, _, content = turns[text]
                last = max(start for start, _ in kept) + RUN
                self._runs.setdefault(row, []).append((text, words(content, signs=False)[:last], kept))

    def leaks(self) -> Iterator[Leak]:
        """Yields what was found, in pool order, then in the order of the items."""
        for row, texts in self._runs.items():
            for item, span in self._spans(texts).items():
                if (row, item) not in self._found:
                    self._found[row, item] = self._leak(row, item, "run", span)
        for key in sorted(self._found):
            yield self._found[key]

    def _spans(self, texts: list[tuple[int, list[str], list[tuple[int, int]]]]) -> dict[int, list[str]]:
        """Returns the longest span that a row has of each item, of runs that are not common."""
        longest: dict[int, list[str]] = {}
        for _, spelt, hits in texts:
            starts: dict[int, list[int]] = {}
            for start, number in hits:
                if self._rows[number] <= COMMON:
                    for item in self._asked.items_of(number):
                        starts.setdefault(item, []).append(start)
            for item, own in starts.items():
                for first, last in _chains(own):
                    if last + RUN - first > len(longest.get(item, ())):
                        longest[item] = spelt[first : last + RUN]
        return longest


def _chains(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Yields the first and the last of each chain of neighbouring numbers."""
    first = last = starts[0]
    for start in starts[1:]:
        if start > last + 1:
            yield first, last
            first = start
        last = start
    yield first, last


class Separated(NamedTuple):
    """A pool apart from the test items of a target.

    Attributes:
        pool: The rows that are left.
        removed: The rows that hold what a test item asks (`TEST_LEAK`), each once.
        dev: How many of the rows left hold what a dev item asks.
    """

    pool: Pool
    removed: list[Rejected]
    dev: int


SILENT = Silent()


def without_test_rows(pool: Pool, target: Target, reporter: Reporter = SILENT) -> Separated:
    """Removes the rows that hold what a test item asks; of those that hold what dev items ask, the number is told.

    Args:
        pool: The rows.
        target: The items; dev items may be asked in the pool, where a targeted choice should find them.
        reporter: Where progress and the number of rows that overlap with dev are told.
    """
    leaks: dict[int, Leak] = {}
    dev = set()
    with reporter.track("leakage", len(pool), "rows") as task:
        for leak in find_leaks(_watched(pool, task.advance), target):
            if leak.split == "dev":
                dev.add(leak.row)
            elif leak.row not in leaks or _ORDER[leak.how] < _ORDER[leaks[leak.row].how]:
                leaks[leak.row] = leak
        stay = len(dev - leaks.keys())
        task.result(_counted(len(leaks), stay))
    if not leaks:
        return Separated(pool, [], stay)
    kept = pool.take([index for index in range(len(pool)) if index not in leaks])
    return Separated(kept, [_rejected(pool[row], leaks[row]) for row in sorted(leaks)], stay)


def _counted(test: int, dev: int) -> str:
    rows = (
        "1 row overlaps with test items and is"
        if test == 1
        else f"{test:,} rows overlap with test items and are"
    )
    stays = "overlaps with dev and stays" if dev == 1 else "overlap with dev and stay"
    return f"{rows} left out; {dev:,} {stays}"


def _watched(pool: Pool, advance: Callable[[float], None]) -> Iterator[Example]:
    for example in pool:
        yield example
        advance(1)


def _rejected(example: Example, leak: Leak) -> Rejected:
    row = {"messages": list(example.messages), "source": example.source}
    return Rejected.from_error(example.file, example.line, RowError(TEST_LEAK, leak.message), row)
