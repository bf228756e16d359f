"""``suffice check``: files read in one pass, with an account of each, and where asked written as a pool."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import jsonl_writer
from suffice.common.progress import Reporter
from suffice.data.batches import SCHEMA, examples_of, with_column
from suffice.data.cautions import Caution
from suffice.data.example import Example
from suffice.data.findings import Findings
from suffice.data.intake import FileReading, Intake
from suffice.data.paths import expand
from suffice.data.pool import read_batches, total_size
from suffice.data.rejected import Rejected
from suffice.data.rules import REFUSED_BY_TEMPLATE, TOO_LONG
from suffice.data.tables import write_batches
from suffice.data.terms import Terms
from suffice.runs.folder import RunFolder
from suffice.scale.local import Workers, cores

if TYPE_CHECKING:
    from suffice.models import ChatTokenizer

SHOWN = 3


@dataclass
class Checked:
    """What came of checking files.

    Attributes:
        files: The account of each file.
        findings: What is wrong in them.
        shown: The first rows of each file that can be used.
    """

    files: list[FileReading]
    findings: Findings
    shown: dict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))

    @property
    def accepted(self) -> int:
        """How many rows can be used."""
        return sum(file.accepted for file in self.files)

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(file.rows for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Returns the account; of each file rows = accepted + rejected, and each rejected row counts as one error."""
        return {"files": [self._file(file) for file in self.files]}

    def _file(self, file: FileReading) -> dict[str, Any]:
        found = {
            "path": file.path,
            "format": file.format,
            "rows": file.rows,
            "accepted": file.accepted,
            "rejected": file.rejected,
            "warnings": dict(sorted(self.findings.warnings[file.path].items())),
            "errors": dict(sorted(self.findings.errors[file.path].items())),
        }
        return found if file.broken is None else found | {"broken_at_byte": file.broken}


def check_files(
    patterns: list[str], terms: Terms, reporter: Reporter, *, model: ChatTokenizer | None, out: Path | None
) -> Checked:
    """Reads files and keeps account of them; no more than a batch of rows is held at a time.

    Args:
        patterns: Files, folders, globs or ``hf://`` ids.
        terms: What is asked of rows.
        reporter: Where progress is told.
        model: The tokenizer whose window and template rows are held against.
        out: A folder for ``pool.parquet`` and ``rejected.jsonl``.

    Raises:
        UserError: A file is missing, or ``out`` holds a run.
    """
    paths = expand(patterns)
    findings = Findings()
    with ExitStack() as stack:
        write = stack.enter_context(jsonl_writer(_folder(out).rejected)) if out else None
        crew = stack.enter_context(Workers(cores()))
        intake = Intake(terms, _rejecter(findings, write), findings.warn, crew.stream)
        task = stack.enter_context(reporter.track("check", total_size(paths), "MB"))
        checked = Checked(intake.files, findings)
        batches = read_batches(intake, paths, lambda count: task.advance(count / 1e6))
        if model:
            batches = _measured(batches, model, terms, findings)
        batches = _sampled(batches, checked)
        if out:
            write_batches(_folder(out).pool, SCHEMA, batches)
        else:
            deque(batches, maxlen=0)
        task.result(f"{checked.accepted:,} of {checked.rows:,} rows can be used")
    return checked


def _folder(out: Path) -> RunFolder:
    folder = RunFolder(out)
    if folder.recipe_file.exists():
        raise UserError(f"{folder.path} holds a run, which has a pool of its own", "choose a new --out")
    return folder


def _rejecter(findings: Findings, write: Callable[[Any], None] | None) -> Callable[[Rejected], None]:
    def reject(row: Rejected) -> None:
        findings.reject(row)
        if write:
            write(row.as_json())

    return reject


def _sampled(batches: Iterator[pa.RecordBatch], checked: Checked) -> Iterator[pa.RecordBatch]:
    """Passes rows on and keeps the first few of each file."""
    for batch in batches:
        kept = checked.shown[batch["file"][0].as_py()]
        kept += examples_of(batch[: SHOWN - len(kept)])
        yield batch


def _measured(
    batches: Iterator[pa.RecordBatch], model: ChatTokenizer, terms: Terms, findings: Findings
) -> Iterator[pa.RecordBatch]:
    """Passes rows on, those that the model cannot take with a caution."""
    for batch in batches:
        examples = list(examples_of(batch))
        tokens = model.chat.token_ids([(example.messages, example.tools) for example in examples])
        warnings = [example.warnings for example in examples]
        for place, (example, ids) in enumerate(zip(examples, tokens, strict=True)):
            caution = _unfit(example, ids, model)
            if caution and caution.rule not in terms.ignored:
                findings.warn(example.file, example.line, caution)
                warnings[place] = (*example.warnings, str(caution.rule))
        yield with_column(batch, "warnings", warnings)


def _unfit(example: Example, ids: list[int] | None, model: ChatTokenizer) -> Caution | None:
    if ids is None:
        try:
            model.chat.render(example.messages, example.tools)
        except UserError as error:
            return Caution(REFUSED_BY_TEMPLATE, error.message)
    elif model.window and len(ids) > model.window:
        return Caution(TOO_LONG, f"the row has {len(ids):,} tokens, and {model.name} takes {model.window:,}")
    return None
