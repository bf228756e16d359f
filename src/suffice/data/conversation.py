"""Turns in their one form, and the rules that a conversation keeps."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from suffice.data.example import Message
from suffice.data.rules import (
    BAD_CONTENT,
    EMPTY_ANSWER,
    EMPTY_PROMPT,
    NO_ASSISTANT_TURN,
    ROLES_DO_NOT_ALTERNATE,
    TOOL_RESULT_WITHOUT_CALL,
    UNKNOWN_ROLE,
    RowError,
)
from suffice.data.tools import read_calls

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
# Which roles may follow which; an assistant that called a tool is apart.
_NEXT = {
    "start": ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
    "call": ("tool",),
    "tool": ("tool", "assistant"),
}

_WORDS = {
    "system": "a system turn",
    "user": "a user turn",
    "assistant": "an assistant turn",
    "call": "a tool call",
    "tool": "a tool turn",
}


class Conversation(NamedTuple):
    """What a format makes of a row.

    Attributes:
        messages: The turns.
        tools: The tools offered, as JSON schemas; `None` where there are none.
    """

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None


def text_field(row: dict[str, Any], *names: str) -> str:
    """Returns the text of the first of ``names`` that ``row`` has; empty where it has none or null.

    Raises:
        RowError: The field holds something else.
    """
    for name in names:
        if row.get(name) is not None:
            return text_of(row[name], f"`{name}`")
    return ""


def text_of(value: Any, where: str) -> str:
    """Returns a turn's content as text; parts of type ``text`` are put together, null is empty.

    Args:
        value: Text, or a list of parts ``{"type": "text", "text": …}``.
        where: How the error names the field.

    Raises:
        RowError: It is anything else.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise RowError(BAD_CONTENT, f"{where} is no text")
    for part in value:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = part.get("type") if isinstance(part, dict) else part
            raise RowError(BAD_CONTENT, f"{where} has a part that is no text ({str(kind)[:40]!r})")
    return "".join(part["text"] for part in value)


def read_messages(turns: Any, where: str) -> list[Message]:
    """Returns turns of the chat form (``role``, ``content``) in their one form.

    ``developer`` is a system turn and ``function`` a tool turn; a turn without content gets the empty text;
    an empty system turn says nothing and is left out. Other fields of a turn are not kept.

    Args:
        turns: A list of turns.
        where: How errors name it.

    Raises:
        RowError: It is no such list.
    """
    if not isinstance(turns, list):
        raise RowError(
            BAD_CONTENT, f"`{where}` is no list of turns", "write a list of objects with role and content"
        )
    messages = [_read_turn(turn, f"{where}[{place}]") for place, turn in enumerate(turns)]
    return [turn for turn in messages if turn["role"] != "system" or turn["content"].strip()]


def _read_turn(turn: Any, where: str) -> Message:
    if not isinstance(turn, dict):
        raise RowError(BAD_CONTENT, f"`{where}` is no turn", "write an object with role and content")
    role = turn.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise RowError(UNKNOWN_ROLE, f"`{where}` has the role {str(role)[:40]!r}")
    message: Message = {"role": ROLES[role], "content": text_of(turn.get("content"), f"`{where}.content`")}
    calls = turn.get("tool_calls") or turn.get("function_call")
    if calls and message["role"] == "assistant":
        message["tool_calls"] = read_calls(calls, where)
    for name in ("tool_call_id", "name"):
        if isinstance(turn.get(name), str):
            message[name] = turn[name]
    return message


def check_turns(messages: Sequence[Message]) -> None:
    """Checks the order of turns and that every user turn asks something.

    Raises:
        RowError: `ROLES_DO_NOT_ALTERNATE`, `TOOL_RESULT_WITHOUT_CALL` or `EMPTY_PROMPT`.
    """
    last = "start"
    open_calls: set[str] = set()
    for place, message in enumerate(messages, start=1):
        role = message["role"]
        if role == "tool" and (last not in ("call", "tool") or _unmade(message, open_calls)):
            raise RowError(
                TOOL_RESULT_WITHOUT_CALL, f"turn {place} is the result of a call that was not made"
            )
        if role not in _NEXT[last]:
            before = "the conversation begins with" if last == "start" else f"after {_WORDS[last]} comes"
            raise RowError(ROLES_DO_NOT_ALTERNATE, f"{before} {_WORDS[role]} (turn {place})")
        if role == "user" and not message["content"].strip():
            raise RowError(EMPTY_PROMPT, f"turn {place}, of the user, has no text")
        last = role
        if message.get("tool_calls"):
            last = "call"
            open_calls = {call["id"] for call in message["tool_calls"] if "id" in call}


def _unmade(message: Message, calls: set[str]) -> bool:
    """Tells whether a tool result names a call that is not among those made; calls may have no ids."""
    return bool(calls) and "tool_call_id" in message and message["tool_call_id"] not in calls


def check_answers(messages: Sequence[Message]) -> None:
    """Checks that the assistant speaks, and says something or calls a tool each time.

    Raises:
        RowError: `NO_ASSISTANT_TURN` or `EMPTY_ANSWER`.
    """
    answers = [(place, turn) for place, turn in enumerate(messages, start=1) if turn["role"] == "assistant"]
    if not answers:
        raise RowError(NO_ASSISTANT_TURN, "no turn is the assistant's")
    for place, turn in answers:
        if not turn["content"].strip() and not turn.get("tool_calls"):
            raise RowError(EMPTY_ANSWER, f"turn {place}, of the assistant, has no text")


def check_values(values: Any) -> None:
    """Checks that everything in ``values`` can be written as JSON and as UTF-8.

    Raises:
        RowError: `BAD_CONTENT`.
    """
    try:
        json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise RowError(
            BAD_CONTENT,
            "the text holds bytes or escapes that are no valid Unicode",
            "write the file as UTF-8",
        ) from error
    except (RecursionError, TypeError, ValueError) as error:
        raise RowError(BAD_CONTENT, f"the row holds a value that JSON has no form for ({error})") from error


def normalise(text: str) -> str:
    """Returns a text for comparing prompts: compatibility forms, letter case and blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
