"""The pretraining text: its kinds of document, their shares, and document ``i`` of a seed."""

from __future__ import annotations

from collections.abc import Callable

from suffice.common.draws import Draws
from suffice.lab.documents import practice, reference, talk
from suffice.lab.tool import documents as tool
from suffice.lab.world import World

KINDS: dict[str, Callable[[World, Draws], str]] = {
    "encyclopedia": reference.encyclopedia,
    "gazetteer": reference.gazetteer,
    "glossary": reference.glossary,
    "chat": talk.chat,
    "forum": talk.forum,
    "quiz": talk.quiz,
    "filler": talk.filler,
    "textbook": practice.textbook,
    "drill": practice.drill,
    "lookup": practice.lookup,
    "copying": practice.copying,
    "tool": tool.tool,
}

# Shares by document, in percent.
MIX: dict[str, float] = {
    "encyclopedia": 28.5,
    "gazetteer": 1.5,
    "glossary": 2,
    "chat": 22,
    "forum": 3,
    "quiz": 9.5,
    "filler": 0.5,
    "textbook": 7,
    "drill": 4.5,
    "lookup": 3,
    "copying": 5.5,
    "tool": 13,
}


def document(world: World, index: int) -> str:
    """Returns document ``index`` of the pretraining text; every index has a stream of its own."""
    draws = Draws(world.seed, "document", index)
    return KINDS[draws.weighted(MIX)](world, draws)
