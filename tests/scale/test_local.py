"""Workers: results in order, errors as they were, and no process left behind."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

import worker_jobs
from suffice.common.errors import UserError
from suffice.scale.local import JobError, Workers


@pytest.fixture(scope="module")
def two():
    with Workers(2) as workers:
        yield workers


def test_results_come_in_the_order_of_the_jobs(two):
    seen = {}
    assert two.map(worker_jobs.square, range(20), on_result=seen.__setitem__) == [n * n for n in range(20)]
    assert seen == {n: n * n for n in range(20)}
    assert two.map(worker_jobs.square, []) == []


def test_workers_stay_and_see_their_threads_before_torch_does(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with Workers(1, threads=1) as workers:
        [first] = workers.map(worker_jobs.environment, [0])
        [second] = workers.map(worker_jobs.environment, [1])
    assert first == second == ("1", 1, first[2])
    assert first[2] != os.getpid()
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "MKL_NUM_THREADS" not in os.environ


def test_progress_reaches_the_parent(two):
    amounts = []
    assert two.map(worker_jobs.report_letters, ["ab", "cde"], on_progress=amounts.append) == ["AB", "CDE"]
    assert amounts == [1] * 5


def test_a_user_error_stays_one_and_finished_jobs_are_kept():
    kept, others = {}, multiprocessing.active_children()
    with Workers(1) as workers:
        with pytest.raises(UserError) as caught:
            workers.map(worker_jobs.fail, ["one", "two", "user", "never"], on_result=kept.__setitem__)
        assert (caught.value.message, caught.value.remedy) == ("the disk is full (runs/a)", "free some space")
        assert kept == {0: "one", 1: "two"}
        assert set(multiprocessing.active_children()) <= set(others)
        assert workers.map(worker_jobs.fail, ["three"]) == ["three"]  # it works again after a failure


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("bug", "ValueError: wrong shape"),
        ("end of file", "EOFError: file ends early"),
        ("unpicklable", "pickle"),
    ],
)
def test_another_error_brings_its_traceback(job, message):
    with Workers(1) as workers, pytest.raises(JobError, match=message) as caught:
        workers.map(worker_jobs.fail, [job])
    assert "Traceback" in caught.value.__notes__[0]


def test_an_error_of_the_system_stays_one():
    with Workers(1) as workers, pytest.raises(OSError, match="runs/a/model") as caught:
        workers.map(worker_jobs.fail, ["full disk"])
    assert caught.value.errno == errno.ENOSPC


def test_a_killed_worker_is_a_user_error():
    with Workers(1) as workers, pytest.raises(UserError) as caught:
        workers.map(worker_jobs.fail, ["one", "kill"])
    assert str(caught.value) == (
        "a worker process was killed (SIGKILL); the memory may be too small; "
        "run again with --jobs 1 (finished work is kept)"
    )


def test_a_worker_that_died_between_two_calls_is_replaced():
    with Workers(1) as workers:
        [first] = workers.map(worker_jobs.process_id, [0])
        [process] = [child for child in multiprocessing.active_children() if child.pid == first]
        process.kill()
        process.join()
        [second] = workers.map(worker_jobs.process_id, [0])
    assert first != second


def test_no_workers_is_refused():
    with pytest.raises(UserError, match=r"^0 workers of 1 threads cannot work; give --jobs 1 or more$"):
        Workers(0)


def start_parent(tmp_path, body):
    """Runs ``body`` with this module importable, in a session of its own."""
    script = tmp_path / "parent.py"
    text = f"""
    import signal
    import sys
    # A shell starts jobs in the background with Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path.insert(0, {str(Path(__file__).parents[1])!r})
    import worker_jobs
    from suffice.scale.local import Workers
    if __name__ == "__main__":
        {body}
    """
    script.write_text(textwrap.dedent(text))
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def started_jobs(tmp_path):
    """Starts a parent with two workers that wait for ever, and returns it with its descendants."""
    marks = [str(tmp_path / "a"), str(tmp_path / "b")]
    for mark in marks:
        os.mkfifo(mark)
    parent = start_parent(tmp_path, f"Workers(2).map(worker_jobs.open_and_wait, {marks!r})")
    for mark in marks:
        Path(mark).read_text()  # blocks until the worker has opened and closed it
    return parent, psutil.Process(parent.pid).children(recursive=True)


def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    parent, children = started_jobs(tmp_path)
    assert len(children) >= 2
    parent.kill()
    parent.communicate()
    _gone, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_ctrl_c_ends_all_at_once(tmp_path):
    parent, children = started_jobs(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    _out, err = parent.communicate(timeout=60)
    assert parent.returncode == -signal.SIGINT
    assert err.count("KeyboardInterrupt") == 1  # the parent's own; the workers say nothing
    _gone, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_workers_do_not_write_to_the_parents_standard_output(tmp_path):
    parent = start_parent(tmp_path, "print(Workers(1).map(worker_jobs.noisy, [7]))")
    out, err = parent.communicate(timeout=60)
    assert out == "[7]\n"
    assert sorted(err.split("\n")) == ["", "chatter", "more chatter"]


def test_a_stream_keeps_the_order_and_takes_jobs_as_workers_come_free(two):
    taken = []

    def jobs():
        for n in range(40):
            taken.append(n)
            yield n

    stream = two.stream(worker_jobs.square, jobs())
    assert [next(stream) for _ in range(3)] == [0, 1, 4]
    assert len(taken) <= 3 + 3 * two.count
    assert list(stream) == [n * n for n in range(3, 40)]
    assert list(two.stream(worker_jobs.square, [])) == []


def test_a_stream_that_fails_or_is_left_ends_its_workers():
    others = multiprocessing.active_children()
    with Workers(2) as workers:
        with pytest.raises(UserError, match="the disk is full"):
            list(workers.stream(worker_jobs.fail, ["one", "user", *"abcdef"]))
        assert set(multiprocessing.active_children()) <= set(others)
        stream = workers.stream(worker_jobs.square, range(100))
        assert next(stream) == 0
        stream.close()
        assert set(multiprocessing.active_children()) <= set(others)
