"""The store of records that the calls of the ``tool`` family act on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CALL = re.compile(r"call (?:(get|del|open) ([A-Z0-9]+)|(set) ([A-Z0-9]+) ([0-9]{1,2}))")


@dataclass
class Store:
    """Numbers under codes; a locked record can be read, but must be opened before it is changed.

    Attributes:
        records: The numbers by code.
        locked: The codes that are locked.
    """

    records: dict[str, int]
    locked: set[str] = field(default_factory=set)

    def act(self, line: str) -> str:
        """Carries out a call and returns what the model gets to see.

        Args:
            line: ``call get CODE``, ``call set CODE NUMBER``, ``call del CODE`` or ``call open CODE``.

        Returns:
            The number that was read, ``ok``, ``locked``, ``missing``, or ``error`` for anything else.
        """
        found = CALL.fullmatch(line)
        if not found:
            return "error"
        verb, code = found[1] or found[3], found[2] or found[4]
        if verb != "set" and code not in self.records:
            return "missing"
        if verb == "get":
            return str(self.records[code])
        if verb == "open":
            self.locked.discard(code)
            return "ok"
        if code in self.locked:
            return "locked"
        if verb == "set":
            self.records[code] = int(found[5])
        else:
            del self.records[code]
        return "ok"


def called(reply: str) -> str | None:
    """Returns the call that a reply ends in, if it ends in one."""
    last = reply.rsplit("\n", 1)[-1]
    return last if last.startswith("call ") else None
