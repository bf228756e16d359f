"""What ``suffice score --validate`` asks and tells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.common.progress import Reporter
    from suffice.models import ModelSource


@dataclass(frozen=True, slots=True)
class Training:
    """How ``--validate`` trains.

    Attributes:
        learning_rate: The peak; `None` for that of full training or of LoRA.
        epochs: Passes over a half.
        batch_size: Rows of an optimiser step.
        lora: LoRA adapters instead of all weights.
    """

    learning_rate: float | None
    epochs: float
    batch_size: int
    lora: bool


def validated(
    out: Path,
    source: ModelSource,
    training: Training,
    rows: int,
    halves: int,
    jobs: int | None,
    progress: Reporter,
    *,
    yes: bool,
) -> dict[str, Any] | None:
    """Validates what was scored into ``out``; see `suffice.runs.validate.validate_scored`."""
    from suffice.runs.validate import Validation, validate_scored
    from suffice.training import LoRA, SFTSettings

    how = SFTSettings(
        training.learning_rate or (2e-4 if training.lora else 1e-5),
        epochs=training.epochs,
        batch_size=training.batch_size,
        warmup_ratio=0.03,
        lora=LoRA() if training.lora else None,
    )
    settings, confirm = Validation(how, rows, halves), confirmation(yes=yes)
    return validate_scored(out, source, settings, jobs=jobs, reporter=progress, confirm=confirm)


def confirmation(*, yes: bool) -> Callable[[str], bool]:
    """Returns what tells a cost on standard error and asks whether to go on.

    Args:
        yes: Whether the answer is given already.
    """

    def confirm(cost: str) -> bool:
        typer.echo(cost, err=True)
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UserError(
                f"nobody is there to confirm the trainings. {cost}", "give --yes; the first is kept"
            )
        return typer.confirm("Go on?", err=True)

    return confirm


def tell(found: dict[str, Any]) -> None:
    """Writes linear datamodeling scores and the scorer's differences to the others to standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("scorer", "score", "95 %", "difference", "95 %", "by family"):
        table.add_column(name, justify="left" if name == "scorer" else "right", no_wrap=True)
    part, families = found["by_example"], found["by_family"]["scores"]
    for name, one in part["scores"].items():
        other = part["differences"].get(name)
        apart = [f"{other['value']:+.3f}", _ends(other, "+.3f")] if other else ["", ""]
        table.add_row(
            name, f"{one['value']:.3f}", _ends(one, ".3f"), *apart, f"{families[name]['value']:.3f}"
        )
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print()
    console.print(found["sentence"], soft_wrap=True)


def _ends(one: dict[str, float], form: str) -> str:
    return f"{one['low']:{form}} to {one['high']:{form}}"
