"""``suffice contamination``: whether a model knows the questions of a test by heart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suffice.cli import options

if TYPE_CHECKING:
    from suffice.proof.contamination import Contamination


def contamination(
    model: Annotated[str, typer.Option(help="A folder, a hub id, or lab (lab@50: half-trained).")],
    target: Annotated[str, typer.Option(help="Target file (JSONL).")],
    fresh: Annotated[
        str | None,
        typer.Option(
            help="Questions it cannot have seen: a file with prompt and answer, lab (its families drawn anew), or "
            "random-calculation."
        ),
    ] = None,
    fraction: Annotated[float, typer.Option(help="The share of a question's words that is shown.")] = 0.6,
    items: Annotated[
        int | None, typer.Option(min=1, help="Test items, and fresh ones, of each family.")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, help="Points of difference that must be ruled out to say: not shown.")
    ] = 5.0,
    alpha: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="One minus the level of the intervals.")
    ] = 0.05,
    out: Annotated[
        Path | None, typer.Option("--out", help="JSONL file for what was written, a question a row.")
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell whether a model knows a test by heart: does it write the rest of a question from its beginning?

    The beginning is given as raw text, and the model goes on greedily. What it does on test items is held against
    fresh questions of the same family (--fresh), since questions may be predictable.
    """
    from suffice.cli.output import print_json
    from suffice.common.files import write_jsonl
    from suffice.common.progress import reporter
    from suffice.data.target import read_target
    from suffice.models import load_model
    from suffice.proof.contamination import contamination as held
    from suffice.runs.contamination import completed, rows_of, sides_of

    whole = read_target(target, seed=seed or 0)
    sides = sides_of(fresh or "", whole.items, whole.test, items=items, seed=seed or 0)
    loaded = load_model(model, device=device or "auto", dtype=dtype or "auto")
    written = completed(loaded, sides.named, fraction, reporter(quiet=quiet))
    told = held(
        written["test"],
        written.get("fresh"),
        fraction=fraction,
        alpha=alpha,
        margin=margin,
        left_out=sides.notes,
    )
    if out:
        write_jsonl(out, rows_of(written))
    if json:
        print_json(told.as_json())
        return
    _tell(told, out)


def _tell(told: Contamination, out: Path | None) -> None:
    """Prints the rates of both sides, their differences, the notes and, last, the sentence."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    level = f"{100 * told.level:.4g} %"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("questions", "items", "words", f"word for word, % ({level})", f"ROUGE-L ({level})"):
        table.add_column(name, justify="right" if table.columns else "left", no_wrap=True)
    for name, side in (("test", told.test), ("fresh", told.fresh)):
        if side:
            rates = (
                f"{one.estimate:.1f} ({one.low:.1f} to {one.high:.1f})" for one in (side.exact, side.rouge_l)
            )
            table.add_row(name, f"{side.items:,}", f"{side.words:.1f}", *rates)
    if told.exact and told.rouge_l:
        apart = (
            f"{one.estimate:+.1f} ({one.low:+.1f} to {one.high:+.1f})" for one in (told.exact, told.rouge_l)
        )
        table.add_row("difference", "", "", *apart)
    console.print(table)
    console.print()
    for note in told.notes:
        console.print(f"Note: {note}", style="dim", soft_wrap=True)
    console.print(told.sentence, style="bold", soft_wrap=True)
    if out:
        console.print(f"Written: {out}", soft_wrap=True)
