"""The arms of a comparison, from what the command line names: ``NAME=PATH,PATH`` or ``PATH``."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.common.errors import UserError
from suffice.data.reading import shown_path
from suffice.evaluation.logs import read_log
from suffice.evaluation.logs.protocol import Log, LogRow

_SUFFIX = re.compile(r"\.(jsonl|ndjson|json|parquet|csv|tsv|eval)(\.gz|\.xz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class LoggedArm:
    """One arm of a comparison.

    Attributes:
        name: Its name.
        logs: Its logs, for their notes and the direction of their metrics.
        rows: Its scores; each has the name of its run.
        runs: The runs in order: one for each path, or for each value of a log's run and draw columns.
    """

    name: str
    logs: list[Log]
    rows: list[LogRow]
    runs: list[str]

    @property
    def notes(self) -> list[str]:
        """What the readers of its logs left out or chose, each sentence once."""
        return list(dict.fromkeys(note for log in self.logs for note in log.notes))


def load_arms(specs: Sequence[str], columns: Mapping[str, str] | None = None) -> list[LoggedArm]:
    """Reads the arms of a comparison.

    Each path of an arm is one run, unless a column tells runs apart. Where a column tells arms apart
    (``arm=method``), every path may hold several arms, and the same arm in two paths has the runs of both.

    Args:
        specs: Each ``NAME=PATH,PATH``, where a path may be a pattern such as ``seed-*.jsonl``, or ``PATH``, which
            is called by its own name.
        columns: See `suffice.evaluation.logs.read_log`.

    Returns:
        The arms in the order given.

    Raises:
        UserError: A spec cannot be understood, a path is given twice, two arms have one name, or a log is not
            as it should be.
    """
    columns = columns or {}
    named = [_parse(spec) for spec in specs]
    _refuse_twice([path for _, paths in named for path in paths])
    if "arm" in columns:
        return _arms_of_column(named, columns)
    arms: dict[str, LoggedArm] = {}
    for name, paths in named:
        name = name or _SUFFIX.sub("", shown_path(Path(paths[0].resolve().name)))
        if name in arms:
            raise UserError(f"two arms are called '{name}'", "name them: A=PATH B=PATH")
        arms[name] = _arm(name, [read_log(path, columns) for path in paths])
    return list(arms.values())


def _parse(spec: str) -> tuple[str, list[Path]]:
    """Returns the name (empty where none is given) and the paths of a spec."""
    if Path(spec).exists():
        return "", [Path(spec)]
    name, found, rest = spec.partition("=")
    parts = [part.strip() for part in (rest if found else spec).split(",") if part.strip()]
    if not parts or (found and not name.strip()):
        raise UserError(f"'{spec}' names no arm", "write NAME=PATH,PATH or PATH")
    if not found and len(parts) > 1:
        raise UserError(f"'{spec}' gives several logs without a name", f"name the arm: NAME={spec}")
    return name.strip() if found else "", [path for part in parts for path in _paths(part)]


def _paths(part: str) -> list[Path]:
    """Returns the paths that a part stands for: itself, or those that match it as a pattern."""
    if Path(part).exists() or not glob.has_magic(part):
        return [Path(part)]
    found = sorted(glob.glob(part, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
    if not found:
        raise UserError(f"no log matches '{part}'", "check the folder and the pattern")
    return [Path(name) for name in found]


def _refuse_twice(paths: list[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        place = path.resolve()
        if place in seen:
            raise UserError(
                f"{shown_path(path)} is given twice",
                "give every log once: a copy is neither a run nor an arm",
            )
        seen.add(place)


def _arm(name: str, logs: list[Log]) -> LoggedArm:
    rows = []
    for log in logs:
        rows += [row._replace(run=_run(row, log, len(logs)), arm=name) for row in log.rows]
    return LoggedArm(name, logs, rows, list(dict.fromkeys(row.run for row in rows)))


def _run(row: LogRow, log: Log, logs: int) -> str:
    """Returns what a run is called: by its draw and its run column, its path, or all where all are needed."""
    run = f"draw {row.draw}{f', run {row.run}' if row.run else ''}" if row.draw else row.run
    if not run:
        return log.path
    return run if logs == 1 else f"{log.path}: {run}"


def _arms_of_column(named: list[tuple[str, list[Path]]], columns: Mapping[str, str]) -> list[LoggedArm]:
    for name, _ in named:
        if name:
            raise UserError(
                f"the column '{columns['arm']}' names the arms, and so does '{name}='", "give the paths alone"
            )
    logs = [read_log(path, columns) for _, paths in named for path in paths]
    parts: dict[str, list[Log]] = {}
    for log in logs:
        by_arm: dict[str, list[LogRow]] = {}
        for row in log.rows:
            by_arm.setdefault(row.arm, []).append(row)
        for name, rows in by_arm.items():
            parts.setdefault(name, []).append(_with_rows(log, rows))
    return [_arm(name, found) for name, found in parts.items()]


def _with_rows(log: Log, rows: list[LogRow]) -> Log:
    return Log(log.path, log.format, rows, log.lower_is_better, log.notes, log.unscored, log.aggregates)
