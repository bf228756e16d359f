"""A conversation, and the rules that it keeps."""

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
    RowError,
    Rule,
)

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


def check_turns(messages: Sequence[Message], ignored: frozenset[Rule] = frozenset()) -> None:
    """Checks the order of turns and that every user turn asks something.

    Args:
        messages: The turns.
        ignored: Rules that the turns may break.

    Raises:
        RowError: `ROLES_DO_NOT_ALTERNATE`, `TOOL_RESULT_WITHOUT_CALL` or `EMPTY_PROMPT`.
    """
    last = "start"
    open_calls: set[str] = set()
    for place, message in enumerate(messages, start=1):
        role = message["role"]
        broken = None
        if role == "tool" and (last not in ("call", "tool") or _unmade(message, open_calls)):
            broken = RowError(
                TOOL_RESULT_WITHOUT_CALL, f"turn {place} is the result of a call that was not made"
            )
        elif role not in _NEXT[last]:
            before = "the conversation begins with" if last == "start" else f"after {_WORDS[last]} comes"
            broken = RowError(ROLES_DO_NOT_ALTERNATE, f"{before} {_WORDS[role]} (turn {place})")
        elif role == "user" and not message["content"].strip():
            broken = RowError(EMPTY_PROMPT, f"turn {place}, of the user, has no text")
        if broken and broken.rule not in ignored:
            raise broken
        last = role
        if message.get("tool_calls"):
            last = "call"
            open_calls = {call["id"] for call in message["tool_calls"] if "id" in call}


def _unmade(message: Message, calls: set[str]) -> bool:
    """Tells whether a tool result names a call that is not among those made; calls may have no ids."""
    return bool(calls) and "tool_call_id" in message and message["tool_call_id"] not in calls


def check_answers(messages: Sequence[Message], ignored: frozenset[Rule] = frozenset()) -> None:
    """Checks that the assistant speaks, and says something or calls a tool each time.

    Args:
        messages: The turns.
        ignored: Rules that the turns may break.

    Raises:
        RowError: `NO_ASSISTANT_TURN` or `EMPTY_ANSWER`.
    """
    answered = False
    for place, turn in enumerate(messages, start=1):
        if turn["role"] != "assistant":
            continue
        answered = True
        if not turn["content"].strip() and not turn.get("tool_calls") and EMPTY_ANSWER not in ignored:
            raise RowError(EMPTY_ANSWER, f"turn {place}, of the assistant, has no text")
    if not answered and NO_ASSISTANT_TURN not in ignored:
        raise RowError(NO_ASSISTANT_TURN, "no turn is the assistant's")


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
