"""Turns as people write them, brought into one form."""

from __future__ import annotations

import json
from typing import Any

from suffice.data.example import Message
from suffice.data.rules import BAD_CONTENT, UNKNOWN_ROLE, RowError
from suffice.data.tools import read_calls

_ALIASES = {
    "system": ("system", "developer"),
    "user": ("user", "human", "prompter"),
    "assistant": ("assistant", "gpt", "chatgpt", "bing", "bard", "claude", "ai", "bot", "model"),
    "tool": (
        "tool",
        "function",
        "observation",
        "ipython",
        "environment",
        "function_response",
        "function-response",
        "tool_response",
        "tool-response",
        "tool_result",
    ),
    "call": ("function_call", "function-call", "tool_call", "tool-call"),
}
ROLES = {name: role for role, names in _ALIASES.items() for name in names}
"""What roles are called, in small letters; ``call`` is an assistant turn that is a call and nothing else."""

_SPEAKERS = ("user", "assistant", "system")
_TEXT_PARTS = ("text", "input_text", "output_text")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thought")
_LIST_REMEDY = "write a list of objects with role and content"


def looks_like_turns(value: Any) -> bool:
    """Tells whether a value is a list of turns, or of two texts or more, by turns of user and assistant."""
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(turn, str) for turn in value):
        return len(value) > 1
    return all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)


def text_field(row: dict[str, Any], *names: str) -> str:
    """Returns the text of the first of ``names`` that ``row`` has; empty where it has none or null.

    Raises:
        RowError: The field holds something else.
    """
    for name in names:
        if row.get(name) is not None:
            return text_of(row[name], name)
    return ""


def text_of(value: Any, where: str) -> str:
    """Returns a turn's content as text; parts of text are put together, null is empty.

    Args:
        value: Text, or a list of parts such as ``{"type": "text", "text": …}``.
        where: How the error names the field.

    Raises:
        RowError: It is anything else.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if not isinstance(value, list):
        raise RowError(BAD_CONTENT, f"`{where}` is no text")
    return "".join(_part_text(part, where) for part in value)


def _part_text(part: Any, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else part
    if isinstance(part, dict):
        text = part.get("text")
        if kind in _TEXT_PARTS and isinstance(text, str):
            return text
        if kind in _THOUGHTS:
            return ""  # the turn's thoughts, see `_thoughts`
        if kind == "refusal" and isinstance(part.get("refusal"), str):
            return str(part["refusal"])
    raise RowError(BAD_CONTENT, f"`{where}` has a part that is no text ({str(kind)[:40]!r})")


def read_messages(turns: Any, where: str) -> list[Message]:
    """Returns turns in their one form: ``role``, ``content``, and where they apply calls, ids and thoughts.

    A turn's role is its ``role`` or ``from``, in any of the usual names; its content ``content``, ``value`` or ``text``;
    a turn without content gets the empty text. An empty system turn says nothing and is left out. A call by itself
    joins the assistant's words before it. What the assistant thinks (``reasoning_content``) is kept apart from its
    content. Other fields of a turn are not kept.

    Args:
        turns: A list of turns, its JSON text, or a list of texts by turns of user and assistant.
        where: How errors name it.

    Raises:
        RowError: It is no such list.
    """
    if isinstance(turns, str) and turns.lstrip().startswith("["):
        turns = _from_text(turns, where)
    if not isinstance(turns, list):
        raise RowError(BAD_CONTENT, f"`{where}` is no list of turns", _LIST_REMEDY)
    if turns and isinstance(turns[0], str) and looks_like_turns(turns):
        roles = ("user", "assistant")
        return [{"role": roles[place % 2], "content": text} for place, text in enumerate(turns)]
    messages: list[Message] = []
    for place, turn in enumerate(turns):
        message = _plain_turn(turn) or _read_turn(turn, where, place)
        if message["role"] == "call":
            message["role"] = "assistant"
            if messages and messages[-1]["role"] == "assistant":
                messages[-1].setdefault("tool_calls", []).extend(message["tool_calls"])
                continue
        if message["role"] != "system" or message["content"].strip():
            messages.append(message)
    return messages


def _from_text(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError(BAD_CONTENT, f"`{where}` is text that is no JSON", _LIST_REMEDY) from error


def _plain_turn(turn: Any) -> Message | None:
    """Returns a turn that is a role and a text and nothing else, as most are; `None` for any other."""
    if isinstance(turn, dict) and len(turn) == 2:
        role, content = turn.get("role"), turn.get("content")
        if role in _SPEAKERS and isinstance(content, str):
            return {"role": role, "content": content}
    return None


def _read_turn(turn: Any, where: str, place: int) -> Message:
    if not isinstance(turn, dict):
        raise RowError(BAD_CONTENT, f"`{where}[{place}]` is no turn", "write an object with role and content")
    named = turn["role"] if "role" in turn else turn.get("from")
    role = ROLES.get(named) or ROLES.get(named.strip().lower()) if isinstance(named, str) else None
    if role is None:
        raise RowError(UNKNOWN_ROLE, f"`{where}[{place}]` has the role {str(named)[:40]!r}")
    field = "content" if "content" in turn else "value" if "value" in turn else "text"
    content = turn.get(field)
    if role == "call":
        return {"role": "call", "content": "", "tool_calls": read_calls(content, f"{where}[{place}]")}
    if not isinstance(content, str):
        content = text_of(content, f"{where}[{place}].{field}")
    message: Message = {"role": role, "content": content}
    if len(turn) > 2 or not isinstance(turn.get(field), str):
        _read_more(turn, message, f"{where}[{place}]")
    return message


def _read_more(turn: dict[str, Any], message: Message, where: str) -> None:
    """Adds calls, ids and thoughts to a turn."""
    if message["role"] == "assistant":
        calls = turn.get("tool_calls") or turn.get("function_call")
        if calls:
            message["tool_calls"] = read_calls(calls, where)
        thoughts = _thoughts(turn)
        if thoughts:
            message["reasoning_content"] = thoughts
    for name in ("tool_call_id", "name"):
        if isinstance(turn.get(name), str):
            message[name] = turn[name]


def _thoughts(turn: dict[str, Any]) -> str:
    """Returns what the assistant thinks, from a field of its own or from the parts of its content."""
    for name in _THOUGHTS:
        if isinstance(turn.get(name), str) and turn[name].strip():
            return str(turn[name])
    parts = turn.get("content")
    if not isinstance(parts, list):
        return ""
    kept = (part for part in parts if isinstance(part, dict) and part.get("type") in _THOUGHTS)
    texts = (part.get(str(part["type"])) or part.get("text") for part in kept)
    return "".join(text for text in texts if isinstance(text, str))
