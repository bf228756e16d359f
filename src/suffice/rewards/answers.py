"""Extractors: what counts as the answer in a text. The same one is applied to reference and reply.

They are lenient on decoration and strict on content. Where a text holds no answer they return ``None``,
which never counts as right.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from suffice.common.errors import unknown_name

# 1,234.50, -3, -$5 or .5: grouped by commas in threes, or plain. A minus sign after a word, a number or a
# bracket is a subtraction or a range: "5-3" holds 5 and 3.
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)\]])[-\u2212])?\$?(?:(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.(?P<part>[0-9]+))?"
    r"|\.(?P<bare>[0-9]+))"
)
# A capital letter by itself; "A" and "I" before a word in lower case are the article and the pronoun.
_LETTER = r"(?<![\w'\u2019-])(?:[B-HJ]|[AI](?!\s+[a-z]))(?![\w'\u2019-])"
_CHOICE = re.compile(_LETTER)
_MARKED_CHOICE = re.compile(rf"\b(?i:answer|choice|option)\W*(?:(?i:is)\W+)?({_LETTER})")


def extract(extractor: str, text: str) -> str | None:
    """Finds the answer in a text.

    Args:
        extractor: One of `EXTRACTORS`.
        text: A reference answer or a reply.

    Returns:
        The answer in a normal form, in which equal answers are equal strings; `None` where there is none.

    Raises:
        UserError: There is no such extractor.
    """
    if extractor not in _FUNCTIONS:
        raise unknown_name("extractor", extractor, EXTRACTORS)
    return _FUNCTIONS[extractor](text)


def _number(text: str) -> str | None:
    """Returns the first number after the last ``####`` (the form of GSM8K), or without one the last number.

    Digit commas, a dollar sign, a percent sign, a trailing dot and needless zeros are dropped: "$1,018.50."
    is 1018.5. Fractions and powers are not understood: "3/4" holds 3 and 4.
    """
    _, mark, tail = text.rpartition("####")
    found = list(_NUMBER.finditer(tail))
    if not found:
        return None
    number = found[0 if mark else -1]
    whole = (number["whole"] or "").replace(",", "").lstrip("0") or "0"
    part = (number["part"] or number["bare"] or "").rstrip("0")
    value = f"{whole}.{part}" if part else whole
    return f"-{value}" if number["sign"] and value != "0" else value


def _exact(text: str) -> str | None:
    """Returns the whole text, every run of blanks and line breaks as one blank."""
    return " ".join(text.split()) or None


def _choice(text: str) -> str | None:
    """Returns the last letter from A to J after "answer", "choice" or "option", else the last by itself.

    It must be a capital: "Answer: B", "the answer is (B)", "B) Paris", "**B**".
    """
    found = _MARKED_CHOICE.findall(text) or _CHOICE.findall(text)
    return found[-1] if found else None


def _last_line(text: str) -> str | None:
    """Returns the last line that is not blank, every run of blanks in it as one."""
    lines = [line for line in text.splitlines() if line.strip()]
    return _exact(lines[-1]) if lines else None


_FUNCTIONS: dict[str, Callable[[str], str | None]] = {
    "number": _number,
    "exact": _exact,
    "choice": _choice,
    "last_line": _last_line,
}
EXTRACTORS = tuple(_FUNCTIONS)
