"""Options of plug-ins: a frozen dataclass that a scorer or reward names ``Settings``, filled from words or numbers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from suffice.common import registry
from suffice.common.errors import UserError, unknown_name


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a plug-in.

    Attributes:
        name: Its name.
        default: Its value where none is given.
        about: What it is, from the settings' docstring.
    """

    name: str
    default: Any
    about: str


def make(kind: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Returns the plug-in of a name, with options.

    Args:
        kind: ``scorers`` or ``rewards``.
        name: The name it is registered under.
        options: Values by the options' names; a number may be given as a word.

    Raises:
        UserError: There is no such plug-in or option, or a value does not fit.
    """
    method = registry.load(kind, name)
    settings = _settings(kind, name, method, options or {})
    return method() if settings is None else method(settings)


def resolved(kind: str, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options as a recipe keeps them: checked, and paths from the root, so that a run goes on from anywhere.

    Raises:
        UserError: There is no such plug-in or option, or a value does not fit.
    """
    settings = _settings(kind, name, registry.load(kind, name), options)
    values = {option: getattr(settings, option) for option in options}
    return {
        option: str(value.absolute()) if isinstance(value, Path) else value
        for option, value in values.items()
    }


def options_of(kind: str, name: str) -> list[Option]:
    """Returns the options that a plug-in has.

    Raises:
        UserError: There is no such plug-in.
    """
    settings = getattr(registry.load(kind, name), "Settings", None)
    if settings is None:
        return []
    values = settings()
    about: dict[str, str] = {}
    for base in reversed(settings.__mro__):  # settings may build on others
        about |= _attributes(inspect.cleandoc(base.__doc__ or ""))
    return [
        Option(field.name, getattr(values, field.name), about.get(field.name, ""))
        for field in fields(settings)
    ]


def read_options(given: list[str] | None) -> dict[str, str]:
    """Returns ``NAME=VALUE``, given any number of times, as values by name.

    Raises:
        UserError: One has another form, or names an option twice.
    """
    options: dict[str, str] = {}
    for pair in given or ():
        name, sign, value = pair.partition("=")
        if not (name and sign) or name in options:
            raise UserError(
                f"--set has '{pair}'", "write NAME=VALUE once for each option, such as --set size=4096"
            )
        options[name] = value
    return options


def _settings(kind: str, name: str, method: Any, options: Mapping[str, Any]) -> Any:
    settings, what = getattr(method, "Settings", None), kind.removesuffix("s")
    if settings is None:
        if options:
            raise UserError(f"the {what} '{name}' has no options", f"leave out {', '.join(options)}")
        return None
    known = [field.name for field in fields(settings)]
    for option in options:
        if option not in known:
            raise unknown_name(f"option of the {what} {name}:", option, known)
    try:
        return TypeAdapter(settings).validate_python(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]) if first["loc"] else ", ".join(options)
        raise UserError(
            f"the {what} {name}: {option} = {first['input']!r}: {first['msg']}", "mend the value"
        ) from error


def _attributes(docstring: str) -> dict[str, str]:
    """Returns what a docstring says of each attribute."""
    _, _, text = docstring.partition("Attributes:\n")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", text, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}
