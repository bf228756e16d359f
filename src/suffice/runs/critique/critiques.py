"""Critiques: read from a file, and those kept that conclude as the checked answer does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from suffice.common.errors import UserError
from suffice.data.containers import RawRow
from suffice.data.conversation import check_values
from suffice.data.paths import expand, shown_path
from suffice.data.reading import read_rows
from suffice.data.rejected import Rejected
from suffice.data.rules import BAD_CONTENT, NOT_AN_OBJECT, RowError, Rule
from suffice.data.target import TargetItem
from suffice.rewards.judge import Judge
from suffice.rewards.protocol import Rollout

NO_CONCLUSION = Rule(
    "C101",
    "no-conclusion",
    "The critique does not end in a conclusion.",
    "end it in 'Conclusion: right' or 'Conclusion: wrong'",
)
FALSE_CONCLUSION = Rule(
    "C102",
    "false-conclusion",
    "The critique concludes otherwise than the checked answer does.",
    "leave the row out, or mend the critique",
)
NO_CRITIQUE = Rule(
    "C103", "no-critique", "There is nothing before the conclusion, or no answer at all.", "ask for it again"
)
NOT_TOLD = Rule(
    "C104", "not-told", "Whether the solution is right cannot be told.", "give the row a field `right`"
)
COPY = Rule("C105", "copy", "An earlier row has the same solution and critique.", "leave the row out")
UNKNOWN_EXAMPLE = Rule(
    "C106", "unknown-example", "The row names an example that is not there.", "name one by its id"
)

_TAIL = 200  # characters at the end of a critique in which its conclusion is looked for
_CONCLUSION = re.compile(
    r"\bconclusion[*_]{0,3}:[*_]{0,3}\s*[*_]{0,3}(right|wrong)[*_.!]{0,4}\s*(?:\[end\])?[*_.]{0,4}\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Critique:
    """A critique that is trained on.

    Attributes:
        solution: What is judged.
        text: The critique, ending in ``Conclusion: right`` or ``Conclusion: wrong``.
        right: Whether the solution is.
    """

    solution: str
    text: str
    right: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A critique as it came, not yet filtered.

    Attributes:
        place: The place of the example.
        solution: What is judged.
        text: The critique; a `RowError` says why there is none.
        right: Whether the solution is right; `None` where the reward has to say.
        file: Where it came from.
        line: The line there, from 1, or the number of the solution.
    """

    place: int
    solution: str
    text: str | RowError
    right: bool | None
    file: str
    line: int


@dataclass
class Filtered:
    """What came of filtering.

    Attributes:
        kept: The critiques of each example, by its place.
        rejected: The others.
    """

    kept: dict[int, list[Critique]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


def conclude(text: str) -> tuple[str, bool]:
    """Returns a critique with its ending in one form, and what it concludes.

    ``[END]``, stars of emphasis and a full stop after the conclusion are taken off.

    Raises:
        RowError: It ends in no conclusion, or says nothing before it.
    """
    whole = text.strip()
    found = _CONCLUSION.search(whole, max(0, len(whole) - _TAIL))
    if not found:
        raise RowError(NO_CONCLUSION, f"the critique ends in {whole[-40:]!r}")
    said = whole[: found.start()].strip(" \n*_")
    if not said:
        raise RowError(NO_CRITIQUE, "there is nothing before the conclusion")
    verdict = found[1].lower()
    return f"{said}\nConclusion: {verdict}", verdict == "right"


def read_critiques(
    file: str, places: Mapping[str, int], row: int | None
) -> tuple[list[Written], list[Rejected]]:
    """Reads critiques made elsewhere; a bad row is rejected with its reason.

    Args:
        file: Rows with ``solution`` and ``critique``, and where known ``right`` and the ``example``'s id.
        places: The place of each example by its id.
        row: The place of the one example where the recipe names it: rows without ``example`` are of it.

    Raises:
        UserError: There is no such file, it is more than one, or rows name no example and the recipe neither.
    """
    paths = expand([file])
    if len(paths) > 1:
        raise UserError(f"'{file}' matches {len(paths)} files", "name one of them")
    shown, written, rejected = shown_path(paths[0]), list[Written](), list[Rejected]()
    for raw in read_rows(paths[0]):
        try:
            fields = _fields(raw)
            place = row if fields["example"] is None else places.get(str(fields["example"]))
            if place is None and fields["example"] is None:
                raise UserError(
                    f"{shown}, line {raw.line}: the row does not say of which example it is",
                    "give choice.row, or the field `example`",
                )
            if place is None:
                raise RowError(UNKNOWN_EXAMPLE, f"the example '{str(fields['example'])[:80]}' is not known")
            solution, text = fields["solution"].strip(), fields["critique"]
            written.append(Written(place, solution, text, fields["right"], shown, raw.line))
        except RowError as error:
            rejected.append(Rejected.from_error(shown, raw.line, error, raw.value))
    return written, rejected


def filtered(written: Sequence[Written], examples: Sequence[TargetItem], judge: Judge) -> Filtered:
    """Keeps the critiques that can be trained on: each once, and ending in a conclusion that is true.

    Args:
        written: The critiques as they came.
        examples: The examples.
        judge: Tells whether a solution is right where the critique does not bring it along: worth 1 is.
    """
    asked = [one for one in written if one.right is None]
    rollouts = [
        Rollout(examples[one.place].messages, one.solution, examples[one.place].answer) for one in asked
    ]
    told = iter(judge(rollouts))
    found, seen = Filtered(), set[tuple[int, str, str]]()
    for one in written:
        right = one.right
        if right is None and (value := next(told)) is not None:
            right = value == 1
        try:
            critique = _kept(one, right, seen)
            found.kept.setdefault(one.place, []).append(critique)
        except RowError as error:
            text = None if isinstance(one.text, RowError) else one.text
            row = {
                "example": examples[one.place].id,
                "solution": one.solution,
                "critique": text,
                "right": right,
            }
            found.rejected.append(Rejected.from_error(one.file, one.line, error, row))
    return found


def _kept(one: Written, right: bool | None, seen: set[tuple[int, str, str]]) -> Critique:
    if isinstance(one.text, RowError):
        raise one.text
    if right is None:
        raise RowError(NOT_TOLD, "the reward of the solution is missing")
    text, concluded = conclude(one.text)
    if concluded != right:
        true = "right" if right else "wrong"
        raise RowError(FALSE_CONCLUSION, f"the critique concludes otherwise, and the solution is {true}")
    if (one.place, one.solution, text) in seen:
        raise RowError(COPY, "the same solution and critique came before")
    seen.add((one.place, one.solution, text))
    return Critique(one.solution, text, right)


def _fields(raw: RawRow) -> dict[str, Any]:
    """Returns the fields of a row, checked.

    Raises:
        RowError: One is missing or is something else.
    """
    if raw.error:
        raise raw.error
    if not isinstance(raw.value, dict):
        raise RowError(NOT_AN_OBJECT, "the row is no object")
    fields: dict[str, Any] = {
        name: raw.value.get(name) for name in ("solution", "critique", "right", "example")
    }
    for name in ("solution", "critique"):
        if not isinstance(fields[name], str) or not fields[name].strip():
            raise RowError(BAD_CONTENT, f"the row has no `{name}`", f"give `{name}` as text")
    if not isinstance(fields["right"], bool | None):
        raise RowError(
            BAD_CONTENT, "`right` is neither true nor false", "write true or false, or leave it out"
        )
    if fields["example"] is not None and not isinstance(fields["example"], str | int):
        raise RowError(BAD_CONTENT, "`example` is no id", "write the id of an example, or leave it out")
    check_values([fields["solution"], fields["critique"], fields["example"]])
    return fields
