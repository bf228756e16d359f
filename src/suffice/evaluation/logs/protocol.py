"""What a reader of evaluation logs gives: one row a score, and what the log says about its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol


class LogRow(NamedTuple):
    """One score of one item.

    Attributes:
        task: The task or data set that the item belongs to.
        metric: What the score measures, such as ``exact_match``.
        item: What names the item in every run; empty in a log of averages.
        score: The score, a finite number in the log's own unit.
        filter: How the reply was read (lm-eval), who judged (AlpacaEval), or another condition (tables).
        run: The run, where the log holds several; else empty, and the log is one run.
        draw: The draw of rows that the run was trained on, where the log says; several runs may share one.
        arm: The arm, where the log holds several; else empty.
        sample: The number of the repetition, from 0. Repetitions are averaged and never count as runs.
        cluster: Items that count as one question share it.
        prompt: What the model was asked, where the log says.
        reply: What the model wrote, where the log says.
        answer: The reference, where the log says.
        order: Which of two replies a judge was shown first, ``model`` or ``reference``, where the log says.
        difficulty: How hard the item is, from a fit over many models, where the log says (AlpacaEval).
    """

    task: str
    metric: str
    item: str
    score: float
    filter: str = ""
    run: str = ""
    arm: str = ""
    sample: int = 0
    cluster: str = ""
    prompt: str = ""
    reply: str = ""
    answer: str = ""
    order: str = ""
    difficulty: float | None = None
    draw: str = ""


@dataclass(frozen=True)
class Log:
    """One evaluation log.

    Attributes:
        path: The file or folder.
        format: The name of its format.
        rows: Its scores.
        lower_is_better: Whether lower is better, by task and metric, where the log says.
        notes: What the reader left out or chose, each one sentence.
        unscored: Items that the log lists without a score, as its tool allows (AlpacaEval), by task, metric
            and filter.
        aggregates: Whether every score is the average of a run, so that nothing is known of items.
    """

    path: str
    format: str
    rows: list[LogRow]
    lower_is_better: dict[tuple[str, str], bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unscored: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    aggregates: bool = False


class LogFormat(Protocol):
    """One form in which evaluation tools write their scores."""

    def detect(self, path: Path) -> bool:
        """Tells whether a file or folder is in this format, from its names and its beginning."""

    def read(self, path: Path, columns: Mapping[str, str]) -> Log:
        """Returns the log that `detect` knows.

        Args:
            path: The file or folder.
            columns: Which column holds what (`suffice.evaluation.logs.table.COLUMNS`), for tables; other
                formats take ``cluster`` alone, or nothing.

        Raises:
            UserError: The log is damaged or unfinished, a score is missing or no finite number, an item is
                there twice in one run and sample, or a column is not known.
        """
