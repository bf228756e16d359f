"""The command line: verbs, each in a file of its own; heavy imports wait until a verb needs them."""

from __future__ import annotations

from suffice.cli.main import main

__all__ = ["main"]
