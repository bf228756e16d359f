"""Progress on standard error: one line for each stage, which collapses to its result when the stage ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text


class Task(Protocol):
    """One stage under way."""

    def advance(self, count: float = 1) -> None:
        """Counts ``count`` more units as done."""

    def note(self, text: str) -> None:
        """Shows what has just been found, in the place of the last such words."""

    def result(self, text: str) -> None:
        """Sets the words that stand beside the stage's name once it has ended."""


class Reporter(Protocol):
    """Where a stage tells how far it is."""

    def track(self, name: str, total: float, unit: str) -> AbstractContextManager[Task]:
        """Opens a stage of ``total`` units as a context that yields its `Task`."""

    def say(self, text: str) -> None:
        """Prints one line that stays."""


class Terminal:
    """Reports to a console: live bars on a terminal, plain lines elsewhere.

    Args:
        console: Where to write; standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Prints one line that stays."""
        self.console.print(Text(text), soft_wrap=True)

    @contextmanager
    def track(self, name: str, total: float, unit: str) -> Iterator[Task]:
        """Opens a stage: name, bar, rate in the stage's own unit, time left."""
        started = time.monotonic()
        progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with progress:
            bar = _Bar(progress, name, total, unit)
            yield bar
        took = time.monotonic() - started
        words = bar.words or f"{bar.done:,.0f} {unit}"
        self.say(f"{name:<10} {words}  ({took:.1f} s)")


class _Bar:
    """A stage drawn by rich."""

    def __init__(self, progress: Progress, name: str, total: float, unit: str) -> None:
        self._progress, self._unit = progress, unit
        self._started = time.monotonic()
        self._id = progress.add_task(name, total=total, rate="", note="")
        self.done, self.words = 0.0, ""

    def advance(self, count: float = 1) -> None:
        self.done += count
        rate = self.done / max(time.monotonic() - self._started, 1e-9)
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        self._progress.update(self._id, advance=count, rate=f"{shown} {self._unit}/s")

    def note(self, text: str) -> None:
        self._progress.update(self._id, note=text)

    def result(self, text: str) -> None:
        self.words = text


class Silent:
    """Reports nothing (``--quiet``, tests, and use as a library)."""

    @contextmanager
    def track(self, name: str, total: float, unit: str) -> Iterator[Task]:
        """Opens a stage that nobody watches."""
        yield _NoBar()

    def say(self, text: str) -> None:
        """Says nothing."""


class _NoBar:
    def advance(self, count: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def result(self, text: str) -> None:
        pass


def reporter(*, quiet: bool) -> Reporter:
    """Returns the reporter for a command: silent, or standard error as it is now."""
    return Silent() if quiet else Terminal(Console(file=sys.stderr, highlight=False))
