"""Everything to one page."""

from __future__ import annotations

from typing import Any

import suffice
from suffice.common.files import write_text
from suffice.runs.context import Run


class ReportStage:
    """Writes ``report.html``."""

    def inputs(self, run: Run) -> Any:
        """The version of the page."""
        return suffice.__version__

    def intact(self, run: Run) -> bool:
        """Tells whether the page is there."""
        return run.folder.report.exists()

    def work(self, run: Run) -> dict[str, Any]:
        """Draws the page."""
        from suffice.report import render
        from suffice.runs.presenting import report_data

        write_text(run.folder.report, render(report_data(run)))
        return {}
