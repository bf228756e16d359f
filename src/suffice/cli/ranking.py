"""``suffice score --history``: the problems of a training ranked by what became of them, without a pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.scorers.histories.scoring import Ranking

_SHOWN = 20


def rank_problems(scorer: str, options: Mapping[str, Any], *, json: bool, quiet: bool) -> None:
    """Prints the ranking; with ``json`` all of it, as one object, else its beginning.

    Raises:
        UserError: The scorer looks at no history, or the history cannot be read.
    """
    from suffice.cli.output import print_json
    from suffice.common.options import make

    made = make("scorers", scorer, options)
    rank = getattr(made, "ranking", None)
    if rank is None:
        raise UserError(f"the scorer '{scorer}' ranks no history by itself", "give --pool and --out")
    ranking: Ranking = rank()
    history = ranking.history
    if json:
        print_json(
            {
                "scorer": scorer,
                "format": history.format,
                "problems": len(history.keys),
                "bands": ranking.bands(),
                "notes": history.notes,
                "unread": [one._asdict() for one in history.unread],
                "ranking": ranking.entries(),
            }
        )
    elif not quiet:
        typer.echo(_table(ranking))


def _table(ranking: Ranking) -> str:
    """Returns the beginning of a ranking in words."""
    entries, history, bands = ranking.entries(), ranking.history, ranking.bands()
    lines = [f"{'place':>5}  {ranking.measure:>6}  {'mean':>6}  problem"]
    for place, entry in enumerate(entries[:_SHOWN], 1):
        shown = " ".join(str(entry["key"]).split())
        lines.append(f"{place:>5}  {entry[ranking.measure]:>6.4f}  {entry['mean']:>6.4f}  {shown[:56]}")
    if len(entries) > _SHOWN:
        lines.append(f"{'':>5}  and {len(entries) - _SHOWN:,} more; --json prints all")
    for one in history.unread[:3]:
        lines.append(f"not read: {one.place}: {one.reason}")
    if len(history.unread) > 3:
        lines.append(f"not read: {len(history.unread) - 3:,} more")
    lines.append(
        f"{len(entries):,} of {len(history.keys):,} problems ranked ({history.format}): {bands['never']:,} solved never, "
        f"{bands['sometimes']:,} sometimes, {bands['always']:,} always. To score rows: add --pool and --out"
    )
    return "\n".join(lines)
