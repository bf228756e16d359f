"""Which chat template is used: the one given, the tokenizer's own, or a documented default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suffice.common.errors import UserError

# For a base without a template: the plain text form of Tulu and LESS (github.com/princeton-nlp/LESS,
# open-instruct). A turn of the assistant ends with the tokenizer's end-of-text token. Tools stand in front, and
# tool calls after the words of their turn, as JSON.
DEFAULT_TEMPLATE = (
    "{% if tools %}{{ '<|tools|>\\n' + tools | tojson + '\\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>\\n' + (message['content'] or '') }}"
    "{% for call in message['tool_calls'] or [] %}{{ '\\n' + call | tojson }}{% endfor %}"
    "{{ eos_token if message['role'] == 'assistant' }}{{ '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


def template_for(tokenizer: Any, chat_template: str | None) -> str:
    """Chooses the chat template: the one given (a file or the text itself), the tokenizer's, the default.

    The default begins with the beginning-of-text token where the tokenizer itself puts one.

    Raises:
        UserError: The file given does not exist, or the default would need an end-of-text token that the
            tokenizer lacks.
    """
    if chat_template is not None:
        return given_template(chat_template)
    if tokenizer.chat_template:
        return str(tokenizer.get_chat_template())
    if tokenizer.eos_token is None:
        raise UserError(
            "the tokenizer has neither a chat template nor an end-of-text token",
            "give one with --chat-template",
        )
    first = tokenizer("a")["input_ids"][:1]
    opens = tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id]
    return ("{{ bos_token }}" if opens else "") + DEFAULT_TEMPLATE


def given_template(chat_template: str) -> str:
    """Returns the text of a chat template that was given as text or as a file.

    Raises:
        UserError: The file cannot be read.
    """
    if "{" in chat_template:
        return chat_template
    try:
        return Path(chat_template).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the chat template '{chat_template}' cannot be read: {error.strerror}",
            "give a Jinja file or the template itself",
        ) from error
