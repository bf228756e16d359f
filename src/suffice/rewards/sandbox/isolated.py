"""Starting a program in the sandbox, watching it, and saying how it ended."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import psutil

from suffice.rewards.sandbox import inside

Ending = Literal["exit", "time", "memory", "output"]

_MEGABYTE = 1 << 20
_BUILDING = 60.0  # seconds in which a sandbox is built, however busy the machine is
_DYING = 5.0  # seconds in which killed processes are gone
_LOOK = 0.05  # seconds between two looks at a program's memory
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_LIMITED = """
import json, os, resource, sys
for name, most in json.loads(sys.argv[1]).items():
    resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: Wall time, and processor time of each process.
        memory_mb: Memory of all its processes together, and address space of each.
        processes: Processes and threads at a time.
        file_mb: Of one file, and of all files together (they lie in memory).
        open_files: Files open at a time in each process.
        output_kb: What it may write to standard output and standard error together.
    """

    seconds: float = 10.0
    memory_mb: int = 512
    processes: int = 16
    file_mb: int = 16
    open_files: int = 64
    output_kb: int = 256

    def as_resources(self, *, processes: bool = True) -> dict[str, int]:
        """Returns the limits by the names of ``setrlimit``.

        Args:
            processes: Whether to count them, which is right only where the user is nobody else's.
        """
        limits = {
            "CPU": int(self.seconds) + 1,
            "AS": self.memory_mb * _MEGABYTE,
            "FSIZE": self.file_mb * _MEGABYTE,
            "NOFILE": self.open_files,
            "CORE": 0,
        }
        return limits | ({"NPROC": self.processes} if processes else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Attributes:
        ending: ``exit`` by itself (or by a signal of its own); else the limit it was ended for.
        status: Its exit status; negative or above 128 for a signal.
        output: What it wrote to standard output and standard error.
        seconds: Wall time, that of building the sandbox left out.
    """

    ending: Ending
    status: int
    output: str
    seconds: float


class SandboxError(RuntimeError):
    """The program was not started."""


@dataclass
class _Watched:
    """A started process and what it has written so far."""

    process: subprocess.Popen[bytes]
    limits: Limits
    told: int | None = None
    words: bytes = b""
    output: bytearray = field(default_factory=bytearray)
    started: float = field(default_factory=time.monotonic)

    def watch(self) -> Outcome:
        """Waits for the end, or ends the process and all its descendants at a limit.

        Where a sandbox is built first, ``told`` is read for what is said of that, and the program's time counts from
        there.
        """
        assert self.process.stdout is not None
        ending: Ending = "exit"
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ, self._read_output)
            if self.told is not None:
                ready.register(self.told, selectors.EVENT_READ, self._read_words)
            while ready.get_map():
                for key, _ in ready.select(_LOOK):
                    if not key.data(key.fd):
                        ready.unregister(key.fileobj)
                if found := self._over():
                    ending = found
                    break
        if ending == "exit":
            try:
                self.process.wait(max(0.0, self.limits.seconds - self._seconds()))
            except subprocess.TimeoutExpired:
                ending = "time"
        self.end()
        text = bytes(self.output[: self.limits.output_kb * 1024]).decode("utf-8", "replace")
        return Outcome(ending, self.process.returncode, text, self._seconds())

    def _read_output(self, pipe: int) -> bool:
        """Reads what was written; false at its end."""
        read = os.read(pipe, 1 << 16)
        self.output += read
        return bool(read)

    def _read_words(self, pipe: int) -> bool:
        """Reads what is said of the sandbox, and begins to count when it is built; false at the end."""
        read = os.read(pipe, 1 << 16)
        self.words += read
        if read and self.built:
            self.started = time.monotonic()
        return bool(read)

    @property
    def built(self) -> bool:
        """Whether the program was started: what follows those words is why it was not after all."""
        return self.told is None or self.words == inside.STARTED

    def end(self) -> None:
        """Kills the process, its session and its descendants; those of a sandbox die with their first."""
        family = _descendants(self.process.pid)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.kill()
        psutil.wait_procs(family, timeout=_DYING)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _over(self) -> Ending | None:
        """Returns the limit that is passed."""
        if self._seconds() > (self.limits.seconds if self.built else _BUILDING):
            return "time"
        if len(self.output) > self.limits.output_kb * 1024:
            return "output"
        used = 0
        for process in _descendants(self.process.pid):
            with suppress(psutil.Error):
                used += process.memory_info().rss
        return "memory" if used > self.limits.memory_mb * _MEGABYTE else None

    def _seconds(self) -> float:
        return time.monotonic() - self.started


def run_program(files: Mapping[str, str], command: Sequence[str], limits: Limits | None = None) -> Outcome:
    """Runs Python in the sandbox.

    The program sees its files in ``/work``, the system's libraries and Python read-only, and nothing else: no other
    file, process, network or environment variable of this machine.

    Args:
        files: Name and text of the files in ``/work``, where the program starts.
        command: The arguments of Python, such as ``["main.py"]``.
        limits: What it may use.

    Raises:
        SandboxError: The system does not let the sandbox be built; the program was not started.
        ValueError: A file's name is no plain name.
    """
    limits = limits or Limits()
    for name in files:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is no plain file name")
    with tempfile.TemporaryDirectory(prefix="suffice-") as root:
        Path(root).chmod(0o755)  # whoever builds the sandbox need not be its owner
        reading, status = os.pipe()
        asked = {
            "status": status,
            "root": root,
            "files": dict(files),
            "readable": _readable(),
            "disk": 2 * limits.file_mb * _MEGABYTE,
            "limits": limits.as_resources(),
            "command": [_python(), "-I", *command],
            "environment": _ENVIRONMENT,
        }
        with os.fdopen(reading, "rb"):
            try:
                watched = _start_launcher(asked, limits, reading)
            finally:
                os.close(status)
            outcome = watched.watch()
    if not watched.built:
        words = watched.words.decode("utf-8", "replace")
        raise SandboxError(words or f"the launcher ended with status {outcome.status}: {outcome.output}")
    return outcome


def run_unsafe(files: Mapping[str, str], command: Sequence[str], limits: Limits | None = None) -> Outcome:
    """Runs Python as this user, with limits on time, memory, files and output, and nothing to hold it back else."""
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="suffice-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        limited = json.dumps(limits.as_resources(processes=False))
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", _LIMITED, limited, _python(), "-I", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_ENVIRONMENT | {"HOME": folder},
            start_new_session=True,
        )
        return _Watched(process, limits).watch()


@cache
def cannot_isolate() -> str | None:
    """Returns why programs cannot be isolated on this system; `None` where they can."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no namespaces"
    try:
        outcome = run_program({}, ["-c", "print('here')"], Limits(seconds=20))
    except (SandboxError, OSError) as error:
        return str(error)
    return None if outcome.output == "here\n" else f"a first program failed in it: {outcome.output!r:.200}"


def _start_launcher(asked: dict[str, Any], limits: Limits, told: int) -> _Watched:
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", inside.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={},
        pass_fds=[asked["status"]],
        start_new_session=True,
    )
    watched = _Watched(process, limits, told)
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # its last words say why
    return watched


def _readable() -> list[str]:
    """Returns what of the system a program may read: libraries, and the Python it is run by."""
    home = sys.base_prefix
    paths = [path for path in _SYSTEM if os.path.lexists(path)]
    return paths if any(home == path or home.startswith(f"{path}/") for path in paths) else [*paths, home]


def _python() -> str:
    return os.path.realpath(sys.executable)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
