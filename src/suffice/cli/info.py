"""``suffice list`` and ``suffice env``: what there is, and on what it runs."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Annotated, Any

import typer

from suffice.cli import options
from suffice.common.errors import UserError, unknown_name

KINDS = ("scorers", "selectors", "formats", "rewards", "recipes")


def list_names(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="scorers, selectors, formats, rewards or recipes.")
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One scorer or reward, to see its options.")
    ] = None,
    json: options.Json = False,
) -> None:
    """List the scorers, selectors, formats, rewards or recipes there are, those of installed packages included."""
    from suffice.cli.output import print_json
    from suffice.common import registry
    from suffice.runs.fields import recipe_names

    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    if name is not None:
        _tell_options(kind, name, json=json)
        return
    names = recipe_names() if kind == "recipes" else registry.names(kind)
    found = [_about(kind, found) for found in names]
    if json:
        print_json(found)
        return
    for about in found:
        needs = ", ".join(about.get("needs", ()))
        typer.echo(f"{about['name']:<18} {needs:<18} {about.get('paper', '')}".rstrip())


def _about(kind: str, name: str) -> dict[str, Any]:
    """Returns what there is to tell of a scorer, a selector, a format, a reward or a recipe."""
    from suffice.common import registry

    if kind not in ("scorers", "selectors", "rewards"):
        return {"name": name}
    try:
        method = registry.load(kind, name)
    except UserError as error:  # its package is there and cannot be imported
        return {"name": name, "paper": "", "needs": [error.message], "cost": ""}
    needs = list(getattr(method, "needs", ()))  # what a package of somebody else need not have
    needs += [thing for thing in ("model", "target") if getattr(method, f"needs_{thing}", False)]
    return {
        "name": name,
        "paper": getattr(method, "paper", ""),
        "needs": needs,
        "cost": getattr(method, "cost", ""),
    }


def _tell_options(kind: str, name: str, *, json: bool) -> None:
    """Tells one scorer's or reward's options, with their defaults."""
    from suffice.cli.output import print_json
    from suffice.common.options import options_of

    if kind not in ("scorers", "rewards"):
        raise UserError(f"{kind} have no options", f"suffice list {kind}")
    options_found = options_of(kind, name)
    about = _about(kind, name)
    if json:
        print_json(about | {"options": [asdict(option) for option in options_found]})
        return
    for line in (
        *([about["paper"]] if about["paper"] else []),
        *([f"cost: {about['cost']}"] if about["cost"] else []),
        *(["--set:"] if options_found else ["no options"]),
    ):
        typer.echo(line)
    for option in options_found:
        default = "" if option.default is None else f" (default: {option.default})"
        text = option.about + default
        typer.echo(
            textwrap.fill(text, 80, initial_indent=f"  {option.name:<16} ", subsequent_indent=" " * 19)
        )


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
