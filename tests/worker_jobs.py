"""Jobs for the tests of the workers: a worker can import this module, since it inherits `sys.path`."""

import errno
import os
import signal
from pathlib import Path

from suffice.common.errors import UserError


def square(job):
    return job * job


def environment(_job):
    import torch

    return os.environ["OMP_NUM_THREADS"], torch.get_num_threads(), os.getpid()


def process_id(_job):
    return os.getpid()


def report_letters(job, report):
    for _letter in job:
        report(1)
    return job.upper()


def fail(job):
    if job == "user":
        raise UserError("the disk is full (runs/a)", "free some space")
    if job == "full disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/model")
    if job == "bug":
        raise ValueError("wrong shape")
    if job == "end of file":
        raise EOFError("file ends early")
    if job == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "unpicklable":
        return lambda: None
    return job


def noisy(job):
    print("chatter")  # noqa: T201
    os.write(1, b"more chatter\n")
    return job


def open_and_wait(fifo):
    Path(fifo).write_text("here")
    signal.pause()
