"""The rules of the style sheet for drawings, as the properties that an element has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        selector: Names of elements and ``.classes``, outermost first.
        properties: Its properties.
    """

    selector: tuple[str, ...]
    properties: Mapping[str, str]

    def fits(self, path: Sequence[frozenset[str]]) -> bool:
        """Tells whether the rule is about an element.

        Args:
            path: The names (its own and its ``.classes``) of each element from the outermost to this one.
        """
        if self.selector[-1] not in path[-1]:
            return False
        outer = iter(path[:-1])
        return all(any(part in names for names in outer) for part in self.selector[:-1])


def rules(css: str) -> list[Rule]:
    """Returns the rules of a sheet of simple selectors, in its order.

    Args:
        css: Without rules inside rules.
    """
    found = []
    for selectors, body in _RULE.findall(_COMMENT.sub("", css)):
        pairs = (line.split(":", 1) for line in body.split(";") if line.strip())
        properties = {name.strip(): value.strip() for name, value in pairs}
        found += [Rule(tuple(selector.split()), properties) for selector in selectors.split(",")]
    return found


def variables(css: str) -> dict[str, str]:
    """Returns the variables that the first ``:root`` of a sheet sets, which are those of a light page."""
    block = css[css.index(":root {") : css.index("}")]
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block))


def resolved(properties: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Returns properties with the values of their variables.

    Raises:
        KeyError: A variable is not known.
    """
    return {
        name: _VARIABLE.sub(lambda found: known[found.group(1)], value) for name, value in properties.items()
    }
