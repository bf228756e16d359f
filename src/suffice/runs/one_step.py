"""Whether suspects really hurt: one step of training on each, against one step on random rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.target import Target, TargetItem
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.intervals import Interval, difference_interval, mean_interval
from suffice.runs.folder import RunFolder
from suffice.runs.suspects import influence_on_target, worst
from suffice.scorers.protocol import Scores
from suffice.selectors.protocol import excerpt

if TYPE_CHECKING:
    from suffice.models import LanguageModel, ModelSource


@dataclass(frozen=True)
class StepCheck:
    """What one step of training on suspects did, against one step on random rows; losses in nats.

    Attributes:
        suspects: How many suspects were tried.
        random: How many random rows.
        split: Which items' losses were measured: ``dev`` or ``test``.
        items: How many.
        by_suspects: The mean change of the loss by a step on a suspect.
        by_random: By a step on a random row.
        difference: The first less the second.
    """

    suspects: int
    random: int
    split: str
    items: int
    by_suspects: Interval
    by_random: Interval
    difference: Interval

    @property
    def sentence(self) -> str:
        """What was found, in one line."""
        if self.difference.above(0):
            found = "they hurt more than random rows"
        elif self.difference.below(0):
            found = "they hurt less than random rows"
        else:
            found = "not told apart from random rows"
        return (
            f"one step on each of {self.suspects} suspects changes the loss of {self.items} {self.split} items by "
            f"{_words(self.by_suspects)}, on each of {self.random} random rows by {_words(self.by_random)}: "
            f"difference {_words(self.difference)}; {found}"
        )


def check_by_one_step(
    model: LanguageModel,
    pool: Pool,
    target: Target,
    suspects: Sequence[int],
    *,
    count: int,
    items: int,
    seed: int,
    reporter: Reporter,
) -> list[StepCheck]:
    """Makes one step of training on each of some suspects and of as many random rows, and measures the target's loss.

    Dev items are what told the suspects; test items, which told nothing, say whether it holds beyond them. The
    intervals count rows and items, clusters of items as one.

    Args:
        model: The model, whose network is as before in the end.
        pool: The pool.
        target: The target.
        suspects: Places of suspects, most negative first.
        count: How many suspects to try.
        items: How many items of a split to measure at the most, the same number of each family.
        seed: Decides the random rows.
        reporter: Where progress is told.

    Raises:
        UserError: Fewer than two suspects or random rows can be trained on.
    """
    from suffice.gradients.one_step import changes_by_one_step
    from suffice.gradients.rows import encode
    from suffice.models.losses import Passage

    def trainable(places: Sequence[int]) -> list[Passage]:
        rows = encode(model, [(pool[i].messages, pool[i].tools) for i in places])
        return [row for row in rows if isinstance(row, Passage)][:count]

    shuffled = Draws(seed, "one-step check").sample(range(len(pool)), min(len(pool), 4 * count))
    bad, drawn = trainable(suspects), trainable(shuffled)
    if min(len(bad), len(drawn)) < 2:
        raise UserError(
            f"{len(bad)} suspects and {len(drawn)} random rows can be trained on, and it takes two of each",
            "look at suspects.jsonl",
        )
    splits = {name: _some(kept, items) for name, kept in (("dev", target.dev), ("test", target.test)) if kept}
    judged = [item for kept in splits.values() for item in kept]
    passages = encode(model, [(item.conversation, None) for item in judged])
    known = [place for place, passage in enumerate(passages) if isinstance(passage, Passage)]
    with reporter.track("one step", len(bad) + len(drawn), "rows") as task:
        changes = changes_by_one_step(
            model,
            [*bad, *drawn],
            [passage for passage in passages if isinstance(passage, Passage)],
            advance=task.advance,
        )
    found = []
    for split in splits:
        columns = [column for column, place in enumerate(known) if judged[place].split == split]
        if columns:
            clusters = [f"{judged[known[column]].task} {judged[known[column]].cluster}" for column in columns]
            found.append(_compare(changes[:, columns], len(bad), split, clusters))
    return found


def _some(items: Sequence[TargetItem], most: int) -> list[TargetItem]:
    """Returns the first items of each family, no more than ``most`` in all."""
    families = dict.fromkeys(item.task for item in items)
    each = max(1, most // len(families))
    return [item for task in families for item in [one for one in items if one.task == task][:each]]


def _compare(changes: NDArray[np.float64], suspects: int, split: str, clusters: Sequence[str]) -> StepCheck:
    bad = ArmScores("suspects", "method", changes[:suspects], UNBOUNDED)
    drawn = ArmScores("random", "random", changes[suspects:], UNBOUNDED)
    return StepCheck(
        bad.runs,
        drawn.runs,
        split,
        changes.shape[1],
        mean_interval(bad, clusters),
        mean_interval(drawn, clusters),
        difference_interval(bad, drawn, clusters),
    )


def _words(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{found.estimate:+.4f}"
    return f"{found.estimate:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def examine(
    folder: RunFolder,
    count: int,
    *,
    check: int | None,
    items: int,
    source: ModelSource | None,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Returns the worst rows of a folder with scores, and where asked what one step on each does.

    Args:
        folder: A run folder, or one that ``suffice score`` wrote.
        count: How many rows to return.
        check: How many suspects to make a step on; none for no check.
        items: How many dev and how many test items to measure.
        source: The model to make steps with.
        seed: Decides the random rows.
        reporter: Where progress is told.

    Returns:
        ``scored`` and ``below_zero`` (counts of rows), ``suspects`` (``id``, ``influence``, ``prompt``) and ``check``
        (a sentence for each split).

    Raises:
        UserError: The folder has no scores that tell harm, or a check is asked for without a model.
    """
    if not folder.suspects.is_file():
        raise UserError(
            f"{folder.path} holds no suspects", "score with --scorer influence, which tells which rows harm"
        )
    pool, target, scores = Pool.read(folder.pool), Target.read(folder.target), Scores.read(folder.scores)
    values, places = influence_on_target(scores, target), worst(scores, target, len(pool))
    sentences: list[str] = []
    if check:
        if source is None:
            raise UserError("a check makes steps of training, and there is no model", "give --model")
        found = check_by_one_step(
            source.load(), pool, target, places, count=check, items=items, seed=seed, reporter=reporter
        )
        sentences = [one.sentence for one in found]
    return {
        "scored": len(pool) - scores.missing,
        "below_zero": len(places),
        "suspects": [
            {"id": pool.ids[i], "influence": float(values[i]), "prompt": excerpt(pool[i].messages)}
            for i in places[:count]
        ],
        "check": sentences,
    }
