"""Evaluation logs that other tools wrote, read into one form, one file a format.

A format is found by entry point (``suffice.logs``). A path is in the first format, in a fixed order, that knows it:
``inspect_ai``, ``lm_eval``, ``alpaca_eval``, those that other packages add, by name, and last ``table``, which takes
any file of rows. Where ``score`` is among the named columns, it is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.data.reading import shown_path
from suffice.evaluation.logs.protocol import Log, LogFormat, LogRow

__all__ = ["Log", "LogFormat", "LogRow", "load_formats", "read_log"]

_FIRST = ("inspect_ai", "lm_eval", "alpaca_eval")
_LAST = "table"


@cache
def load_formats() -> dict[str, LogFormat]:
    """Returns all registered formats of logs by name, in the order in which they are tried."""
    known = registry.names("logs")
    others = [name for name in known if name not in (*_FIRST, _LAST)]
    return {name: registry.load("logs", name)() for name in (*_FIRST, *others, _LAST) if name in known}


def read_log(path: str | Path, columns: Mapping[str, str] | None = None) -> Log:
    """Returns the evaluation log at a path.

    Args:
        path: A file or folder.
        columns: Which column holds what; see `suffice.evaluation.logs.table.COLUMNS`.

    Raises:
        UserError: There is nothing at the path, no format knows it, or the log is not as it should be.
    """
    path, columns = Path(path), columns or {}
    if not path.exists():
        raise UserError(f"there is no log at {shown_path(path)}", "check the path")
    formats = load_formats()
    if "score" in columns:
        formats = {_LAST: formats[_LAST]}
    for form in formats.values():
        if form.detect(path):
            return form.read(path, columns)
    raise UserError(
        f"{shown_path(path)} is in no known form of evaluation log (tried: {', '.join(formats)})",
        "give an lm-eval folder with --log_samples, an inspect-ai log, AlpacaEval annotations, or a CSV or JSONL "
        "with --columns item=NAME,score=NAME",
    )
