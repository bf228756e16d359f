"""A run killed by ``kill -9`` goes on where it stopped, to the same bytes, and leaves no worker behind."""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from suffice.common.progress import Silent
from suffice.runs.folder import RunFolder
from suffice.runs.pipeline import bring_up_to_date

RUN = [Path(sys.executable).with_name("suffice"), "run", "tiny.yaml", "--out", "killed", "--until", "prove"]


def kill_when(pattern):
    """Starts the run and kills it as soon as a file of it appears; returns the processes it had."""
    with subprocess.Popen([*RUN, "--quiet"], stdout=subprocess.DEVNULL) as process:
        while not list(Path("killed").glob(pattern)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"the run ended with {process.wait(timeout=0.01)}")
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    return workers


@pytest.mark.parametrize(
    ("moment", "pattern", "stages"),
    [
        ("scoring", "cache/embedding-*/*.npz", {"pool"}),
        ("training", "arms/*/*/trained.json", {"pool", "score", "select"}),
        ("evaluation", "arms/random-8/*/evaluated.json", {"pool", "score", "select"}),
    ],
)
def test_a_killed_run_ends_with_the_same_bytes(workplace, moment, pattern, stages):
    workers = kill_when(pattern)
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    killed, whole = RunFolder(Path("killed")), Path("run")
    assert {path.stem for path in (killed.path / "stages").iterdir()} == stages
    kept = {path: path.stat().st_mtime_ns for path in killed.path.glob(pattern)}
    with killed.locked():
        bring_up_to_date(killed, killed.recipe(), Silent(), "prove")
    assert killed.selection.read_bytes() == (whole / "selection.jsonl").read_bytes()
    assert pq.read_table(killed.outcomes).equals(pq.read_table(whole / "outcomes.parquet"))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # finished work was kept
