"""Arms brought into line: the same items in the same order, one matrix of scores for each arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.evaluation.logs.arms import LoggedArm
from suffice.evaluation.logs.protocol import LogRow
from suffice.evaluation.logs.rows import short

AGGREGATES_CANNOT = (
    "These are averages of whole runs: they can show how runs vary, but not how much of a difference is the choice of "
    "items, and nothing is paired by item. A difference holds for these items alone."
)
_NAMED = 3  # items and runs that an error names
_SHOWN = 40  # characters of a prompt that an error shows


class Key(NamedTuple):
    """What scores must share to be compared."""

    task: str
    metric: str
    filter: str

    def __str__(self) -> str:
        told = [
            self.task and f"task {self.task!r}",
            f"metric {self.metric!r}",
            self.filter and f"filter {self.filter!r}",
        ]
        return ", ".join(filter(None, told))


@dataclass(frozen=True)
class Aligned:
    """The scores of all arms on one task, metric and filter.

    Attributes:
        task: The task.
        metric: The metric.
        filter: The filter.
        items: The items, the columns of every matrix, in the order of the first arm's log.
        clusters: The cluster of each item.
        lower_is_better: Whether lower scores are better; not so where no log says.
        arms: The scores of each arm ``[runs, items]``, samples averaged.
        runs: The names of each arm's runs, the rows of its matrix.
        draws: The draw of rows that each run was trained on; empty where the log does not say.
        warnings: What makes the comparison weaker than it looks, each one sentence.
        aggregates: Whether a score is the average of a whole run; then ``items`` is one empty name.
        prompts: What each item asks, in the first arm's first run; empty where the log does not say.
        answers: The reference of each item, likewise.
        replies: What each arm wrote for each item, in its first run and sample.
    """

    task: str
    metric: str
    filter: str
    items: list[str]
    clusters: list[str]
    lower_is_better: bool
    arms: dict[str, NDArray[np.float64]]
    runs: dict[str, list[str]]
    draws: dict[str, list[str]]
    warnings: list[str]
    aggregates: bool
    prompts: list[str]
    answers: list[str]
    replies: dict[str, list[str]]


def align(arms: Sequence[LoggedArm]) -> list[Aligned]:
    """Returns one comparison for each task, metric and filter that all arms have.

    Args:
        arms: Two arms or more, from `suffice.evaluation.logs.arms.load_arms`.

    Raises:
        UserError: There are fewer than two arms, they share nothing, their runs do not hold the same items, one
            holds averages and another items, or they disagree on a cluster or on which direction is better.
    """
    if len(arms) < 2:
        raise UserError(
            "there is one arm" if arms else "there is no arm", "give two logs or more: suffice compare A B"
        )
    kinds = {arm.name: all(log.aggregates for log in arm.logs) for arm in arms}
    if len({log.aggregates for arm in arms for log in arm.logs}) > 1:
        told = ", ".join(f"'{name}' holds {'averages' if kind else 'items'}" for name, kind in kinds.items())
        raise UserError(f"averages of runs cannot be compared with items: {told}", "give logs of one kind")
    grouped = [_by_key(arm) for arm in arms]
    shared = [key for key in grouped[0] if all(key in group for group in grouped)]
    if not shared:
        told = "; ".join(
            f"'{arm.name}' has {_few([str(key) for key in group])}"
            for arm, group in zip(arms, grouped, strict=True)
        )
        raise UserError(
            f"the arms share no task, metric and filter: {told}",
            "give logs of the same evaluation, scored alike",
        )
    return [_one(key, arms, [group[key] for group in grouped]) for key in shared]


def not_shared(arms: Sequence[LoggedArm]) -> list[str]:
    """Returns a sentence for each task, metric and filter that some run has and another lacks: it is not compared."""
    held: dict[tuple[str, str], set[Key]] = {(arm.name, run): set() for arm in arms for run in arm.runs}
    for arm in arms:
        for row in arm.rows:
            held[arm.name, row.run].add(_key(row))
    sentences = []
    for key in dict.fromkeys(_key(row) for arm in arms for row in arm.rows):
        lacking = [f"'{arm}' (run {run!r})" for (arm, run), keys in held.items() if key not in keys]
        if lacking:
            sentences.append(f"Not compared, since {_few(lacking)} lacks it: {key}.")
    return sentences


def _key(row: LogRow) -> Key:
    return Key(row.task, row.metric, row.filter)


def _by_key(arm: LoggedArm) -> dict[Key, list[LogRow]]:
    """Returns an arm's rows by what they share, without what is not in every run."""
    groups: dict[Key, list[LogRow]] = defaultdict(list)
    for row in arm.rows:
        groups[_key(row)].append(row)
    return {key: rows for key, rows in groups.items() if len({row.run for row in rows}) == len(arm.runs)}


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _one(key: Key, arms: Sequence[LoggedArm], groups: list[list[LogRow]]) -> Aligned:
    """Brings the rows of one task, metric and filter into line."""
    names = [arm.name for arm in arms]
    aggregates = arms[0].logs[0].aggregates
    unscored = {item for arm in arms for log in arm.logs for item in log.unscored.get(key, [])}
    warnings = [AGGREGATES_CANNOT] if aggregates else []
    if unscored:
        warnings.append(
            f"{len(unscored):,} items have no score in some run and are left out of all: if that depends on the "
            "replies, the comparison leans."
        )
    kept = [[row for row in rows if row.item not in unscored] for rows in groups]
    items = list(dict.fromkeys(row.item for rows in kept for row in rows))
    if not items:
        raise UserError(
            f"{key}: no item has a score in every run", "score the items, or leave the metric out"
        )
    texts = {row.item: row for rows in reversed(kept) for row in reversed(rows)}
    _refuse_other_items(key, arms, kept, items, texts)
    warnings += _differing("prompt", names, kept, len(items)) + _differing("answer", names, kept, len(items))
    cells = [_cells(arm, rows, items) for arm, rows in zip(arms, kept, strict=True)]
    samples = {
        name: (int(counts.min()), int(counts.max())) for name, (_, counts) in zip(names, cells, strict=True)
    }
    warnings += _told_samples(samples)
    return Aligned(
        *key,
        items=items,
        clusters=_clusters(key, kept, items),
        lower_is_better=_lower(key, arms),
        arms={name: means for name, (means, _) in zip(names, cells, strict=True)},
        runs={arm.name: arm.runs for arm in arms},
        draws={arm.name: _draws(arm, rows) for arm, rows in zip(arms, kept, strict=True)},
        warnings=warnings,
        aggregates=aggregates,
        prompts=[texts[item].prompt for item in items],
        answers=[texts[item].answer for item in items],
        replies={name: _replies(rows, items) for name, rows in zip(names, kept, strict=True)},
    )


def _refuse_other_items(
    key: Key,
    arms: Sequence[LoggedArm],
    groups: list[list[LogRow]],
    items: list[str],
    texts: dict[str, LogRow],
) -> None:
    """Refuses runs that do not hold the same items, naming what each lacks."""
    told = []
    for arm, rows in zip(arms, groups, strict=True):
        held: dict[str, set[str]] = {run: set() for run in arm.runs}
        for row in rows:
            held[row.run].add(row.item)
        for run, mine in held.items():
            missing = [_shown(texts[item]) for item in items if item not in mine]
            if missing:
                told.append(
                    f"'{arm.name}' (run {run!r}) lacks {len(missing):,} of {len(items):,}: {_few(missing)}"
                )
    if told:
        more = f"; and so on for {len(told) - _NAMED:,} more runs" if len(told) > _NAMED else ""
        raise UserError(
            f"{key}: the runs do not hold the same items: {'; '.join(told[:_NAMED])}{more}",
            "evaluate every run on the same items, or take the others out of the logs",
        )


def _shown(row: LogRow) -> str:
    """Returns an item's name with the beginning of its prompt."""
    prompt = " ".join(row.prompt.split())
    return short(row.item) + (f" ({prompt[:_SHOWN]}{'…' * (len(prompt) > _SHOWN)})" if prompt else "")


def _differing(
    what: Literal["prompt", "answer"], names: list[str], groups: list[list[LogRow]], total: int
) -> list[str]:
    """Returns a warning for each arm whose texts differ between its runs or from the first arm's."""
    warnings = []
    first: dict[str, str] = {}
    for place, rows in enumerate(groups):
        mine: dict[str, str] = {}
        within = set()
        for row in rows:
            if mine.setdefault(row.item, getattr(row, what)) != getattr(row, what):
                within.add(row.item)
        across = sum(1 for item, text in mine.items() if text and first.get(item, text) not in ("", text))
        for count, where in (
            (len(within), f"the runs of '{names[place]}'"),
            (across, f"'{names[0]}' and '{names[place]}'"),
        ):
            if count:
                warnings.append(f"{count:,} of {total:,} {what}s differ between {where}.")
        first = first or mine
    return warnings


def _cells(
    arm: LoggedArm, rows: list[LogRow], items: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns the mean score and the number of samples of one arm, both ``[runs, items]``."""
    run_of = {run: place for place, run in enumerate(arm.runs)}
    item_of = {item: place for place, item in enumerate(items)}
    cells = np.array([run_of[row.run] * len(items) + item_of[row.item] for row in rows])
    shape = (len(run_of), len(items))
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    sums = np.bincount(cells, weights=[row.score for row in rows], minlength=counts.size).reshape(shape)
    return sums / counts, counts


def _draws(arm: LoggedArm, rows: list[LogRow]) -> list[str]:
    found = {row.run: row.draw for row in rows}
    return [found[run] for run in arm.runs]


def _clusters(key: Key, groups: list[list[LogRow]], items: list[str]) -> list[str]:
    found: dict[str, str] = {}
    for rows in groups:
        for row in rows:
            before = found.setdefault(row.item, row.cluster)
            if before != row.cluster:
                raise UserError(
                    f"{key}: item {short(row.item)} is in cluster {short(before)} and in cluster "
                    f"{short(row.cluster)} (arm '{row.arm}')",
                    "give every item one cluster",
                )
    return [found[item] for item in items]


def _lower(key: Key, arms: Sequence[LoggedArm]) -> bool:
    """Returns whether lower is better, as the logs that say so agree."""
    place = (key.task, key.metric)
    found = {log.lower_is_better[place] for arm in arms for log in arm.logs if place in log.lower_is_better}
    if len(found) > 1:
        raise UserError(
            f"{key}: higher is better in one log and lower in another", "give logs of one version of the task"
        )
    return found == {True}


def _told_samples(samples: dict[str, tuple[int, int]]) -> list[str]:
    """Returns a sentence where items were answered more than once in a run."""
    if all(most == 1 for _, most in samples.values()):
        return []
    told = ", ".join(
        f"'{name}' {least}" + (f" to {most}" if most > least else "")
        for name, (least, most) in samples.items()
    )
    return [f"Answers to one item in one run are averaged and do not count as runs ({told} an item)."]


def _replies(rows: list[LogRow], items: list[str]) -> list[str]:
    first = {row.item: row.reply for row in reversed(rows)}
    return [first[item] for item in items]
