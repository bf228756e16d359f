"""Conversations as tokens: the chat template, and which tokens the model is trained on."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import TemplateError

from suffice.common.errors import UserError
from suffice.models.dropping import find_dropped, kinds_of

Message = dict[str, Any]
Conversation = tuple[Sequence[Message], Sequence[dict[str, Any]] | None]  # messages and tools

_MARKS_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_BATCH = 1024
_PROBE = ({"role": "user", "content": "question"}, {"role": "assistant", "content": "answer"})


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as tokens.

    Attributes:
        ids: Token ids of the whole conversation.
        trained: For each token, whether it is the assistant's: the content and the token that ends the turn.
    """

    ids: list[int]
    trained: list[bool]


class Chat:
    """Renders conversations by a tokenizer's chat template.

    Args:
        tokenizer: A fast tokenizer of transformers that has a chat template.

    Attributes:
        template: The template's text.
        stop_ids: The tokens that end a reply: end of text, and what the template puts after an answer.
        bos_id: The token that begins a text; `None` where the tokenizer has none.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.template: str = tokenizer.get_chat_template()
        self._marks_generation = bool(_MARKS_GENERATION.search(self.template))
        self._special = frozenset(tokenizer.all_special_ids) | frozenset(
            i for i, token in tokenizer.added_tokens_decoder.items() if token.special
        )
        self.stop_ids = self._find_stop_ids()
        self.bos_id: int | None = tokenizer.bos_token_id

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of tokens, without special ones."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        reply: bool = False,
    ) -> str:
        """Returns a conversation as text.

        Args:
            messages: The turns.
            tools: The tools offered, as JSON schemas.
            reply: Whether to end with what opens the assistant's reply.

        Raises:
            UserError: The template refuses the conversation, or would drop some of its turns.
        """
        kinds = kinds_of(messages)
        lost = kinds & self._dropped if kinds else kinds
        if lost:
            raise UserError(
                f"the chat template drops {' and '.join(sorted(lost))}, which the conversation has",
                "give a template that renders them with --chat-template",
            )
        try:
            text = self._apply(messages, tools, reply=reply)
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise UserError(
                f"the chat template refuses a conversation of {_roles(messages)}: {error}",
                "mend the conversation or give another template with --chat-template",
            ) from error
        return text

    @cached_property
    def _dropped(self) -> frozenset[str]:
        """What the template leaves out."""
        return find_dropped(self._apply)

    def _apply(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        reply: bool = False,
    ) -> str:
        return str(
            self._tokenizer.apply_chat_template(
                list(messages),
                tools=list(tools) if tools else None,
                add_generation_prompt=reply,
                tokenize=False,
            )
        )

    @cached_property
    def opening_ids(self) -> list[int]:
        """The tokens by which the template opens a reply; none where it does not open one."""
        asked, opened = self.render(_PROBE[:1]), self.render(_PROBE[:1], reply=True)
        opening = opened.removeprefix(asked) if opened.startswith(asked) else ""
        return list(self._tokenizer(opening, add_special_tokens=False)["input_ids"])

    def encode_prompt(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None
    ) -> list[int]:
        """Returns the tokens after which the model writes its reply.

        Raises:
            UserError: The template refuses the conversation.
        """
        text = self.render(messages, tools, reply=True)
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None) -> Encoded:
        """Returns a whole conversation as tokens with its loss mask.

        Raises:
            UserError: The template refuses the conversation, or its assistant turns cannot be told apart.
        """
        text = self.render(messages, tools)
        return self._tokenize([text], [self._answer_spans(messages, tools, text)])[0]

    def segments(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None
    ) -> list[tuple[str, bool]]:
        """Returns a conversation's text in pieces: what the model is trained on, and what it is not, by turns.

        A blank that belongs to no token goes with the piece before it.

        Raises:
            UserError: As `encode`.
        """
        text = self.render(messages, tools)
        batch = self._tokenizer([text], add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = batch["input_ids"][0], batch["offset_mapping"][0]
        trained = self._trained(ids, offsets, self._answer_spans(messages, tools, text))
        pieces: list[tuple[str, bool]] = []
        begin, kind = 0, False
        for (start, _), marked in zip(offsets, trained, strict=True):
            if marked != kind:
                pieces.append((text[begin:start], kind))
                begin, kind = start, marked
        pieces.append((text[begin:], kind))
        return [(piece, marked) for piece, marked in pieces if piece]

    def encode_many(self, conversations: Sequence[Conversation]) -> list[Encoded | None]:
        """Encodes many conversations with one call of the tokenizer, which runs on all its threads.

        Args:
            conversations: Messages and tools of each.

        Returns:
            The tokens of each, in order; `None` where the template refuses the conversation, for the caller
            to count.

        Raises:
            UserError: The template's assistant turns cannot be told apart.
        """
        texts = self._render_many(conversations)
        kept = [i for i, text in enumerate(texts) if text is not None]
        spans = [self._answer_spans(*conversations[i], str(texts[i])) for i in kept]
        rows = iter(self._tokenize([str(texts[i]) for i in kept], spans))
        return [None if text is None else next(rows) for text in texts]

    def token_ids(self, conversations: Sequence[Conversation]) -> list[list[int] | None]:
        """Returns the tokens of many whole conversations, as `encode_many` but without the loss mask."""
        texts = self._render_many(conversations)
        kept = [text for text in texts if text is not None]
        rows = (ids for batch in self._batches(kept) for ids in batch["input_ids"])
        return [None if text is None else next(rows) for text in texts]

    def _render_many(self, conversations: Sequence[Conversation]) -> list[str | None]:
        texts: list[str | None] = []
        for messages, tools in conversations:
            try:
                texts.append(self.render(messages, tools))
            except UserError:
                texts.append(None)
        return texts

    def _answer_spans(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None, text: str
    ) -> list[tuple[int, int]]:
        """Finds the characters of the assistant turns, from the end of what opens them to the next turn."""
        if self._marks_generation:
            return self._marked_spans(messages, tools)
        spans = []
        for i, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            opening = self.render(messages[:i], tools, reply=True)
            turn = text if i + 1 == len(messages) else self.render(messages[: i + 1], tools)
            if not (turn.startswith(opening) and text.startswith(turn)):
                raise UserError(
                    f"the chat template renders the first {i + 1} messages otherwise alone than within the whole "
                    "conversation, so the assistant's tokens cannot be told apart",
                    "give a template that marks them with {% generation %} by --chat-template",
                )
            spans.append((len(opening), len(turn)))
        return spans

    def _marked_spans(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None
    ) -> list[tuple[int, int]]:
        """Returns the characters within the template's {% generation %} blocks."""
        from transformers.utils.chat_template_utils import render_jinja_template

        _, spans = render_jinja_template(
            [list(messages)],
            tools=list(tools) if tools else None,
            chat_template=self.template,
            return_assistant_tokens_mask=True,
            **self._tokenizer.special_tokens_map,
        )
        return [(start, end) for start, end in spans[0]]

    def _tokenize(self, texts: list[str], spans: list[list[tuple[int, int]]]) -> list[Encoded]:
        rows = (
            row
            for batch in self._batches(texts, return_offsets_mapping=True)
            for row in zip(batch["input_ids"], batch["offset_mapping"], strict=True)
        )
        return [
            Encoded(ids, self._trained(ids, offsets, marks))
            for (ids, offsets), marks in zip(rows, spans, strict=True)
        ]

    def _batches(self, texts: list[str], **settings: bool) -> Iterator[Any]:
        """Tokenises some texts at a time: the tokenizer's own records are far larger than the tokens."""
        for start in range(0, len(texts), _BATCH):
            yield self._tokenizer(texts[start : start + _BATCH], add_special_tokens=False, **settings)

    def _trained(
        self, ids: list[int], offsets: list[tuple[int, int]], spans: list[tuple[int, int]]
    ) -> list[bool]:
        """Marks the tokens that start within a span, up to and with the token that ends the turn.

        A token that begins before the answer and reaches into it belongs to the prompt.
        """
        trained = [False] * len(ids)
        starts = [start for start, _ in offsets]
        for start, end in spans:
            first, last = bisect_left(starts, start), bisect_left(starts, end)
            if not self._marks_generation:
                # What follows the turn's last special token is only the template's blank.
                closing = [i for i in range(first, last) if ids[i] in self._special]
                if closing and not self._tokenizer.decode(ids[closing[-1] + 1 : last]).strip():
                    last = closing[-1] + 1
            trained[first:last] = [True] * (last - first)
        return trained

    def _find_stop_ids(self) -> frozenset[int]:
        """Returns end of text and the first special token that the template puts after an answer."""
        stop = {self._tokenizer.eos_token_id} - {None}
        text = self.render(_PROBE)
        tail = text[text.rindex("answer") + len("answer") :] if "answer" in text else ""
        ending = [
            i for i in self._tokenizer(tail, add_special_tokens=False)["input_ids"] if i in self._special
        ]
        return frozenset(stop | set(ending[:1]))


def _roles(messages: Sequence[Message]) -> str:
    return ", ".join(str(message.get("role")) for message in messages) or "no messages"
