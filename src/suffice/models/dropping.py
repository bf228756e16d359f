"""Whether a chat template leaves out turns without a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import TemplateError

Message = dict[str, Any]

SYSTEM, CALLS, RESULTS = "system turns", "tool calls", "tool results"
_MARKS = {SYSTEM: "qzsystemqz", CALLS: "qzcallqz", RESULTS: "qzresultqz"}
_ASKED: Message = {"role": "user", "content": "question"}
_ANSWERED: Message = {"role": "assistant", "content": "answer"}
_CALL = {"id": "call00001", "type": "function", "function": {"name": _MARKS[CALLS], "arguments": {}}}
_WITH_SYSTEM = [{"role": "system", "content": _MARKS[SYSTEM]}, _ASKED, _ANSWERED]
_WITH_CALL = [
    _ASKED,
    {"role": "assistant", "content": "", "tool_calls": [_CALL]},
    {"role": "tool", "content": _MARKS[RESULTS], "tool_call_id": "call00001", "name": _MARKS[CALLS]},
    _ANSWERED,
]


def find_dropped(render: Callable[[list[Message]], str]) -> frozenset[str]:
    """Finds what a template leaves out, by conversations whose turns hold words of their own.

    A template that refuses such a conversation drops nothing: it says so itself, each time.

    Args:
        render: Returns a conversation as text.

    Returns:
        Some of `SYSTEM`, `CALLS` and `RESULTS`.
    """
    found: set[str] = set()
    for messages, kinds in ((_WITH_SYSTEM, (SYSTEM,)), (_WITH_CALL, (CALLS, RESULTS))):
        try:
            text = render([dict(turn) for turn in messages])
        except (TemplateError, TypeError, ValueError, KeyError):
            continue
        found.update(kind for kind in kinds if _MARKS[kind] not in text)
    return frozenset(found)


def kinds_of(messages: Sequence[Message]) -> set[str]:
    """Returns which of the kinds of turns that may be dropped a conversation has."""
    kinds: set[str] = set()
    for message in messages:
        if message["role"] == "system":
            kinds.add(SYSTEM)
        elif message["role"] == "tool":
            kinds.add(RESULTS)
        elif message.get("tool_calls"):
            kinds.add(CALLS)
    return kinds
