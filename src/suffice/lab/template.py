"""The chat template of the lab's base, and its special tokens."""

from __future__ import annotations

from collections.abc import Sequence

DOCUMENT, USER, ASSISTANT, TOOL = "<|doc|>", "<|user|>", "<|assistant|>", "<|tool|>"
END, PAD = "<|end|>", "<|pad|>"
SPECIAL_TOKENS = (PAD, DOCUMENT, USER, ASSISTANT, END, TOOL)

CHAT_TEMPLATE = (
    "{{ '<|doc|>' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>' }}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% elif message['role'] == 'tool' %}{{ '<|tool|>' + message['content'] }}"
    "{% else %}{{ '<|user|>' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

_OPENINGS = {"user": USER, "assistant": ASSISTANT, "tool": TOOL}


def turns_text(turns: Sequence[tuple[str, str]]) -> str:
    """Returns a talk of (role, content) turns as the pretraining text holds it (the document token comes before)."""
    return "".join(
        f"{_OPENINGS[role]}{content}{END if role == 'assistant' else ''}" for role, content in turns
    )


def chat_text(question: str, answer: str) -> str:
    """Returns one question and its answer as the pretraining text holds them."""
    return turns_text([("user", question), ("assistant", answer)])
