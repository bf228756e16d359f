"""Leakage: rows of the pool that ask what the target's test items ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from suffice.data.conversation import normalise
from suffice.data.example import Example, Message
from suffice.data.pool import Pool
from suffice.data.rejected import Rejected
from suffice.data.rules import TEST_LEAK, RowError
from suffice.data.splits import Split
from suffice.data.target import Target, TargetItem


def overlap(pool: Pool, target: Target) -> list[tuple[int, str, Split]]:
    """Finds the rows that ask what an item of the target asks.

    Compared is what the user says, without regard to letter case and blanks: an item's user turns with the
    first turns of a row, and a prompt of one turn with every single user turn of a row. Near-duplicates and
    paraphrases are not found.

    Args:
        pool: The rows.
        target: The items, dev and test.

    Returns:
        Place in the pool, id of the item and its split, in pool order.
    """
    asked: dict[str, list[TargetItem]] = {}
    for item in target.items:
        asked.setdefault("\n".join(_questions(item.messages)), []).append(item)
    longest = max((len(_questions(item.messages)) for item in target.items), default=0)
    found = []
    for index, example in enumerate(pool):
        items = {item.id: item for key in _keys(example, longest) for item in asked.get(key, ())}
        found += [(index, item.id, item.split) for item in items.values()]
    return found


def _questions(messages: Sequence[Message]) -> list[str]:
    return [normalise(turn["content"]) for turn in messages if turn["role"] == "user"]


def _keys(example: Example, longest: int) -> Iterator[str]:
    """Yields each user turn, and the first turns together up to ``longest`` of them."""
    turns = _questions(example.messages)
    yield from dict.fromkeys(turns)
    for count in range(2, min(longest, len(turns)) + 1):
        yield "\n".join(turns[:count])


def without_test_rows(pool: Pool, target: Target) -> tuple[Pool, list[Rejected]]:
    """Removes the rows that ask what a test item asks.

    Args:
        pool: The rows.
        target: The items; dev items may be asked in the pool.

    Returns:
        The pool that is left, and the rows removed (`TEST_LEAK`), each once.
    """
    leaks: dict[int, str] = {}
    for index, item, split in overlap(pool, target):
        if split == "test":
            leaks.setdefault(index, item)
    if not leaks:
        return pool, []
    kept = pool.take([index for index in range(len(pool)) if index not in leaks])
    return kept, [_leak(pool[index], item) for index, item in leaks.items()]


def _leak(example: Example, item: str) -> Rejected:
    error = RowError(TEST_LEAK, f"the row asks what the test item {item} asks")
    row = {"messages": list(example.messages), "source": example.source}
    return Rejected.from_error(example.file, example.line, error, row)
