"""Logs of inspect-ai: ``.eval`` and ``.json`` files, or a folder of them, read by inspect-ai's own library.

Source: `inspect_ai/log/_log.py` and `inspect_ai/scorer/_metric.py` of inspect-ai 0.3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suffice.common.errors import UserError
from suffice.data.reading import shown_path
from suffice.evaluation.logs.protocol import Log, LogRow
from suffice.evaluation.logs.rows import Rows, as_number, as_text, listed, only_columns, short

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

_HEAD = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:')
_AGAIN = "run the evaluation again, or finish it with `inspect eval-retry`"
_WORDS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # correct, incorrect, partly, no answer
_TRUTH = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_UNREAD = {"events", "messages", "store", "attachments"}


class InspectAI:
    """An ``EvalLog``: samples, each with an id, an epoch and a score from every scorer."""

    def detect(self, path: Path) -> bool:
        """Tells whether the path is such a log, or a folder with one at any depth."""
        return bool(_log_files(path))

    def read(self, path: Path, columns: Mapping[str, str]) -> Log:
        """Returns the log; of a folder, the newest finished log of each task.

        The metric is the scorer's name; a scorer that gives an object has one metric for each key, named
        ``scorer.key``. Epochs are samples. ``C``, ``I``, ``P``, ``N`` and the like become numbers as inspect-ai's
        ``value_to_float`` makes them; what it would turn into 0 with a warning is refused.

        Args:
            path: The file or folder.
            columns: ``cluster`` may name a field of the samples' metadata.

        Raises:
            UserError: inspect-ai is not installed, the log is damaged, unfinished or invalidated, a sample
                ended in an error, or a score is missing or no number.
        """
        only_columns(columns, ("cluster",), "an inspect-ai log")
        notes: list[str] = []
        rows: list[LogRow] = []
        for file in _choose(path, notes):
            rows += _read_file(file, columns.get("cluster"), notes)
        return Log(shown_path(path), "inspect_ai", rows, notes=notes)


def as_score(value: Any) -> float | None:
    """Returns a scalar score as inspect-ai's ``value_to_float`` does, or `None` where that finds no number."""
    if not isinstance(value, str):
        return as_number(value)
    known = _WORDS.get(value, _TRUTH.get(value.lower()))
    if known is not None:
        return known
    try:
        return as_number(float(value))
    except ValueError:
        return None


def _log_files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in sorted(path.rglob("*")) if file.is_file() and _is_log(file)]
    return [path] if _is_log(path) else []


def _is_log(file: Path) -> bool:
    if file.suffix == ".eval":
        return True
    if file.suffix != ".json":
        return False
    try:
        with file.open("rb") as stream:
            return bool(_HEAD.match(stream.read(200)))
    except OSError:
        return False


def _load(file: Path, *, header_only: bool = False) -> EvalLog:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise UserError(
            f"{shown_path(file)} is a log of inspect-ai, which is not installed to read it",
            "run pip install 'suffice[evaluators]'",
        ) from error
    try:
        return read_eval_log(str(file), header_only=header_only, exclude_fields=_UNREAD)
    except Exception as error:  # whatever is wrong with a file that somebody sent
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{shown_path(file)} cannot be read as an inspect-ai log: {reason}", "fetch or write the log anew"
        ) from error


def _choose(path: Path, notes: list[str]) -> list[Path]:
    """Returns the file, or of a folder the newest finished log of each task."""
    if not path.is_dir():
        return [path]
    found: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    models, kinds = set(), set()
    for file in _log_files(path):
        head = _load(file, header_only=True)
        models.add(head.eval.model)
        kinds.add((head.eval.task, as_text(head.eval.task_args)))
        if head.status == "success":
            found[head.eval.task].append((head.eval.created, file))
        else:
            notes.append(f"{shown_path(file)} is passed over: its evaluation ended as '{head.status}'.")
    _one_of_each(path, models, kinds)
    if not found:
        raise UserError(f"{shown_path(path)} has no finished inspect-ai log", _AGAIN)
    for task, dated in found.items():
        if len(dated) > 1:
            notes.append(
                f"{shown_path(path)} holds task {task!r} {len(dated)} times; the newest is read "
                f"({max(dated)[1].name}). Give the files as NAME=FILE,FILE where they are runs."
            )
    return [max(dated)[1] for _, dated in sorted(found.items())]


def _one_of_each(path: Path, models: set[str], kinds: set[tuple[str, str]]) -> None:
    """Refuses a folder with several models, or with one task under several settings."""
    if len(models) > 1:
        raise UserError(
            f"{shown_path(path)} holds logs of {len(models)} models: {', '.join(sorted(models))}",
            "give the logs of one model, or each arm as NAME=FILE,FILE",
        )
    tasks = [task for task, _ in kinds]
    several = sorted({task for task in tasks if tasks.count(task) > 1})
    if several:
        raise UserError(
            f"{shown_path(path)} holds task {several[0]!r} with several sets of task arguments",
            "give the files one by one, as NAME=FILE",
        )


def _read_file(file: Path, cluster: str | None, notes: list[str]) -> list[LogRow]:
    log = _load(file)
    if log.status != "success" or log.invalidated:
        state = "was invalidated" if log.invalidated else f"ended as '{log.status}'"
        raise UserError(f"{shown_path(file)} is the log of an evaluation that {state}", _AGAIN)
    if not log.samples:
        raise UserError(f"{shown_path(file)} has no samples", "run the evaluation with log_samples")
    reducers = [name for name in log.eval.config.epochs_reducer or [] if name != "mean"]
    if reducers and (log.eval.config.epochs or 1) > 1:
        notes.append(
            f"{shown_path(file)}: inspect-ai reduced epochs by {', '.join(reducers)}; here they are averaged."
        )
    rows = Rows(file, "give every sample of the dataset an id of its own")
    for sample in log.samples:
        _add_sample(rows, file, log.eval.task, sample, cluster)
    return rows.rows


def _add_sample(rows: Rows, file: Path, task: str, sample: EvalSample, cluster: str | None) -> None:
    """Adds the scores of one sample in one epoch."""
    item = as_text(sample.id)
    place = f"sample {short(item)}, epoch {sample.epoch}"
    if not sample.scores:  # a sample that ended in an error has some where inspect-ai was told to score it
        told = "ended in an error" if sample.error else "has no score"
        raise UserError(f"{shown_path(file)}, {place}: the sample {told}", _AGAIN)
    if cluster is not None and cluster not in sample.metadata:
        raise UserError(
            f"{shown_path(file)}, {place}: the metadata have no '{cluster}' (asked for as cluster)",
            f"choose from: {listed(sample.metadata)}",
        )
    for scorer, score in sample.scores.items():
        for metric, value in _metrics(scorer, score.value, file, place).items():
            number = as_score(value)
            row = LogRow(
                task=task,
                metric=metric,
                item=item,
                score=rows.score(value if number is None else number, item, f"{place}, {metric}"),
                sample=sample.epoch - 1,
                cluster=item if cluster is None else as_text(sample.metadata[cluster]),
                prompt=_prompt(sample),
                reply=as_text(sample.output.completion),
                answer=sample.target if isinstance(sample.target, str) else as_text(sample.target),
            )
            rows.add(row, place)


def _metrics(scorer: str, value: Any, file: Path, place: str) -> dict[str, Any]:
    """Returns the scalar values of a score by metric."""
    if isinstance(value, Mapping) and value:
        return {f"{scorer}.{key}": part for key, part in value.items()}
    if isinstance(value, list | Mapping):
        raise UserError(
            f"{shown_path(file)}, {place}: scorer {scorer!r} gives {short(value)}, which is no single number",
            "score with one number, or an object of numbers, for each sample",
        )
    return {scorer: value}


def _prompt(sample: EvalSample) -> str:
    if isinstance(sample.input, str):
        return as_text(sample.input)
    return "\n".join(f"{turn.role}: {as_text(turn.text)}" for turn in sample.input)
