"""Reading, scoring and selecting: the part of a run that also works alone, as ``suffice select --pool``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.common.files import write_jsonl
from suffice.common.options import make
from suffice.common.progress import Reporter
from suffice.data.leakage import without_test_rows
from suffice.data.pool import ANY, Pool, Terms
from suffice.data.rejected import Rejected
from suffice.data.target import Target
from suffice.runs.reading import read_files
from suffice.scorers.protocol import Scorer, Scores, ScoringContext
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.openings import holds
from suffice.selectors.protocol import Choice, SelectionRequest

if TYPE_CHECKING:
    from suffice.models import LanguageModel


@dataclass(frozen=True)
class Gathered:
    """What came of reading the pool files.

    Attributes:
        pool: The rows that may be chosen.
        rejected: The others.
        read: How many there were in all.
        overlap: How many rows hold what ``test`` items ask (they are rejected) and what ``dev`` items ask (they
            stay); `None` without a target.
    """

    pool: Pool
    rejected: list[Rejected]
    read: int
    overlap: dict[str, int] | None = None

    def write(self, pool_file: Path | None, rejected_file: Path) -> None:
        """Writes the pool (where asked) and the rejected rows, each with its reason."""
        if pool_file:
            self.pool.write(pool_file)
        write_jsonl(rejected_file, (row.as_json() for row in self.rejected))


def gather(
    patterns: Sequence[str], target: Target | None, reporter: Reporter, *, terms: Terms = ANY
) -> Gathered:
    """Reads the pool and removes rows that ask what the target's test items ask.

    Args:
        patterns: Files, folders, globs or ``hf://`` ids.
        target: The target.
        reporter: Where progress is told.
        terms: What is asked of rows.

    Raises:
        UserError: A file is missing, or no row can be used.
    """
    reading = read_files(patterns, reporter, terms=terms)
    pool, rejected = reading.pool, list(reading.rejected)
    read = len(pool) + len(rejected)
    overlap = None
    if target:
        pool, leaked, dev = without_test_rows(pool, target, reporter)
        rejected += leaked
        overlap = {"test": len(leaked), "dev": dev}
        if not len(pool):
            raise UserError(
                f"all {len(leaked)} usable rows of the pool ask what the test items ask",
                "give a pool that is not the target itself",
            )
    return Gathered(pool, rejected, read, overlap)


def score(
    name: str,
    pool: Pool,
    *,
    model: LanguageModel | None,
    target: Target | None,
    folder: Path,
    reporter: Reporter,
    seed: int = 0,
    workers: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Scores:
    """Scores a pool with the scorer of a name and its options.

    Raises:
        UserError: No such scorer or option, or it lacks a model or a target.
    """
    check_dev(name, target)
    scorer: Scorer = make("scorers", name, options)
    context = ScoringContext(
        folder=folder,
        model=model,
        target=target,
        reporter=reporter,
        seed=seed,
        workers=workers,
    )
    return scorer.score(pool, context)


def check_dev(scorer: str, target: Target | None) -> None:
    """Refuses a scorer that compares rows to dev examples where there are none.

    Raises:
        UserError: There are none, or there is no such scorer.
    """
    if registry.load("scorers", scorer).needs_target and (target is None or not target.dev):
        raise UserError(
            f"the scorer '{scorer}' compares rows to dev examples, and there are none",
            "give --target FILE with dev rows, or --dev FILE",
        )


def needs_model(scorer: str) -> bool:
    """Tells whether a scorer cannot work without a model."""
    return bool(registry.load("scorers", scorer).needs_model)


def default_selector(scorer: str) -> str:
    """Returns the selector that suits a scorer."""
    return str(registry.load("scorers", scorer).default_selector)


def select(
    scorer: str,
    selector: str | None,
    pool: Pool,
    scores: Scores,
    budget: int,
    *,
    target: Target | None,
    seed: int = 0,
    constraints: Constraints = NONE,
) -> list[Choice]:
    """Chooses ``budget`` rows with a selector, by default the scorer's own.

    Raises:
        UserError: No such selector, the budget is larger than what can be chosen from, or the constraints cannot be
            met.
    """
    check_budget(budget, pool)
    name = selector or default_selector(scorer)
    request = SelectionRequest(
        pool=pool, scores=scores, budget=budget, seed=seed, target=target, constraints=constraints
    )
    choices: list[Choice] = registry.load("selectors", name)().select(request)
    if not holds([choice.index for choice in choices], pool, constraints):
        raise UserError(
            f"the selector '{name}' does not hold to constraints",
            "choose another selector, or leave them out",
        )
    return choices


def check_budget(budget: int, pool: Pool) -> None:
    """Refuses a budget that the pool cannot fill.

    Raises:
        UserError: The budget is larger than the pool.
    """
    if budget > len(pool):
        raise UserError(
            f"the budget of {budget:,} rows is larger than the pool of {len(pool):,} usable rows",
            f"give --budget {len(pool)} or less",
        )


def counts(gathered: Gathered, chosen: int) -> dict[str, Any]:
    """Returns how many rows were read, and what became of them; chosen + unchosen + rejected = read."""
    return {
        "read": gathered.read,
        "chosen": chosen,
        "unchosen": len(gathered.pool) - chosen,
        "rejected": len(gathered.rejected),
    }
