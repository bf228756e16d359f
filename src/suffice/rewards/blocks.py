"""Code blocks in replies."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)


def last_block(text: str) -> str:
    """Returns what the last block between lines of three backticks holds; without such a block the whole text."""
    found = _FENCE.findall(text)
    return found[-1] if found else text
