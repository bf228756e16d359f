"""The run folder: where each stage's results lie, which stages are current, and who may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.runs.recipe import Recipe, read_recipe

STAGES = ("pool", "score", "select", "train", "evaluate", "prove", "report")


class RunFolder:
    """One run on disk.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe_file = path / "recipe.yaml"
        self.plan = path / "plan.json"
        self.pool = path / "pool.parquet"
        self.rejected = path / "rejected.jsonl"
        self.target = path / "target.parquet"
        self.scores = path / "scores.parquet"
        self.scoring = path / "scoring.json"
        self.suspects = path / "suspects.jsonl"
        self.selection = path / "selection.jsonl"
        self.curve = path / "curve.json"
        self.arms = path / "arms"
        self.outcomes = path / "outcomes.parquet"
        self.verdict = path / "verdict.json"
        self.report = path / "report.html"
        self.figures = path / "figures"
        self.manifest = path / "manifest.json"
        self.cache = path / "cache"

    def scores_by(self, scorer: str) -> Path:
        """Returns where the scores of another scorer than the selection's lie."""
        return self.path / f"scores-{scorer}.parquet"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process.

        Raises:
            UserError: Another process works in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise UserError(
                f"the folder {self.path} cannot be made: {error.strerror}", "choose another --out"
            ) from error
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"another process is working in {self.path}", "wait until it ends, or choose another --out"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def adopt(self, recipe: Recipe) -> None:
        """Takes a recipe for this folder, or checks that it is the one the folder was begun with.

        While not even the pool has been read, as after a mistyped file name, nothing is lost by another.

        Raises:
            UserError: The folder belongs to another recipe.
        """
        if self.recipe_file.exists():
            differences = read_recipe(self.recipe_file).differences(recipe)
            if differences and not self.stamp("pool"):
                self.plan.unlink(missing_ok=True)
            elif differences:
                raise UserError(
                    f"{self.path} holds a run of another recipe: {'; '.join(differences[:3])}",
                    "choose a new --out",
                )
        elif self.path.is_dir() and any(p.name != ".lock" for p in self.path.iterdir()):
            raise UserError(f"{self.path} is not empty and holds no run", "choose a new --out")
        recipe.write(self.recipe_file)

    def recipe(self) -> Recipe:
        """Returns the recipe of the folder.

        Raises:
            UserError: The folder holds no run.
        """
        if not self.recipe_file.exists():
            raise UserError(
                f"{self.path} holds no run", "begin one with: suffice run lima … --out " + str(self.path)
            )
        return read_recipe(self.recipe_file)

    def stamp(self, stage: str) -> dict[str, Any] | None:
        """Returns what a finished stage left: ``key``, ``seconds`` and its summary."""
        path = self.path / "stages" / f"{stage}.json"
        return read_json(path) if path.exists() else None

    def finish(self, stage: str, key: str, seconds: float, **summary: Any) -> None:
        """Marks a stage as finished for the inputs and settings that ``key`` stands for."""
        write_json(
            self.path / "stages" / f"{stage}.json", {"key": key, "seconds": round(seconds, 3), **summary}
        )
