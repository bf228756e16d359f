"""The chat template of the lab's base, and its special tokens."""

from __future__ import annotations

DOCUMENT, USER, ASSISTANT, END, PAD = "<|doc|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
SPECIAL_TOKENS = (PAD, DOCUMENT, USER, ASSISTANT, END)

CHAT_TEMPLATE = (
    "{{ '<|doc|>' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>' }}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ '<|user|>' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def chat_text(question: str, answer: str) -> str:
    """Returns one turn of chat as the pretraining text holds it (the document token comes before it)."""
    return f"{USER}{question}{ASSISTANT}{answer}{END}"
