"""``suffice judge``: win rates from annotations of AlpacaEval, and how far the judge can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from suffice.cli import options

if TYPE_CHECKING:
    from suffice.proof.judging.judges import Rate
    from suffice.proof.judging.logged import Judged, JudgedLogs


def judge(
    annotations: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="Annotations of AlpacaEval; several files of one model are other judges, or the other order.",
            show_default=False,
        ),
    ],
    alpha: Annotated[float, typer.Option(help="One minus the level of the intervals.")] = 0.05,
    json: options.Json = False,
) -> None:
    """Tell each model's win rate before each judge, at equal lengths too, and how far the judges can be trusted.

    To compare two models' win rates over the same reference, use suffice compare.
    """
    from suffice.cli.output import print_json
    from suffice.proof.judging.logged import judge_logs

    found = judge_logs(annotations, alpha)
    if json:
        print_json(
            {
                "judged": [one.as_json() for one in found.judged],
                "agreements": [one.as_json() for one in found.agreements],
                "notes": found.notes,
            }
        )
        return
    _tell(found, alpha)


def _tell(found: JudgedLogs, alpha: float) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(_table(found.judged, alpha))
    console.print()
    models = dict.fromkeys(one.controlled.model for one in found.judged if one.controlled)
    for line in [
        *(f"At equal lengths: {name}." for name in models),
        *(f"{_who(one)} at equal lengths: {one.uncontrolled}." for one in found.judged if one.uncontrolled),
        *(line for one in found.judged for line in _position(one)),
        *(
            f"{one.a} and {one.b} agree on {one.model} in {_rate(one.rate)} of {one.rate.pairs:,} pairs, a tie "
            "against a win counting half."
            for one in found.agreements
        ),
    ]:
        console.print(line, soft_wrap=True)
    for note in found.notes:
        console.print(f"Note: {note}", style="dim", soft_wrap=True)


def _table(judged: list[Judged], alpha: float) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("model", "against", "judge"):
        table.add_column(name, overflow="fold")
    level = f"{100 * (1 - alpha):.4g} %"
    for name in ("pairs", f"wins, % ({level})", f"at equal lengths ({level})"):
        table.add_column(name, justify="right")
    for one in judged:
        held = one.controlled
        equal = f"{100 * held.estimate:.1f} ({100 * held.low:.1f} to {100 * held.high:.1f})" if held else "–"
        wins = f"{100 * one.wins.estimate:.1f} ({100 * one.wins.low:.1f} to {100 * one.wins.high:.1f})"
        table.add_row(one.model, one.reference, one.judge, f"{one.wins.pairs:,}", wins, equal)
    return table


def _position(one: Judged) -> list[str]:
    """Returns what is known of the judge's position bias, in a sentence or none."""
    if one.position is None:
        return []
    bias, same = one.position.bias, one.position.consistency
    told = (
        f"{_who(one)}: the reply shown first is preferred {100 * bias.estimate:+.1f} points more often than in half of all "
        f"cases ({100 * bias.low:+.1f} to {100 * bias.high:+.1f})"
    )
    if same is None:
        return [f"{told}, by {bias.pairs:,} pairs in one order each."]
    return [f"{told}; {_rate(same)} of {same.pairs:,} pairs get the same verdict in both orders."]


def _who(one: Judged) -> str:
    return f"{one.judge or 'the judge'} on {one.model}"


def _rate(rate: Rate) -> str:
    return f"{100 * rate.estimate:.1f} % ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
