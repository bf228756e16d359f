"""``suffice list`` and ``suffice env``: what there is, and on what it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from suffice.cli import options
from suffice.common.errors import unknown_name

KINDS = ("scorers", "selectors", "formats", "recipes")


def list_names(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="scorers, selectors, formats or recipes.")],
    json: options.Json = False,
) -> None:
    """List the scorers, selectors, formats or recipes there are, those of installed packages included."""
    from suffice.cli.output import print_json
    from suffice.common import registry
    from suffice.runs.recipe import recipe_names

    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    names = recipe_names() if kind == "recipes" else registry.names(kind)
    if json:
        print_json({kind: names})
        return
    for name in names:
        typer.echo(name)


def env(json: options.Json = False) -> None:
    """Print the versions and the machine that results depend on."""
    import os
    import platform

    import psutil

    from suffice.cli.output import print_json
    from suffice.runs.manifest import versions

    found: dict[str, object] = {
        **versions(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }
    if json:
        print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name:<14} {value}")
