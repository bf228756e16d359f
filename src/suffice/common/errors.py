"""The errors a person can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake by the user: one line that says what is wrong, where, and how to put it right.

    The command line prints it without a traceback and ends with exit code 2.

    Args:
        message: What is wrong and where (file, line, field, the offending text).
        remedy: How to put it right, as an imperative sentence.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}" if remedy else message)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Builds the error for a name that is not registered, with a guess where there is one.

    Args:
        kind: What was looked up, such as ``scorer``.
        name: The name given.
        known: The names there are.

    Returns:
        The error, ready to be raised.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    remedy = f"did you mean '{close[0]}'?" if close else f"choose one of: {', '.join(names)}"
    return UserError(f"unknown {kind} '{name}'", remedy)
