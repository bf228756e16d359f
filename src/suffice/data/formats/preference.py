"""Preference pairs, of which the chosen side is the training row."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.formats.fields import SYSTEM, first_of, holds, system_turn
from suffice.data.formats.prompt_completion import turns_of
from suffice.data.rules import BAD_CONTENT, RowError
from suffice.data.tools import read_tools
from suffice.data.turns import read_messages

_PROMPT = ("prompt", "question", "instruction")
_SPEAKERS = (("\n\nHuman:", "user"), ("\n\nAssistant:", "assistant"))


class Preference:
    """``{"prompt": "…", "chosen": "…", "rejected": "…"}``, or whole conversations under ``chosen`` and ``rejected``."""

    fields = (*_PROMPT, "chosen", "rejected", *SYSTEM, "tools")
    reason = "`chosen` and `rejected`; the chosen side is used"
    examples = (
        {"prompt": "Name a river.", "chosen": "The Danube.", "rejected": "Vienna."},
        {
            "chosen": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}],
            "rejected": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "What?"}],
        },
        {
            "chosen": "\n\nHuman: Hello?\n\nAssistant: Hello.",  # Anthropic's HH
            "rejected": "\n\nHuman: Hello?\n\nAssistant: What?",
        },
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``chosen`` and ``rejected``."""
        return holds(row, "chosen", "rejected")

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the prompt, where there is one apart, and the chosen side as a conversation.

        Raises:
            RowError: A side is neither text nor a list of turns, or there is no prompt.
        """
        chosen, asked = row["chosen"], first_of(row, *_PROMPT)
        if isinstance(chosen, str) and chosen.lstrip("\n").startswith("Human:"):
            turns = _spoken("\n\n" + chosen.lstrip("\n"))
        elif isinstance(chosen, list | dict):
            turns = read_messages(chosen if isinstance(chosen, list) else [chosen], "chosen")
            if turns and turns[0]["role"] == "assistant" and asked:
                turns = turns_of(row[asked], asked, "user") + turns
        elif asked:
            turns = turns_of(row[asked], asked, "user") + turns_of(chosen, "chosen", "assistant")
        else:
            raise RowError(BAD_CONTENT, "the row has no `prompt`, and `chosen` is no list of turns")
        return Conversation(system_turn(row) + turns, read_tools(row.get("tools")))


def _spoken(text: str) -> list[dict[str, Any]]:
    """Takes a text of ``Human:`` and ``Assistant:`` apart."""
    for mark, role in _SPEAKERS:
        text = text.replace(mark, f"\0{role}\0")
    words = text.split("\0")[1:]
    return [
        {"role": role, "content": said.strip()} for role, said in zip(words[::2], words[1::2], strict=False)
    ]
