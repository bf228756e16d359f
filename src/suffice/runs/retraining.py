"""Training on random halves of a pool, many times: what the scores of its rows should foretell.

Each training is done by a worker and leaves one small file with the losses of the target's dev answers; the
weights are dropped. An interrupted series goes on with the trainings whose files are missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.scale.local import Workers

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.target import Target, TargetItem
    from suffice.models import LanguageModel, ModelSource
    from suffice.training import SFTSettings

TOKEN_BUDGET = {"cpu": 4096, "cuda": 32_768}
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Course:
    """A series of trainings.

    Attributes:
        pool: The rows of which each half is drawn.
        target: Its dev examples' answers are what is measured.
        source: The model that every training begins with.
        training: How to train.
        subsets: How many halves.
        seeds: How many trainings of each half.
        seed: Decides the halves; training ``i`` of a half has the seed ``seed`` + ``i``.
    """

    pool: Pool
    target: Target
    source: ModelSource
    training: SFTSettings
    subsets: int = 64
    seeds: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.pool) < 4 or self.subsets < 3 or self.seeds < 1:
            raise UserError(
                f"{self.subsets} halves of {len(self.pool)} rows and {self.seeds} seeds are too few to tell anything",
                "give 4 rows, 3 halves and 1 seed at the least",
            )

    def halves(self) -> NDArray[np.bool_]:
        """Returns whether each subset holds each row, [subsets, rows]: a random half of the rows, rounded down."""
        held = np.zeros((self.subsets, len(self.pool)), dtype=bool)
        for i, row in enumerate(held):
            row[Draws(self.seed, "half", i).sample(range(len(row)), len(row) // 2)] = True
        return held


@dataclass(frozen=True)
class _Job:
    """One training: what a worker has to know, and the file that tells what came of it."""

    source: ModelSource
    pool: Pool
    dev: Sequence[TargetItem]
    training: SFTSettings
    seed: int
    file: Path


class Retraining:
    """A series of trainings on the disk.

    Args:
        course: The series.
        folder: Where its files are kept, in a folder that bears a hash of what decides them.
    """

    def __init__(self, course: Course, folder: Path) -> None:
        from suffice.models.loading import model_fingerprint

        self.course = course
        source = course.source
        about = [
            model_fingerprint(source.spec, source.chat_template),
            source.device,
            source.dtype,
            course.pool.ids,
            course.target.fingerprint,
            course.training.as_json(),
            course.seed,
        ]
        self.folder = folder / f"halves-{digest(about)[:16]}"

    @property
    def left(self) -> int:
        """How many trainings are still to be done."""
        return len(self._todo())

    def first(self) -> float:
        """Does the first training that is left, in this process, and returns its seconds of wall time."""
        from suffice.models.batching import torch_threads

        started = time.monotonic()
        with torch_threads(1):  # as in a worker
            train_half(self._job(*self._todo()[0]), lambda _: None)
        return time.monotonic() - started

    def run(self, workers: int, reporter: Reporter) -> None:
        """Does the trainings that are left, in workers of one thread.

        Raises:
            UserError: A half has no row that can be trained on, or a training diverged.
        """
        todo = [self._job(*place) for place in self._todo()]
        total = self.course.subsets * self.course.seeds
        with reporter.track("retrain", total, "trainings") as task:
            task.advance(total - len(todo))
            if todo:
                with Workers(min(workers, len(todo))) as crew:
                    crew.map(train_half, todo, on_progress=task.advance)
            task.result(f"{total:,} trainings on halves of {len(self.course.pool):,} rows")

    def losses(self) -> NDArray[np.float64]:
        """Returns the mean loss of each dev answer in nats a token, [seeds, dev examples, subsets].

        Raises:
            UserError: A training is not done, or its file does not hold what it should.
        """
        course = self.course
        found = np.empty((course.seeds, len(course.target.dev), course.subsets))
        for subset in range(course.subsets):
            for seed in range(course.seeds):
                path = self._file(subset, seed)
                try:
                    found[seed, :, subset] = read_json(path)["losses"]
                except (OSError, ValueError, TypeError, KeyError) as error:
                    raise UserError(
                        f"{path} does not tell the losses of a training", "remove it and run again"
                    ) from error
        return found

    def _todo(self) -> list[tuple[int, int]]:
        places = [
            (subset, seed) for subset in range(self.course.subsets) for seed in range(self.course.seeds)
        ]
        return [place for place in places if not self._file(*place).is_file()]

    def _file(self, subset: int, seed: int) -> Path:
        return self.folder / f"half-{subset:04}-seed-{seed}.json"

    def _job(self, subset: int, seed: int) -> _Job:
        course = self.course
        rows = np.flatnonzero(course.halves()[subset]).tolist()
        where = self._file(subset, seed)
        return _Job(
            course.source,
            course.pool.take(rows),
            course.target.dev,
            course.training,
            course.seed + seed,
            where,
        )


def train_half(job: _Job, report: Advance) -> None:
    """Trains on one half and writes the losses of the dev answers."""
    from suffice.training import train_sft

    model = job.source.load()
    job.file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=job.file.parent) as scratch:
        trained = train_sft(model, list(job.pool), job.training, seed=job.seed, out=Path(scratch))
    losses = answer_losses(model, job.dev)
    write_json(job.file, {"losses": losses, "seconds": trained.seconds, "training_loss": trained.final_loss})
    report(1)


def answer_losses(model: LanguageModel, items: Sequence[TargetItem]) -> list[float]:
    """Returns the mean loss of the tokens of each item's answer, in nats.

    Raises:
        UserError: The chat template refuses an item, it has no answer, or it is longer than the window.
    """
    from suffice.models.batching import torch_threads
    from suffice.models.losses import answer_passage, token_losses

    passages = []
    for item, row in zip(
        items, model.chat.encode_many([(item.conversation, None) for item in items]), strict=True
    ):
        passage = answer_passage(row) if row and len(row.ids) <= model.window else None
        if not passage or not passage.places:
            raise UserError(
                f"the dev example '{item.id}' has no answer within the model's window that its template takes",
                "mend it or take it out of the target",
            )
        passages.append([passage])
    with torch_threads(1):
        found = token_losses(model, passages, TOKEN_BUDGET[model.device])
    return [float(losses.mean(dtype=np.float64)) for (losses,) in found]
