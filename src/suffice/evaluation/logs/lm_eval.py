"""Logs of lm-evaluation-harness: the folder that ``--log_samples`` writes, or one of its sample files.

The files are read without the library. A document is known by ``doc_hash`` and ``target_hash``, so that neither
order nor ``--limit`` matters. Checked against lm-eval 0.4.13 (`lm_eval/evaluator.py`,
`lm_eval/loggers/evaluation_tracker.py`).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from suffice.common.errors import UserError
from suffice.common.files import read_json
from suffice.data.reading import shown_path
from suffice.evaluation.logs.protocol import Log, LogRow
from suffice.evaluation.logs.rows import Rows, as_number, as_text, listed, objects, only_columns, short

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?)\.jsonl")
_FIELDS = ("doc_id", "doc_hash", "target_hash", "filter", "metrics")
_AGAIN = "run lm_eval again with --log_samples"
_Line = tuple[str, dict[str, Any]]  # its place in words, and what it holds


class _Part(NamedTuple):
    """The lines of one task under one filter, and what names the document of each."""

    file: Path
    task: str
    filter: str
    lines: list[_Line]
    items: list[str]


class LmEval:
    """``samples_<task>_<date>.jsonl`` and ``results_<date>.json``."""

    def detect(self, path: Path) -> bool:
        """Tells whether the path is a sample file, or a folder with one at any depth."""
        return bool(_sample_files(path))

    def read(self, path: Path, columns: Mapping[str, str]) -> Log:
        """Returns all tasks of a folder, or the task of one file.

        A row is one (document, filter, metric); where a metric holds one value for each of lm-eval's
        ``repeats``, each is a sample. Metrics that lm-eval does not average over documents are left out with a
        note. Of several dates of one task the newest is read.

        Args:
            path: The folder or file.
            columns: ``cluster`` may name a field of the documents, such as ``passage``.

        Raises:
            UserError: A file is damaged or cut short, lacks hashes, or one task is in several folders.
        """
        only_columns(columns, ("cluster",), "an lm-eval log")
        rows: list[LogRow] = []
        lower: dict[tuple[str, str], bool] = {}
        notes: list[str] = []
        for task, file in _newest(path, notes).items():
            results = _results(file, notes)
            rows += _read_task(task, file, results, columns.get("cluster"), notes)
            for metric, higher in _of(results, "higher_is_better", task).items():
                if isinstance(higher, bool):
                    lower[task, metric] = not higher
        if not rows:
            raise UserError(f"{shown_path(path)} has no metric with a score for each item", _AGAIN)
        return Log(shown_path(path), "lm_eval", rows, lower, notes)


def _sample_files(path: Path) -> list[Path]:
    files = sorted(path.rglob("samples_*.jsonl")) if path.is_dir() else [path]
    return [file for file in files if _NAME.fullmatch(file.name)]


def _newest(path: Path, notes: list[str]) -> dict[str, Path]:
    """Returns the newest file of each task, by task."""
    found: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for file in _sample_files(path):
        match = _NAME.fullmatch(file.name)
        assert match
        found[match["task"]].append((match["date"], file))
    for task, dated in found.items():
        folders = sorted({shown_path(file.parent) for _, file in dated})
        if len(folders) > 1:
            raise UserError(
                f"{shown_path(path)} holds task '{task}' in {len(folders)} folders, "
                f"first {folders[0]} and {folders[1]}",
                "give the folder of one model, or several as NAME=FOLDER,FOLDER where they are runs",
            )
        if len(dated) > 1:
            notes.append(
                f"{shown_path(path)} holds task '{task}' {len(dated)} times; the newest is read "
                f"({max(dated)[0]}). Give the files as NAME=FILE,FILE where they are runs."
            )
    return {task: max(dated)[1] for task, dated in sorted(found.items())}


def _results(file: Path, notes: list[str]) -> dict[str, Any]:
    """Returns what the results file of the same date holds; nothing where there is none."""
    match = _NAME.fullmatch(file.name)
    assert match
    paths = sorted(file.parent.glob(f"*_{match['date']}.json"))
    if not paths:
        notes.append(
            f"{shown_path(file)} has no results file beside it: higher is taken to be better, and nothing "
            "shows whether the file is whole."
        )
        return {}
    try:
        value = read_json(paths[0])
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{shown_path(paths[0])} cannot be read as JSON: {error}", _AGAIN) from error
    return value if isinstance(value, dict) else {}


def _of(results: dict[str, Any], *names: str) -> dict[str, Any]:
    """Returns an object inside an object, or an empty one."""
    value: Any = results
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _read_task(
    task: str, file: Path, results: dict[str, Any], cluster: str | None, notes: list[str]
) -> list[LogRow]:
    """Returns the rows of one file."""
    by_filter: dict[str, list[_Line]] = defaultdict(list)
    for place, line in objects(file):
        missing = [name for name in _FIELDS if name not in line]
        if missing or not isinstance(line["metrics"], list):
            raise UserError(
                f"{shown_path(file)}, {place}: the sample lacks {', '.join(missing) or 'a list of metrics'}",
                f"{_AGAIN}, with lm-eval 0.4.2 or newer",
            )
        by_filter[as_text(line["filter"])].append((place, line))
    _check_whole(file, by_filter, _of(results, "n-samples", task).get("effective"))
    rows = []
    for name, lines in by_filter.items():
        part = _Part(file, task, name, lines, _items(file, lines))
        for metric in dict.fromkeys(as_text(metric) for _, line in lines for metric in line["metrics"]):
            found = _read_metric(part, metric, cluster)
            reported = as_number(_of(results, "results", task).get(f"{metric},{name}"))
            mean = fmean(row.score for row in found) if found else math.nan
            if found and (reported is None or math.isclose(mean, reported, rel_tol=1e-6, abs_tol=1e-9)):
                rows += found
                continue
            told = f" ({reported:.6g}; the mean of the items is {mean:.6g})" if found else ""
            notes.append(
                f"Metric {metric!r} of task {task!r} (filter {name!r}) is left out: lm-eval makes it of all items "
                f"together{told}, so that items cannot be compared."
            )
    return rows


def _check_whole(file: Path, by_filter: dict[str, list[_Line]], effective: Any) -> None:
    """Refuses a file that holds fewer documents than were evaluated."""
    counts = [len(lines) for lines in by_filter.values()] or [0]
    expected = effective if isinstance(effective, int) else max(counts)
    if min(counts) < max(expected, 1):
        raise UserError(
            f"{shown_path(file)} holds {min(counts):,} of {max(expected, 1):,} documents",
            f"{_AGAIN}: it is cut short",
        )


def _items(file: Path, lines: list[_Line]) -> list[str]:
    """Returns what names the document of each line of one filter: the ends of its hashes, twins numbered."""
    seen: dict[str, str] = {}
    twins: Counter[str] = Counter()
    items = []
    for place, line in lines:
        number = as_text(line["doc_id"])
        if number in seen:
            raise UserError(
                f"{shown_path(file)}, {place}: document {short(number)} was there before, in {seen[number]}",
                _AGAIN,
            )
        seen[number] = place
        item = f"{as_text(line['doc_hash'])[:16]}-{as_text(line['target_hash'])[:8]}"
        twins[item] += 1
        items.append(item if twins[item] == 1 else f"{item}-{twins[item]}")
    return items


def _read_metric(part: _Part, metric: str, cluster: str | None) -> list[LogRow]:
    """Returns the rows of one metric; none where its values are not numbers."""
    rows = Rows(part.file, _AGAIN)
    for (place, line), item in zip(part.lines, part.items, strict=True):
        if metric not in line["metrics"]:
            continue
        values = _samples(line, line.get(metric))
        if not values:
            return []
        for sample, value in enumerate(values):
            row = LogRow(
                task=part.task,
                metric=metric,
                item=item,
                score=rows.score(value, item, f"{place}, {metric}"),
                filter=part.filter,
                sample=sample,
                cluster=_cluster(part.file, place, line, cluster),
                prompt=_argument(line, 0, 0),
                reply=_reply(line, sample if len(values) > 1 else None),
                answer=as_text(line.get("target")),
            )
            rows.add(row, place)
    return rows.rows


def _samples(line: dict[str, Any], value: Any) -> list[Any]:
    """Returns the values that a metric holds for one document: one, or one for each repeat.

    A list of another length is no score, but what lm-eval makes one of later (such as gold and prediction).
    """
    if not isinstance(value, list | dict | str):
        return [value]
    repeats = _first(line.get("resps"))
    if isinstance(value, list) and isinstance(repeats, list) and len(repeats) == len(value) > 1:
        return value
    return []


def _cluster(file: Path, place: str, line: dict[str, Any], field: str | None) -> str:
    if field is None:
        return as_text(line["doc_hash"])
    document = line.get("doc")
    if not isinstance(document, dict) or field not in document:
        known = listed(document) if isinstance(document, dict) else "none"
        raise UserError(
            f"{shown_path(file)}, {place}: the document has no field '{field}' (asked for as cluster)",
            f"choose from: {known}",
        )
    return as_text(document[field])


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _argument(line: dict[str, Any], request: int, place: int) -> str:
    """Returns an argument of a request: 0 is the prompt, 1 a choice's text (or generation settings)."""
    arguments = line.get("arguments")
    if isinstance(arguments, dict):
        return as_text(_of(arguments, f"gen_args_{request}").get(f"arg_{place}"))
    found = arguments[request] if isinstance(arguments, list) and len(arguments) > request else None
    return as_text(found[place]) if isinstance(found, list) and len(found) > place else ""


def _reply(line: dict[str, Any], sample: int | None) -> str:
    """Returns the reply that was scored; of a multiple choice, the choice with the highest likelihood.

    Where only the likelihood of one text was measured, nothing was written.
    """
    if sample is not None:
        return as_text(line["resps"][0][sample])
    filtered = line.get("filtered_resps")
    if not isinstance(filtered, list) or not filtered:
        return ""
    chances = [chance for pair in filtered if (chance := _likelihood(pair)) is not None]
    if len(chances) == len(filtered):
        return _argument(line, chances.index(max(chances)), 1) if len(chances) > 1 else ""
    return as_text(filtered[0])


def _likelihood(pair: Any) -> float | None:
    """Returns the log likelihood of a logged pair such as ``["-3.5", "False"]``."""
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    try:
        return as_number(float(pair[0]))
    except (TypeError, ValueError):
        return None
