"""Constraints as a recipe or a command names them: rows by id or by file, sources, languages and twins by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError, unknown_name
from suffice.common.progress import Reporter, Silent
from suffice.data.language import check_languages, languages_of
from suffice.data.pool import Pool
from suffice.data.twins.clusters import cluster
from suffice.data.twins.pairs import Pairs
from suffice.data.twins.search import METHODS, THRESHOLDS, TwinSearch
from suffice.runs.selection import choices_from
from suffice.runs.selection_settings import SelectionSettings
from suffice.selectors.constraints import Constraints
from suffice.selectors.ground import Ground

SILENT = Silent()


@dataclass(frozen=True)
class Wanted:
    """Constraints as a recipe or a command names them.

    Attributes:
        pin: Ids of rows, or JSONL files of rows with ``id`` or ``messages``; chosen first, in this order.
        ban: Likewise; never chosen.
        at_least: How many rows of a source are chosen at the least.
        at_most: How many at the most.
        languages: Codes of the languages of rows that may be chosen; all where there is none.
        no_twins: How the twins are told of which no two are chosen: ``exact``, ``near`` or ``semantic``, with ``@`` and
            a threshold where it is not the usual one; `None` for any.
    """

    pin: Sequence[str] = ()
    ban: Sequence[str] = ()
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)
    languages: Sequence[str] = ()
    no_twins: str | None = None

    def check(self) -> None:
        """Refuses names that need no pool to be refused.

        Raises:
            UserError: A language or a way of telling twins is none.
        """
        check_languages(self.languages)
        if self.no_twins:
            read_twins(self.no_twins)

    def made(self, pool: Pool, cache: Path, reporter: Reporter = SILENT, *, seed: int = 0) -> Constraints:
        """Returns them as constraints on a pool.

        Args:
            pool: The pool.
            cache: A folder where languages and twins of rows are kept, to be looked up the next time.
            reporter: Where progress is told.
            seed: Seed of the search for twins.

        Raises:
            UserError: A file is missing or names a row that is not in the pool, or a name is none.
        """
        self.check()
        language = languages_of(pool, cache, reporter) if self.languages else None
        how = read_twins(self.no_twins, seed) if self.no_twins else None
        return Constraints(
            _ids(pool, self.pin),
            _ids(pool, self.ban),
            self.at_least,
            self.at_most,
            tuple(self.languages),
            f"{how.method}@{how.threshold:g}" if how else "",
            language,
            clusters_of(pool, how, cache, reporter) if how else None,
        )


ANYTHING = Wanted()


def wanted_by(settings: SelectionSettings) -> Wanted:
    """Returns what a recipe's selections must hold to."""
    return Wanted(
        settings.pin,
        settings.ban,
        settings.at_least,
        settings.at_most,
        settings.languages,
        settings.no_twins,
    )


def read_twins(text: str, seed: int = 0) -> TwinSearch:
    """Returns ``near`` or ``near@0.7`` as a search for twins.

    Raises:
        UserError: There is no such way of telling twins, or no such threshold.
    """
    method, sign, number = text.partition("@")
    if method not in METHODS:
        raise unknown_name("kind of twins", method, METHODS)
    try:
        threshold = float(number) if sign else THRESHOLDS[method]
    except ValueError:
        raise UserError(
            f"'{number}' is no threshold of twins", "write KIND@THRESHOLD, such as near@0.7"
        ) from None
    return TwinSearch(method, threshold, seed)


def clusters_of(pool: Pool, how: TwinSearch, cache: Path, reporter: Reporter) -> NDArray[np.int64]:
    """Returns the first row of each row's cluster of twins, itself where it has none [rows]."""
    key = how.key(pool)
    path = cache / f"twins-{key[:16]}.parquet"
    pairs = Pairs.read(path, key)
    if pairs is None:
        pairs = how.find(pool, reporter)
        pairs.write(path, key)
    found = cluster(pairs, how.threshold)
    clusters = np.arange(len(pool))
    clusters[found.rows] = found.cluster
    return clusters


def check_constraints(pool: Pool, budget: int, constraints: Constraints) -> None:
    """Refuses constraints that no selection can meet, whatever the scores.

    Raises:
        UserError: They cannot be met.
    """
    Ground(pool, constraints).check(budget)


def read_bounds(option: str, given: Iterable[str] | None) -> dict[str, int]:
    """Returns ``SOURCE=ROWS``, given any number of times, as the rows of each source.

    Raises:
        UserError: One has another form, or names a source twice.
    """
    bounds: dict[str, int] = {}
    for pair in given or ():
        source, sign, rows = pair.rpartition("=")
        if not (source and sign and rows.isascii() and rows.isdigit()) or source in bounds:
            raise UserError(
                f"{option} has '{pair}'", "write SOURCE=ROWS once for each source, such as web=100"
            )
        bounds[source] = int(rows)
    return bounds


def files_in(rows: Iterable[str]) -> list[Path]:
    """Returns those of ``pin`` or ``ban`` that are files."""
    return [Path(name) for name in rows if name.endswith(".jsonl")]


def _ids(pool: Pool, rows: Iterable[str]) -> tuple[str, ...]:
    ids: list[str] = []
    for name in rows:
        if name.endswith(".jsonl"):
            ids += [pool.ids[choice.index] for choice in choices_from(Path(name), pool)]
        else:
            ids.append(name)
    return tuple(ids)
