"""The bench that gates work on: jobs in worker processes, each result kept in a file so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from suffice.common.draws import Draws
from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.lab.measure.reading import Scored
from suffice.lab.measure.tuned import Asked, Rows, Training
from suffice.lab.pool import PoolName, labelled_rows
from suffice.lab.target import target_rows
from suffice.lab.world import World, build_world
from suffice.models.loading import model_fingerprint
from suffice.scale.local import Workers

QUICK_BATCH = 16  # rows of a training step
VERSION = 1  # of the jobs: raise it when one of them measures otherwise


class Job(Protocol):
    """A piece of work that a worker process can do; a dataclass whose fields say all about it."""

    @property
    def model(self) -> str:
        """The folder of the model."""

    def run(self) -> dict[str, Any]:
        """Does the work and returns what it found, in JSON's types."""


@dataclass
class Bench:
    """What every gate is given.

    Attributes:
        base: The folder of the base.
        folder: Where results are kept.
        workers: The worker processes.
        reporter: Where to report.
        quick: One seed, fewer items, half the rows in a training step of a fixed number of steps, a sixteenth of the
            whole pool, and fewer budgets and stages.
    """

    base: Path
    folder: Path
    workers: Workers
    reporter: Reporter
    quick: bool = False

    @cached_property
    def world(self) -> World:
        """The world that the base learned."""
        return build_world()

    @property
    def seeds(self) -> range:
        """The training seeds."""
        return range(1 if self.quick else 3)

    @property
    def items(self) -> int:
        """Test items of each family."""
        return 33 if self.quick else 100

    @property
    def test(self) -> Rows:
        """The test items of every family."""
        return _test_items(self.items)

    def good(self, count: int, seed: int, pool: PoolName = "plain") -> Rows:
        """Returns good rows of a pool, drawn anew for every seed: the oracle's choice."""
        rows = {row["messages"][0]["content"]: row for style, row in _usable(pool) if style == "target"}
        return tuple(Draws(seed, "good", pool).sample(list(rows.values()), count))

    def random(self, count: int, seed: int, pool: PoolName = "plain") -> Rows:
        """Returns rows of a pool drawn at random."""
        return tuple(row for _, row in Draws(seed, "random", pool).sample(_usable(pool), count))

    def whole(self, pool: PoolName = "plain") -> Rows:
        """Returns all rows of a pool that can be trained on."""
        return tuple(row for _, row in _usable(pool))

    def asked(self, name: str, training: Sequence[Training], opening: str = "") -> Scored:
        """Trains one arm, a run for each entry, and returns its scores on the test items (see `Asked`)."""
        return Scored.gather(self.run(name, self._asking(training, opening)))

    def asked_all(self, name: str, arms: Mapping[str, Sequence[Training]]) -> dict[str, Scored]:
        """Returns what `asked` returns, for several arms whose runs are done side by side, the first arm's first."""
        found = self.run_all(name, {arm: self._asking(training) for arm, training in arms.items()})
        return {arm: Scored.gather(results) for arm, results in found.items()}

    def _asking(self, training: Sequence[Training], opening: str = "") -> list[Asked]:
        runs = [replace(run, batch=QUICK_BATCH) if self.quick and run.steps else run for run in training]
        return [Asked(str(self.base), run, self.test, opening) for run in runs]

    def run_all(self, name: str, arms: Mapping[str, Sequence[Job]]) -> dict[str, list[dict[str, Any]]]:
        """Does the jobs of several arms side by side, and returns the results of each (see `run`)."""
        results = iter(self.run(name, [job for jobs in arms.values() for job in jobs]))
        return {arm: list(islice(results, len(jobs))) for arm, jobs in arms.items()}

    def run(self, name: str, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Does the jobs that have no result yet, side by side, and returns the results in order."""
        paths = [self.folder / f"{self._key(job)}.json" for job in jobs]
        missing = {path: job for path, job in zip(paths, jobs, strict=True) if not path.exists()}
        todo = list(missing.items())
        with self.reporter.track(name, len(todo), "jobs") as task:

            def keep(index: int, result: dict[str, Any]) -> None:
                write_json(todo[index][0], result)
                task.advance()

            self.workers.map(_perform, [job for _, job in todo], on_result=keep)
            task.result(f"{len(todo)} jobs, {len(jobs) - len(todo)} kept from before")
        return [read_json(path) for path in paths]

    def _key(self, job: Job) -> str:
        fields = {key: value for key, value in asdict(job).items() if key != "model"}  # type: ignore[call-overload]
        return digest([VERSION, type(job).__name__, model_fingerprint(job.model), fields])[:24]


@cache
def _usable(pool: PoolName) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Returns the rows of a pool that can be trained on, each after its style."""
    rows = labelled_rows(build_world(), name=pool)
    return tuple((style, row) for style, row in rows if style != "malformed")


@cache
def _test_items(count: int) -> Rows:
    return tuple(row for row in target_rows(build_world(), count) if row["split"] == "test")


def _perform(job: Job) -> dict[str, Any]:
    return job.run()
