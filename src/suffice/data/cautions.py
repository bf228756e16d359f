"""Cautions: what may be wrong with a row that can be used (the rules W2, see `suffice.data.rules`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from suffice.data.example import Message
from suffice.data.rules import (
    BROKEN_CHARACTERS,
    CUT_OFF,
    FAILED_ATTEMPT,
    LANGUAGE_MIX,
    REPEATS_ITSELF,
    TEMPLATE_TOKENS,
    Rule,
)

LONG = 200  # characters from which an answer is expected not to stop at a word that leads on
_LONGER = (
    600  # characters from which it is expected to end as a sentence does; people leave out the last full stop
)
TAIL = 40  # characters at the end of an answer that are looked for in the rest of it
TIMES = 4
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*(?:\s|$)")  # noqa: RUF001
_STOPPED = (",", "-", "–", "(", "[", "{", "&", "、", "，")  # noqa: RUF001
_LEADS_ON = re.compile(
    r"\b(?:a|an|the|of|to|in|on|at|by|for|from|with|and|or|but|as|that|which|is|are|was|were|be|if|this|these|your|its|their)$",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"^\s*(?:[-*•|#>]|\d+[.):]|[A-Z][.)]\s|https?:)"
)  # of a list, an outline, a table, a timeline
_TEMPLATE = re.compile(
    r"<\|[A-Za-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<\uff5c[^\uff5c]{2,30}\uff5c>"
)
_MOJIBAKE = re.compile("\ufffd|â€[™œ“”\u02dc¦]|Ã[©¨¼¶¤±]|Â[\u00a0°»«]")
_SCRIPTS = {
    "Cyrillic": "\u0400-\u052f",
    "Arabic": "\u0600-\u06ff\u0750-\u077f",
    "Hebrew": "\u0590-\u05ff",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
    "Chinese": "\u3400-\u9fff",
    "Japanese": "\u3040-\u30ff",
    "Korean": "\u1100-\u11ff\uac00-\ud7af",
}
_LETTERS = {name: re.compile(f"[{span}]") for name, span in _SCRIPTS.items()}
_ANY_LETTER = re.compile(f"[{''.join(_SCRIPTS.values())}]")
_STRAY = 4  # letters of another script that are no slip of one name
_ASKED_FOR = re.compile(
    r"translat|language|alphabet|chinese|mandarin|japanese|korean|russian|ukrainian|arabic|hebrew|hindi|thai",
    re.IGNORECASE,
)


class Caution(NamedTuple):
    """What may be wrong with a row.

    Attributes:
        rule: The rule.
        message: What is so in this row.
    """

    rule: Rule
    message: str


def cautions(row: Any, messages: Sequence[Message], ignored: frozenset[Rule]) -> tuple[Caution, ...]:
    """Returns what may be wrong with a row.

    Args:
        row: The row as its file has it.
        messages: Its turns.
        ignored: Rules that are not looked at.
    """
    plain = True  # most rows: nothing that only letters beyond ASCII or brackets can break
    for turn in messages:
        text = turn["content"]
        if not text.isascii() or "<" in text or "[" in text:
            plain = False
            break
    found = []
    for rule, find in _PLAIN_FINDERS if plain else _FINDERS:
        message = find(row, messages)
        if message and rule not in ignored:
            found.append(Caution(rule, message))
    return tuple(found)


def _cut_off(row: Any, messages: Sequence[Message]) -> str | None:
    """Finds an answer that stops in mid-sentence, judged only where its author ends sentences with a mark elsewhere."""
    if isinstance(row, dict) and row.get("finish_reason") == "length":
        return "the row's `finish_reason` is 'length'"
    if not messages or messages[-1]["role"] != "assistant" or messages[-1].get("tool_calls"):
        return None
    text = messages[-1]["content"].rstrip()
    if "`" in text and text.count("```") % 2:
        return f"turn {len(messages)} ends within a block of code"
    if len(text) >= LONG and text[-1] not in ".!?" and _stops(text):
        return f"turn {len(messages)} stops in mid-sentence at {text[-TAIL:]!r}"
    return None


def _stops(text: str) -> bool:
    """Tells whether a text of sentences ends in the middle of one."""
    last = text[text.rfind("\n") + 1 :]
    leads_on = text.endswith(_STOPPED) or (text[-1].isalpha() and _LEADS_ON.search(text[-TAIL:]))
    word = last.split()[-1]
    ends_bare = len(text) >= _LONGER and word.isalpha() and word.islower()  # no name, address or hashtag
    if not (leads_on or ends_bare) or len(last) <= TAIL or _ITEM.match(last):
        return False
    return len(_SENTENCE_END.findall(text)) >= 2


def _language_mix(row: Any, messages: Sequence[Message]) -> str | None:
    said = "\n".join(turn["content"] for turn in messages if turn["role"] == "assistant")
    if said.isascii() or not _ANY_LETTER.search(said):
        return None
    heard = "\n".join(turn["content"] for turn in messages if turn["role"] != "assistant")
    for name, letters in _LETTERS.items():
        count = len(letters.findall(said))
        if count >= _STRAY and not (
            letters.search(heard) or _one_language(name, heard) or _ASKED_FOR.search(heard)
        ):
            return f"the answers hold {count} letters of {name}, and nothing before them does"
    return None


def _one_language(name: str, heard: str) -> bool:
    """Tells whether a script goes with one that was heard: Japanese is written in Chinese characters too."""
    kin = {"Chinese": ("Japanese", "Korean"), "Japanese": ("Chinese",)}.get(name, ())
    return any(_LETTERS[other].search(heard) for other in kin)


def _template_tokens(row: Any, messages: Sequence[Message]) -> str | None:
    for place, turn in enumerate(messages, start=1):
        if found := _TEMPLATE.search(turn["content"]):
            return f"turn {place} holds {found[0]!r}"
    return None


def _repeats_itself(row: Any, messages: Sequence[Message]) -> str | None:
    for place, turn in enumerate(messages, start=1):
        text = turn["content"]
        if len(text) >= LONG and turn["role"] == "assistant":
            tail = text.rstrip()[-TAIL:]
            times = text.count(tail)
            if times >= TIMES and any(letter.isalnum() for letter in tail):
                return f"turn {place} says {tail!r} {times} times"
    return None


def _broken_characters(row: Any, messages: Sequence[Message]) -> str | None:
    for place, turn in enumerate(messages, start=1):
        if found := _MOJIBAKE.search(turn["content"]):
            return f"turn {place} holds {found[0]!r}"
    return None


def _failed_attempt(row: Any, messages: Sequence[Message]) -> str | None:
    reward = row.get("reward") if isinstance(row, dict) and row.get("traj") is not None else None
    return f"the reward is {reward:g}" if isinstance(reward, int | float) and reward <= 0 else None


_FINDERS: tuple[tuple[Rule, Callable[[Any, Sequence[Message]], str | None]], ...] = (
    (CUT_OFF, _cut_off),
    (LANGUAGE_MIX, _language_mix),
    (TEMPLATE_TOKENS, _template_tokens),
    (REPEATS_ITSELF, _repeats_itself),
    (BROKEN_CHARACTERS, _broken_characters),
    (FAILED_ATTEMPT, _failed_attempt),
)
_PLAIN_FINDERS = tuple(
    (rule, find) for rule, find in _FINDERS if rule not in (LANGUAGE_MIX, TEMPLATE_TOKENS, BROKEN_CHARACTERS)
)
