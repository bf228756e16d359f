"""Everything to one page, and to figures and tables for papers."""

from __future__ import annotations

from typing import Any

import suffice
from suffice.common.files import write_text
from suffice.runs.context import Run


class ReportStage:
    """Writes ``report.html`` and ``figures/``."""

    def inputs(self, run: Run) -> Any:
        """The version of the page."""
        return suffice.__version__

    def intact(self, run: Run) -> bool:
        """Tells whether the page is there."""
        return run.folder.report.exists()

    def work(self, run: Run) -> dict[str, Any]:
        """Draws the page."""
        from suffice.report import render, write_exports
        from suffice.runs.presenting import report_data

        data = report_data(run)
        write_text(run.folder.report, render(data))
        write_exports(data, run.folder.figures)
        return {}
