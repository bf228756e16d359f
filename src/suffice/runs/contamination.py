"""Whether a base knows the test by heart: its questions completed, and fresh questions of the same family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from suffice.common.errors import UserError
from suffice.common.progress import Reporter
from suffice.data.examples import read_examples
from suffice.data.target import TargetItem
from suffice.evaluation import random_calculation
from suffice.evaluation.completion import Completions, complete
from suffice.models import LanguageModel

LAB = "lab"


@dataclass(frozen=True)
class Sides:
    """What is held against what.

    Attributes:
        test: Test items.
        fresh: Items that a model cannot have seen; none where nothing fresh was asked for.
        notes: What was left out, in words.
    """

    test: list[TargetItem]
    fresh: list[TargetItem]
    notes: tuple[str, ...] = ()

    @property
    def named(self) -> dict[str, list[TargetItem]]:
        """The sides that have items, by name."""
        return {"test": self.test} | ({"fresh": self.fresh} if self.fresh else {})


def sides_of(
    fresh: str, target: Sequence[TargetItem], test: Sequence[TargetItem], *, items: int | None, seed: int
) -> Sides:
    """Returns the test items to complete, and fresh ones.

    Args:
        fresh: Where fresh items come from: ``lab`` (as many of each family), ``random-calculation`` (as many), a file
            with prompt and answer, or nothing.
        target: All items of the target, which fresh ones must not be.
        test: Those of them that judge.
        items: How many of each family; `None` for all.
        seed: Of what is made.

    Raises:
        UserError: The lab has no such families or too few problems, or the file is bad or holds an item of the target.
    """
    asked = first_of(test, items)
    if not fresh:
        return Sides(asked, [])
    if fresh == random_calculation.NAME:
        return Sides(asked, random_calculation.random_calculations(len(asked), seed))
    if fresh == LAB:
        return _of_the_lab(target, asked, seed)
    read = read_examples(fresh)
    found = [replace(item, cluster=item.cluster or words_of(item)) for item in read.items]
    known = {words_of(item) for item in target}
    for item in found:
        if words_of(item) in known:
            raise UserError(
                f"{fresh}: the fresh question '{item.id}' is in the target too", "take it out of the file"
            )
    notes = [f"Left out: {fresh}, line {row.line}: {row.message}." for row in read.rejected]
    return Sides(asked, first_of(found, items), tuple(notes))


def first_of(items: Sequence[TargetItem], count: int | None) -> list[TargetItem]:
    """Returns the first ``count`` items of each family."""
    seen: Counter[str] = Counter()
    kept = []
    for item in items:
        seen[item.task] += 1
        if count is None or seen[item.task] <= count:
            kept.append(item)
    return kept


def completed(
    model: LanguageModel, sides: Mapping[str, Sequence[TargetItem]], fraction: float, reporter: Reporter
) -> dict[str, Completions]:
    """Returns what a model makes of the beginnings of the questions of each side, such as ``test`` and ``fresh``."""
    total = sum(len(items) for items in sides.values())
    with reporter.track("complete", total, "questions") as task:
        return {name: complete(model, items, fraction, task.advance) for name, items in sides.items()}


def rows_of(sides: Mapping[str, Completions]) -> list[dict[str, Any]]:
    """Returns a row for each question: its side, item, beginning, rest, what was written, and how alike it is."""
    return [{"set": name} | asdict(row) for name, found in sides.items() for row in found.rows]


def words_of(item: TargetItem) -> str:
    """Returns what an item asks, letter case and blanks aside."""
    return " ".join(" ".join(str(turn["content"]).split()).casefold() for turn in item.messages)


def _of_the_lab(target: Sequence[TargetItem], asked: Sequence[TargetItem], seed: int) -> Sides:
    """Returns the sides with fresh problems of the lab; families that have too few of them are in neither."""
    from suffice.lab.families import FAMILIES
    from suffice.lab.target import fresh_rows
    from suffice.lab.world import build_world

    counts = Counter(item.task for item in asked)
    strange = next((task for task in counts if task not in FAMILIES), None)
    if strange is not None:
        raise UserError(
            f"the target's task '{strange}' is no family of the lab",
            "give a file of fresh questions, or random-calculation",
        )
    rows = fresh_rows(build_world(), dict(counts), {item.cluster for item in target}, seed)
    found = Counter(row["task"] for row in rows)
    few = [task for task, count in counts.items() if found[task] < count]
    if len(few) == len(counts):
        raise UserError(
            f"the lab has too few problems of {', '.join(few)} beyond those of the target",
            "ask for fewer items, or give a target of other families",
        )
    note = f"Left out: {', '.join(few)}, of which the lab has too few problems beyond those of the target."
    return Sides(
        [item for item in asked if item.task not in few],
        [_item(row) for row in rows if row["task"] not in few],
        (note,) if few else (),
    )


def _item(row: dict[str, Any]) -> TargetItem:
    prompt = ({"role": "user", "content": row["prompt"]},)
    return TargetItem(row["id"], prompt, row["answer"], row["task"], "test", row["cluster"])
