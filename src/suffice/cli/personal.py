"""``suffice personal``: which rows hold e-mail addresses, phone numbers or secrets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options

SHOWN = 3  # places of each kind


def personal(
    files: Annotated[list[str], typer.Argument(metavar="FILES…", help="Pool files or quoted globs.")],
    region: Annotated[
        str | None, typer.Option(help="Whose phone numbers are known without a country code, such as US.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A Parquet file to write: each row with what was found in it."),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Flag rows with e-mail addresses, phone numbers, keys and other secrets; nothing is changed.

    What is found is told by its place, not copied.
    """
    from suffice.common.progress import reporter
    from suffice.data.personal import PersonalData, flag, write_flags
    from suffice.runs.reading import read_files

    search, told = PersonalData(region), reporter(quiet=quiet)
    reading = read_files(files, told)
    found = flag(reading.pool, search, told)
    if out:
        write_flags(out, reading.pool, found)
    kinds = Counter(one.kind for findings in found for one in findings)
    summary = {
        "read": len(reading.pool) + len(reading.rejected),
        "rejected": len(reading.rejected),
        "rows": len(reading.pool),
        "flagged": sum(map(bool, found)),
        "found": dict(kinds.most_common()),
    }
    if json:
        from suffice.cli.output import print_json

        print_json(summary)
    elif not quiet:
        for line in _lines(reading.pool, found, summary):
            typer.echo(line)


def _lines(pool: Any, found: list[Any], summary: dict[str, Any]) -> list[str]:
    """Returns each kind with its number and first places, then the sentence."""
    places: dict[str, list[str]] = {}
    for row, findings in enumerate(found):
        for one in findings:
            own = places.setdefault(one.kind, [])
            if len(own) < SHOWN:
                example = pool[row]
                own.append(
                    f"{Path(example.file).name}:{example.line}, turn {one.turn}, character {one.start + 1}"
                )
    lines = [f"{kind} ({count:,}): {'; '.join(places[kind])}" for kind, count in summary["found"].items()]
    share = f"{summary['flagged']:,} of {summary['rows']:,} rows"
    return [*lines, f"{share} hold personal data or secrets; none was changed."]
