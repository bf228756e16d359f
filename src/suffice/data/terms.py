"""What is asked of rows beyond that they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from suffice.common.errors import UserError, unknown_name
from suffice.data.formats import load_formats
from suffice.data.rules import Rule, ignored_rules

PROVENANCE = ("source", "license", "licence")
"""Fields that any row may have, whatever its format."""


@dataclass(frozen=True)
class Terms:
    """What is asked of rows beyond that they can be read.

    Attributes:
        reject_twins: Whether all but the first of rows with the same content are rejected.
        ignored: Rules that rows may break.
        licenses: Licences that are allowed, in small letters; all, and none at all, where it is `None`.
        columns: The file's column for each field of a format, where the names differ.
    """

    reject_twins: bool = False
    ignored: frozenset[Rule] = frozenset()
    licenses: frozenset[str] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def check_columns(self) -> None:
        """Refuses fields that no format has.

        Raises:
            UserError: Naming the first such field, with a guess.
        """
        known = {name for format_ in load_formats().values() for name in format_.fields} | {*PROVENANCE}
        for name in self.columns:
            if name not in known:
                raise unknown_name("field", name, known)


def make_terms(
    columns: Mapping[str, str],
    ignore: Iterable[str],
    allow_license: Iterable[str] | None,
    *,
    reject_twins: bool = False,
) -> Terms:
    """Returns terms from the words of a command or a recipe.

    Args:
        columns: See `Terms`.
        ignore: Rules to ignore, as `ignored_rules` takes them.
        allow_license: Licences to allow, in any case; `None` or none at all for all.
        reject_twins: See `Terms`.

    Raises:
        UserError: A rule or a field is named that is none.
    """
    licenses = frozenset(name.casefold() for name in allow_license or ()) or None
    terms = Terms(reject_twins, ignored_rules(ignore), licenses, dict(columns))
    terms.check_columns()
    return terms


def read_columns(text: str | None) -> dict[str, str]:
    """Returns ``prompt=question,completion=answer`` as the column of each field.

    Raises:
        UserError: It has another form, or names a field twice.
    """
    columns: dict[str, str] = {}
    for pair in text.split(",") if text else []:
        name, sign, column = (word.strip() for word in pair.partition("="))
        if not (name and sign and column) or name in columns:
            raise UserError(
                f"--columns has '{pair}'", "write FIELD=COLUMN, such as prompt=question,completion=answer"
            )
        columns[name] = column
    return columns
