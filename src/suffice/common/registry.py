"""Plug-ins by entry point: the built-in scorers, selectors, formats and rewards register like anybody's."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from suffice.common.errors import UserError, unknown_name


def names(kind: str) -> list[str]:
    """Returns the registered names of a kind, sorted.

    Args:
        kind: ``scorers``, ``selectors``, ``formats``, ``rewards`` or ``logs``.
    """
    return sorted({entry.name for entry in entry_points(group=f"suffice.{kind}")})


def load(kind: str, name: str) -> Any:
    """Returns the class registered under a name, importing its module only now.

    Args:
        kind: ``scorers``, ``selectors``, ``formats``, ``rewards`` or ``logs``.
        name: The registered name.

    Raises:
        UserError: No such name, or its package cannot be imported.
    """
    found = [entry for entry in entry_points(group=f"suffice.{kind}") if entry.name == name]
    if not found:
        raise unknown_name(kind.removesuffix("s"), name, names(kind))
    try:
        return found[0].load()
    except ImportError as error:
        raise UserError(
            f"the {kind.removesuffix('s')} '{name}' ({found[0].value}) cannot be imported: {error}",
            "install what it needs, such as pip install 'suffice[hf]'",
        ) from error
