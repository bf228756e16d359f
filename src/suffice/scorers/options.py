"""Options of scorers; see `suffice.common.options`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from suffice.common import options as plug_ins
from suffice.common.options import Option, read_options
from suffice.scorers.protocol import Scorer

__all__ = ["Option", "make_scorer", "options_of", "read_options", "resolved"]


def make_scorer(name: str, options: Mapping[str, Any] | None = None) -> Scorer:
    """Returns the scorer of a name, with options; see `suffice.common.options.make`."""
    made: Scorer = plug_ins.make("scorers", name, options)
    return made


def resolved(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a scorer's options as a recipe keeps them; see `suffice.common.options.resolved`."""
    return plug_ins.resolved("scorers", name, options)


def options_of(name: str) -> list[Option]:
    """Returns the options that a scorer has; see `suffice.common.options.options_of`."""
    return plug_ins.options_of("scorers", name)
