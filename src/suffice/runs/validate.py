"""Do scores foretell what training on the rows does? ``suffice score … --validate``.

The model is trained on random halves of a sample of the pool; the linear datamodeling score tells how well the sums of
a scorer's scores over each half rank the losses of the target's dev answers, beside those of scorers that cost little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common import registry
from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.files import write_json
from suffice.common.progress import Reporter
from suffice.proof.datamodel import Datamodeling, foretold, linear_datamodeling_score
from suffice.runs.cost import duration, worker_count
from suffice.runs.folder import RunFolder
from suffice.runs.retraining import Course, Retraining
from suffice.runs.scored import read_scored
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.target import Target
    from suffice.models import ModelSource
    from suffice.training import SFTSettings

YARDSTICKS = ("bm25", "length", "embedding", "random")
Confirm = Callable[[str], bool]
Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Validation:
    """How scores are validated.

    Attributes:
        training: How the model is trained on each half.
        rows: Rows of the pool, drawn at random, of which the halves are made; all where there are fewer.
        subsets: Halves.
        seeds: Trainings of each half.
    """

    training: SFTSettings
    rows: int = 512
    subsets: int = 64
    seeds: int = 2


def validate(
    name: str,
    scores: Scores,
    pool: Pool,
    context: ScoringContext,
    source: ModelSource,
    settings: Validation,
    *,
    out: Path,
    confirm: Confirm,
) -> dict[str, Any] | None:
    """Trains on random halves, and compares a scorer with the cheap ones.

    What the trainings will take is measured by doing the first of them, which is kept, and told before the others.

    Args:
        name: The scorer's name.
        scores: Its scores of the pool.
        pool: The pool.
        context: What scorers are given; its target's dev examples are what is measured.
        source: The model that is trained.
        settings: How to validate.
        out: Gets ``validation.json``. Trainings are kept in the folder of the context.
        confirm: Called with the cost in words; the trainings are done where it returns true.

    Returns:
        What ``validation.json`` holds; `None` where it was not confirmed.

    Raises:
        UserError: There is no target with dev examples, or the trainings cannot be done.
    """
    target = context.target
    if target is None or not target.dev:
        raise UserError(
            "scores are validated on the answers of dev examples, and there are none",
            "give --target FILE with dev rows, or --dev FILE",
        )
    rows = sorted(Draws(context.seed, "validation").sample(range(len(pool)), min(settings.rows, len(pool))))
    sample = pool.take(rows)
    course = Course(sample, target, source, settings.training, settings.subsets, settings.seeds, context.seed)
    retraining = Retraining(course, context.folder)
    if not _confirmed(retraining, context.workers, confirm):
        return None
    retraining.run(context.workers, context.reporter)
    tables = {name: _table(scores)[rows]}
    for other in YARDSTICKS:
        if other not in tables:
            scorer = registry.load("scorers", other)()
            tables[other] = _table(scorer.score(sample, replace(context, target=target)))
    told = compare(tables, course, retraining.losses(), target, name)
    about = {"scorer": name, "rows": len(rows), "subsets": settings.subsets, "seeds": settings.seeds}
    how = asdict(settings.training) | {"betas": list(settings.training.betas)}
    found = {**about, "training": how, **told}
    write_json(out / "validation.json", found)
    return found


def validate_scored(
    out: Path,
    source: ModelSource,
    settings: Validation,
    *,
    jobs: int | None,
    reporter: Reporter,
    confirm: Confirm,
) -> dict[str, Any] | None:
    """Validates what ``suffice score`` left in a folder; see `validate`.

    Args:
        out: The folder.
        source: The model that is trained.
        settings: How to validate.
        jobs: Worker processes.
        reporter: Where progress is told.
        confirm: See `validate`.
    """
    folder = RunFolder(out)
    with folder.locked():
        scored = read_scored(folder)
        model = source.load()
        workers, seed = worker_count(model, jobs), int(scored.about["seed"])
        context = ScoringContext(folder.cache, model, scored.target, reporter, seed, workers)
        return validate(
            scored.about["scorer"],
            scored.scores,
            scored.pool,
            context,
            source,
            settings,
            out=out,
            confirm=confirm,
        )


def _confirmed(retraining: Retraining, workers: int, confirm: Confirm) -> bool:
    """Measures a training, tells what the others will take, and asks."""
    if not retraining.left:
        return True
    seconds = retraining.first()
    left = retraining.left
    side = min(workers, left) or 1
    return not left or confirm(
        f"Cost: {left:,} more trainings on {len(retraining.course.pool) // 2:,} rows, {seconds:.1f} s each as the first took, "
        f"{side} at a time: about {duration(seconds * left / side)}."
    )


def _table(scores: Scores) -> NDArray[np.float32]:
    """Returns a score for each row and dev example where there is one, else for each row."""
    return scores.values if scores.affinity is None else scores.affinity


def compare(
    tables: dict[str, NDArray[np.float32]], course: Course, losses: Losses, target: Target, name: str
) -> dict[str, Any]:
    """Returns the linear datamodeling scores, by dev example and by family, as JSON values.

    Args:
        tables: For each method the scores of the course's rows, [rows, dev examples] or [rows].
        course: The trainings.
        losses: What came of them, [seeds, dev examples, subsets].
        target: The target.
        name: The method that the others are held against.
    """
    halves = course.halves()
    tasks = [item.task for item in target.dev]
    families = list(dict.fromkeys(tasks))
    member = np.array([[task == family for task in tasks] for family in families], dtype=np.float64)
    member /= member.sum(axis=1, keepdims=True)
    each = {method: foretold(table, halves) for method, table in tables.items()}
    joined = {method: member @ table if len(table) > 1 else table for method, table in each.items()}
    by_item = linear_datamodeling_score(each, -losses, yardstick=name, seed=course.seed)
    by_family = linear_datamodeling_score(
        joined, -np.einsum("fd,sdn->sfn", member, losses), yardstick=name, seed=course.seed
    )
    return {
        "by_example": _as_json(by_item, None),
        "by_family": _as_json(by_family, families),
        "sentence": _sentence(by_item),
    }


def _as_json(found: Datamodeling, targets: list[str] | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "scores": {method: asdict(one) for method, one in found.scores.items()},
        "differences": {method: asdict(one) for method, one in found.differences.items()},
        "reliability": found.reliability,
    }
    if targets:
        told["targets"] = {
            method: dict(zip(targets, each, strict=True)) for method, each in found.by_target.items()
        }
    return told


def _sentence(found: Datamodeling) -> str:
    """Returns in words which methods the scorer is told apart from."""
    own = found.scores[found.yardstick]
    better = [method for method, one in found.differences.items() if one.low > 0]
    worse = [method for method, one in found.differences.items() if one.high < 0]
    level = [method for method in found.differences if method not in (*better, *worse)]
    parts = [
        f"foretells retraining {words} {', '.join(methods)}"
        for words, methods in (
            ("better than", better),
            ("worse than", worse),
            ("neither better nor worse than", level),
        )
        if methods
    ]
    return (
        f"{found.yardstick}: linear datamodeling score {own.value:.3f} (95 %: {own.low:.3f} to {own.high:.3f}); it "
        f"{'; '.join(parts)}."
    )
