"""Programs that pass their tests, run in the sandbox."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import ClassVar

from suffice.common.errors import UserError
from suffice.rewards.blocks import last_block
from suffice.rewards.protocol import NotTold, Place, Rollout
from suffice.rewards.sandbox import Limits, cannot_isolate, run_program, run_unsafe


@dataclass(frozen=True, slots=True)
class UnitTestSettings:
    """How programs are run.

    Attributes:
        seconds: The time that a program and its tests may take.
        memory_mb: The memory they may take.
        unsafe: Run programs as this user, with his files and network, where the system cannot isolate them.
    """

    seconds: float = 10.0
    memory_mb: int = 512
    unsafe: bool = False


class UnitTests:
    """1 where the Python of the reply's last code block passes the tests that are the item's reference, else 0.

    The reference is Python that raises where the program is wrong (``assert add(1, 2) == 3``); the program's names are
    at hand, and its module is ``solution``. A run counts as passed only if it came to its end, so that a program
    that leaves early does not pass. One that is ended for its memory or its output failed; one that is ended for its
    time has no reward, since a slow machine looks the same. What cannot be kept from a program that means to cheat is
    to change what the tests see: they run in its process.
    """

    Settings = UnitTestSettings
    paper: ClassVar[str] = "Chen et al. 2021 (HumanEval)"
    place: ClassVar[Place] = "threads"

    def __init__(self, settings: UnitTestSettings | None = None) -> None:
        self.settings = settings or UnitTestSettings()
        reason = cannot_isolate()
        self._run = run_unsafe if reason else run_program
        if reason and not self.settings.unsafe:
            raise UserError(
                f"the reward 'unit_tests' runs code that a model wrote, and this system cannot isolate it: {reason}",
                "run it where user namespaces are allowed, or give --unsafe to run it as yourself",
            )

    def check(self, answer: str) -> None:
        """Checks that the tests are Python.

        Raises:
            UserError: They are not.
        """
        try:
            compile(answer, "tests", "exec")
        except (SyntaxError, ValueError) as error:
            raise UserError(f"the tests {answer!r:.80} are no Python: {error}", "mend the row") from error

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where all tests pass."""
        mark = secrets.token_hex(16)
        tests = f"from solution import *\nimport solution\n{rollout.answer}\nprint({mark!r})\n"
        limits = Limits(seconds=self.settings.seconds, memory_mb=self.settings.memory_mb)
        files = {"solution.py": last_block(rollout.reply), "tests.py": tests}
        outcome = self._run(files, ["-c", _START], limits)
        if outcome.ending == "time":
            raise NotTold("time")
        passed = outcome.status == 0 and outcome.output.endswith(f"{mark}\n")
        return float(outcome.ending == "exit" and passed)


_START = "import runpy, sys; sys.path.insert(0, '.'); runpy.run_path('tests.py', run_name='tests')"
