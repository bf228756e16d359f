"""A function that the user wrote and names, trusted because the user named it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError


def load_function(name: str, what: str, remedy: str) -> Callable[..., Any]:
    """Returns the function of a name.

    Args:
        name: ``module:function``; the module is looked for in the current folder first.
        what: What it is, for messages, such as ``the reward``.
        remedy: How it is named.

    Raises:
        UserError: There is none.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise UserError(
            f"{what} 'function' has the name '{name}'",
            remedy,
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise UserError(
            f"{what} '{name}' cannot be imported: {type(error).__name__}: {error}",
            "check the name and that the module can be imported from the current folder",
        ) from error
    if not callable(found):
        raise UserError(f"{what} '{name}' is no function", "name a function")
    checked: Callable[..., Any] = found
    return checked
