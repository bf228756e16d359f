"""Tools and tool calls in their one form: the JSON schemas and calls that chat templates take."""

from __future__ import annotations

import json
from typing import Any

from suffice.data.rules import ARGUMENTS_ARE_NOT_JSON, BAD_TOOLS, RowError, Rule


def read_tools(value: Any) -> list[dict[str, Any]] | None:
    """Returns the tools a row offers; `None` where there are none.

    Args:
        value: A list of tools, or its JSON text. A bare function (``name``, ``description``, ``parameters``)
            is wrapped as ``{"type": "function", "function": …}``.

    Raises:
        RowError: It is no such list.
    """
    tools = _parsed(value or "null", "`tools`") if isinstance(value, str) else value
    if not isinstance(tools, list | None):
        raise RowError(BAD_TOOLS, "`tools` is no list")
    return [_function(tool, f"tools[{place}]") for place, tool in enumerate(tools or [])] or None


def read_calls(value: Any, where: str) -> list[dict[str, Any]]:
    """Returns the calls of an assistant turn, arguments as objects rather than JSON text.

    Args:
        value: One call or a list of calls, or its JSON text: ``{"name", "arguments"}``, bare or under
            ``function`` with an ``id`` beside it.
        where: How errors name the turn.

    Raises:
        RowError: It is no such thing.
    """
    parsed = _parsed(value, f"the call in `{where}`") if isinstance(value, str) else value
    calls = parsed if isinstance(parsed, list) else [parsed]
    return [_call(call, where) for call in calls]


def _call(call: Any, where: str) -> dict[str, Any]:
    wrapped = _function(call, where)
    function = wrapped["function"]
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = (
            _parsed(arguments, f"`arguments` in `{where}`", ARGUMENTS_ARE_NOT_JSON)
            if arguments.strip()
            else {}
        )
    if not isinstance(arguments, dict | None):
        raise RowError(BAD_TOOLS, f"`arguments` in `{where}` is no object")
    plain = {"type": "function", "function": {"name": function["name"], "arguments": arguments or {}}}
    return {"id": wrapped["id"], **plain} if isinstance(wrapped.get("id"), str) else plain


def _function(value: Any, where: str) -> dict[str, Any]:
    """Returns a tool or a call with its function under ``function``."""
    wrapped = (
        value if isinstance(value, dict) and "function" in value else {"type": "function", "function": value}
    )
    function = wrapped["function"]
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowError(BAD_TOOLS, f"a function in `{where}` has no name")
    return wrapped


def _parsed(text: str, where: str, rule: Rule = BAD_TOOLS) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError(rule, f"{where} is no JSON") from error
