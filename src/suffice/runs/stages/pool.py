"""Files to pool: read, reject with reasons, keep test items out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suffice.common.files import digest_file
from suffice.data.reading import expand
from suffice.runs.choose import counts, gather
from suffice.runs.context import Run


class PoolStage:
    """Writes ``pool.parquet``, ``rejected.jsonl`` and ``target.parquet``."""

    def inputs(self, run: Run) -> Any:
        """The pool files' content, and the target, whose test items are kept out of the pool."""
        files = {str(path): digest_file(Path(path)) for path in expand(run.recipe.pool)}
        return [files, run.recipe.selection.reject_twins, run.judged.fingerprint]

    def intact(self, run: Run) -> bool:
        """Tells whether the three files are there."""
        return all(p.exists() for p in (run.folder.pool, run.folder.rejected, run.folder.target))

    def work(self, run: Run) -> dict[str, Any]:
        """Reads the pool; the summary counts the rows."""
        twins = run.recipe.selection.reject_twins
        gathered = gather(run.recipe.pool, run.judged, run.reporter, reject_twins=twins)
        gathered.write(run.folder.pool, run.folder.rejected)
        run.judged.write(run.folder.target)
        run.__dict__.pop("pool", None)  # an earlier read is out of date
        return counts(gathered, 0)
