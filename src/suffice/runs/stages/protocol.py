"""What a stage is."""

from __future__ import annotations

from typing import Any, Protocol

from suffice.runs.context import Run


class Stage(Protocol):
    """One arrow of the path from files to report."""

    def inputs(self, run: Run) -> Any:
        """Returns everything the result depends on beside the stage before, as a JSON value."""

    def intact(self, run: Run) -> bool:
        """Tells whether what the stage wrote is still there."""

    def work(self, run: Run) -> dict[str, Any]:
        """Does the stage's work, keeping what an interrupted attempt finished; returns a summary."""
