"""Fields of a recipe of any kind: read from YAML, laid over by options, and checked with errors in one line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from suffice.common.errors import UserError, unknown_name
from suffice.runs.steps import step_error

Kind = TypeVar("Kind", bound=BaseModel)


def recipe_names() -> list[str]:
    """Returns the names of the recipes that come with Suffice."""
    folder = files("suffice.runs") / "recipes"
    return sorted(path.name.removesuffix(".yaml") for path in folder.iterdir() if path.name.endswith(".yaml"))


def kind_of(source: str | Path) -> str:
    """Returns the kind of a recipe: ``lima`` where it says nothing, ``one-shot`` or ``critique``."""
    return str(read_fields(source)[0].get("kind", "lima"))


def read_fields(source: str | Path, overrides: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    """Returns the fields of a recipe of any kind, not yet checked, and where they come from in words.

    Args:
        source: The name of a packaged recipe, or a YAML file.
        overrides: Dotted field names and values, such as ``{"design.margin": 1.0}``; `None` overrides nothing.

    Raises:
        UserError: No such recipe, or bad YAML.
    """
    text, where = _recipe_text(source)
    try:
        fields = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise UserError(f"{where}, line {line}: this is not YAML", "mend the line") from error
    if not isinstance(fields, dict):
        raise UserError(f"{where} holds no recipe", "write fields such as model, pool and target")
    for name, value in (overrides or {}).items():
        if value is not None:
            _put(fields, name.split("."), value)
    return fields, where


def checked(kind: type[Kind], fields: dict[str, Any], where: str) -> Kind:
    """Returns fields as a recipe of a kind.

    Raises:
        UserError: A field does not exist or does not fit.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _field_error(kind, where, error) from error


def _recipe_text(source: str | Path) -> tuple[bytes, str]:
    path = Path(source)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise UserError(f"no recipe file {path}", "check the path")
        return path.read_bytes(), str(path)
    if str(source) not in recipe_names():
        raise unknown_name("recipe", str(source), recipe_names())
    return (files("suffice.runs") / "recipes" / f"{source}.yaml").read_bytes(), f"recipe {source}"


def _put(fields: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        if fields.get(name) is None:
            fields[name] = {}
        fields = fields[name]
        if not isinstance(fields, dict):
            return  # the check of the whole says so
    fields[path[-1]] = value


_FLAGS = {"pool": "--pool", "examples": "--pool", "target": "--target", "target.file": "--target"}


def _field_error(kind: type[BaseModel], where: str, error: ValidationError) -> UserError:
    """Turns the first complaint of pydantic into one line."""
    first = error.errors()[0]
    if first["loc"][:2] == ("selection", "pipeline") and len(first["loc"]) > 2:
        return step_error(f"{where}: selection.pipeline", first, ("selection", "pipeline"))
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        flag = _FLAGS.get(field, "")
        return UserError(
            f"{where} lacks '{field}'", f"give it with {flag}" if flag else "add it to the recipe"
        )
    if first["type"] == "extra_forbidden":
        depth = len(first["loc"])
        known = {".".join(name.split(".")[:depth]) for name in _flat_names(kind)}
        return unknown_name(f"field of {where}:", field, known)
    if first["type"] == "value_error":
        return UserError(f"{where}: {field}: {first['ctx']['error']}", "mend the recipe")
    return UserError(f"{where}: {field} = {first['input']!r}: {first['msg']}", "mend the value")


def _flat_names(model: type[BaseModel], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += _flat_names(inner, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names
