"""``suffice explain``: why a row was chosen, or what stood in its way."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suffice.cli import options

if TYPE_CHECKING:
    from suffice.runs.explain import Explanation, Named

WIDTH, LABEL = 80, 9


def explain(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder, or one that suffice select or score wrote.")
    ],
    row: Annotated[str, typer.Argument(metavar="ROW", help="An id, the beginning of one, or FILE:LINE.")],
    json: options.Json = False,
) -> None:
    """Explain a row: why it was chosen, or what would have had to be different.

    Tells its scores with ranks and percentiles, the dev example it serves, the chosen row that it is most like, and
    the row that it beat; of a row that was not chosen, what stood in its way.
    """
    from suffice.cli.output import print_json
    from suffice.runs.explain import explain as explained

    found = explained(run, row)
    if json:
        print_json(found.as_json())
        return
    for line in lines(found, run):
        typer.echo(line)


def lines(found: Explanation, folder: Path) -> Iterator[str]:
    """Yields an explanation in lines of no more than 80 columns, as far as paths and names allow."""
    yield from _head(found)
    yield ""
    yield from _answer(found, folder)
    if found.scores:
        yield ""
        yield from _scores(found)
    details = [*_details(found)]
    if details:
        yield ""
        yield from details
    if found.status == "not chosen":
        yield ""
        yield f"To choose it all the same: --pin {found.id}"


def _head(found: Explanation) -> Iterator[str]:
    place = f"{Path(found.file).name}:{found.line}"
    if found.status == "rejected":
        yield place
        return
    terms = f", licence {found.license}" if found.license else ""
    yield f"{found.id}  {place}  source {found.source}{terms}"
    yield _quoted(found.asks)


def _answer(found: Explanation, folder: Path) -> Iterator[str]:
    if found.status == "chosen":
        yield f"Chosen, as number {found.turn:,} of {found.chosen:,}."
        yield from _wrapped(found.reason)
    elif found.status == "not chosen":
        yield f"Not chosen: {found.chosen:,} of {found.rows:,} rows were."
        for one in found.obstacles:
            yield from _wrapped(f"{one.text}; {one.remedy}" if one.kind != "lack" else one.text)
    elif found.status == "rejected":
        yield "Rejected when it was read."
        for one in found.obstacles:
            yield from _wrapped(f"{one.text}; {one.remedy}")
    else:
        yield f"Scored; nothing was chosen here yet: suffice select {folder} --budget 1000"


def _scores(found: Explanation) -> Iterator[str]:
    """Yields the table of scores."""
    rows = [("score", "value", "rank", "percentile")]
    for score in found.scores:
        if score.value is None or score.rank is None or score.percentile is None:
            rows.append((score.scorer, "none", "", ""))
            continue
        value = f"{score.value:,.4g} {score.unit}".rstrip()
        rows.append((score.scorer, value, f"{score.rank:,} of {score.of:,}", f"{_down(score.percentile)}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[column].rjust(widths[column]) for column in (1, 2, 3))]
        yield "  ".join(cells).rstrip()


def _details(found: Explanation) -> Iterator[str]:
    if found.serves:
        figures = found.serves.figures
        verb = "serves" if found.status == "chosen" else "closest to"
        yield from _labelled(
            "target",
            f'{verb} {_named(found.serves)} of "{figures["task"]}": affinity {figures["affinity"]:.4g}, '
            f"{figures['rank']:,} of {figures['of']:,} rows",
        )
    if found.nearest:
        figures = found.nearest.figures
        how = (
            f"cosine {figures['cosine']:.3f}"
            if "cosine" in figures
            else f"{figures['words']:.0%} of words shared"
        )
        yield from _labelled(
            "most like", f"{_named(found.nearest)}, chosen as number {figures['turn']:,}: {how}"
        )
    if found.beat:
        yield from _labelled("beat", f"{_named(found.beat)} by {found.beat.figures['margin']:.3g}")
    if found.gain is not None:
        yield from _labelled("gain", f"{found.gain:.4g}")


def _down(share: float) -> str:
    """Returns a percentile, rounded down to a tenth, so that only the first row stands at 100."""
    return f"{int(10 * share) / 10:.1f}"


def _named(other: Named) -> str:
    return f"{other.id} {_quoted(other.asks)}"


def _quoted(text: str) -> str:
    return f'"{"".join(letter if letter.isprintable() else "?" for letter in text)}"'


def _labelled(label: str, text: str) -> list[str]:
    indent = " " * (LABEL + 2)
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{label:<{LABEL}}  ", subsequent_indent=indent, break_on_hyphens=False
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
