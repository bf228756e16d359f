"""Pools and targets made in code."""

from __future__ import annotations

from suffice.data.example import Example, Message, content_id
from suffice.data.pool import Pool
from suffice.data.target import Target, TargetItem

WORDS = [
    "river",
    "stone",
    "apple",
    "Paris",
    "two",
    "three",
    "Answer:",
    "5",
    "dog",
    "ten",
    "story",
    "born",
    "1871",
]


def chat(question: str, answer: str) -> tuple[Message, ...]:
    return ({"role": "user", "content": question}, {"role": "assistant", "content": answer})


def make_example(messages: tuple[Message, ...], line: int) -> Example:
    return Example(content_id(messages), messages, None, "made", None, "made.jsonl", line)


def make_pool(count: int) -> Pool:
    """Rows of one to 30 words, each different."""
    rows = []
    for i in range(count):
        words = [WORDS[(i * 7 + k * k) % len(WORDS)] for k in range(1 + i * 11 % 30)]
        rows.append(make_example(chat(f"Row {i} {' '.join(words[::2])}", " ".join(words)), i + 1))
    return Pool.from_examples(rows)


def make_target(tasks: list[str]) -> Target:
    """One dev example for each task named, ``d0``, ``d1`` and so on, and one test item."""
    items = [
        TargetItem(f"d{i}", chat(f"What is {i}?", "")[:1], f"It is {i}.", task, "dev", f"d{i}")
        for i, task in enumerate(tasks)
    ]
    test = TargetItem("t0", chat("What is not?", "")[:1], "It is.", tasks[0], "test", "t0")
    return Target((test, *items))
