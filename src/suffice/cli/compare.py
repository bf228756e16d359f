"""``suffice compare``: the statistics alone, on evaluation logs of other tools."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suffice.cli import options
from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.proof.compare.contrast import Contrast
    from suffice.proof.compare.logged import LogComparison

SENTENCES = 6  # contrasts that are told in words as well

Specs = Annotated[
    list[str],
    typer.Argument(
        metavar="LOG…",
        help="PATH, or NAME=PATH,PATH for several runs of one arm; the first is the reference.",
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(help="Columns of a CSV or JSONL, such as item=id,score=acc,run=seed,draw=draw,arm=model."),
]
Task = Annotated[str, typer.Option(help="Compare this task alone.")]
Metric = Annotated[str, typer.Option(help="Compare this metric alone.")]
Filter = Annotated[str, typer.Option(help="Compare this filter alone.")]


def compare(
    logs: Specs,
    columns: Columns = None,
    task: Task = "",
    metric: Metric = "",
    filter: Filter = "",
    margin: Annotated[
        float, typer.Option(help="Non-inferiority margin in the logs' unit; 0 asks for a difference.")
    ] = 0.0,
    alpha: Annotated[float, typer.Option(help="The chance of any false claim.")] = 0.05,
    lower_is_better: Annotated[
        bool | None,
        typer.Option("--lower-is-better/--higher-is-better", help="By default what the logs say."),
    ] = None,
    bounds: Annotated[
        str | None,
        typer.Option(help="The least and the greatest score there can be, such as 1,10; 0 and 1 are known."),
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(
            help="Planned numbers of items at which two models are judged, such as 200,500,1000; the logs hold one."
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(help="Write the items to this JSONL, texts side by side, those that differ most first."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare models or methods from the logs of lm-evaluation-harness, inspect-ai, AlpacaEval, CSV or JSONL.

    One run an arm compares two models over their items; three runs or more compare methods, over items and runs.
    """
    from suffice.cli.output import print_json
    from suffice.proof.compare.logged import Filters, compare_logs

    found = compare_logs(
        logs,
        parse(columns),
        filters=Filters(task, metric, filter),
        margin=margin,
        alpha=alpha,
        lower_is_better=lower_is_better,
        bounds=_bounds(bounds),
        looks=_looks(looks),
    )
    if items:
        from suffice.evaluation.logs.items import write_items

        write_items(items, found.aligned)
    if json:
        print_json(
            {
                "comparisons": [one.as_json() for one in found.contrasts],
                "spreads": found.spreads,
                "new_draws": found.new_draws,
                "notes": found.notes,
            }
        )
        return
    _tell(found)


def parse(columns: str | None) -> dict[str, str]:
    """Returns ``--columns`` as a mapping; empty where it was not given."""
    from suffice.evaluation.logs.table import parse_columns

    return parse_columns(columns) if columns else {}


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise UserError(
            f"the bounds are '{text}'", "give the least and the greatest score, such as --bounds 0,100"
        )
    return low, high


def _looks(text: str | None) -> list[int]:
    try:
        return [int(word) for word in text.split(",")] if text else []
    except ValueError:
        raise UserError(
            f"the looks are '{text}'", "give whole numbers, such as --looks 200,500,1000"
        ) from None


def _tell(found: LogComparison) -> None:
    """Prints a sentence for each of a few contrasts, a table where there are several, then spreads and notes."""
    from rich.console import Console

    contrasts = found.contrasts

    console = Console(highlight=False, markup=False)
    if len(contrasts) > 1:
        console.print(_table(contrasts))
        console.print()
        counts = Counter(one.verdict for one in contrasts)
        counted = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        console.print(
            f"{len(contrasts)} claims: {counted}. Intervals and p-values are those of the whole family (Holm).",
            soft_wrap=True,
        )
    if len(contrasts) <= SENTENCES:
        for one in contrasts:
            console.print(one.sentence, style="" if one.verdict == "inconclusive" else "bold", soft_wrap=True)
            if one.bootstrap:
                ends = f"{one.bootstrap.low:+.4g} to {one.bootstrap.high:+.4g}"
                console.print(f"  Second opinion, by bootstrap: {ends}.", soft_wrap=True)
        for line in _runs_words(found):
            console.print(line, soft_wrap=True)
    for note in dict.fromkeys([*(note for one in contrasts for note in one.notes), *found.notes]):
        console.print(f"Note: {note}", style="dim", soft_wrap=True)


def _runs_words(found: LogComparison) -> list[str]:
    """Returns how far runs lie apart and what a new draw might do, a sentence each."""
    many = len({(one.task, one.metric, one.filter) for one in found.contrasts}) > 1
    lines = [f"{one['name']}{_where(one, many)}: {one['sentence']}" for one in found.spreads]
    return lines + [
        f"One new draw of {one['drawn']} would beat {one['against']}{_where(one, many)} with a probability of "
        f"{100 * one['probability']:.2g} %; it would score {one['low']:.4g} to {one['high']:.4g} on these items."
        for one in found.new_draws
    ]


def _where(one: dict[str, Any], many: bool) -> str:
    return f" ({', '.join(filter(None, (one['task'], one['metric'], one['filter'])))})" if many else ""


def _table(contrasts: list[Contrast]) -> Any:
    """Returns the contrasts as a table; what is the same in all of them is left out."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    told = [
        name
        for name in ("task", "metric", "filter", "a", "b")
        if name == "b" or len({getattr(one, name) for one in contrasts}) > 1
    ]
    for name in told:
        table.add_column({"a": "against", "b": "arm"}.get(name, name), overflow="fold")
    for name in ("difference", "low", "high", "p adj."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in contrasts:
        found = one.difference
        ends = ["–" if end is None else f"{end:+.4g}" for end in (found.low, found.high)]
        p = "–" if one.p_adjusted is None else f"{one.p_adjusted:.2g}"
        table.add_row(*(getattr(one, name) for name in told), f"{found.estimate:+.4g}", *ends, p, one.verdict)
    return table
