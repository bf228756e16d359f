"""The entry point: runs a verb and turns every mistake into one line."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from suffice.cli.app import app
from suffice.common.errors import UserError

MISTAKE, INTERRUPTED = 2, 130
_UNUSABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG)
_UsageError: Any = typer.BadParameter.__bases__[0]  # typer carries a click of its own and does not export it


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits.

    The exit code is 0 for every outcome of the statistics, 2 for a mistake by the user, 130 for Ctrl-C. The
    message is one line on standard error; with ``--json`` standard output gets ``{"error": …}`` as well.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Runs the command line and returns the exit code."""
    try:
        code = int(app(args=list(words) or ["--help"], prog_name="suffice", standalone_mode=False) or 0)
        if code == INTERRUPTED:  # typer makes this of Ctrl-C, without a word
            raise KeyboardInterrupt
        return code
    except UserError as error:
        return _fail(error.message, error.remedy, words)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "suffice"
        return _fail(error.format_message().rstrip("."), f"see {command} --help", words)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(
            "interrupted", "run the same command again to continue; finished work is kept", words, INTERRUPTED
        )
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _UNUSABLE:
            where = error.filename or "a file or folder"
            return _fail(
                f"{where} cannot be used: {error.strerror}", "mend it, or choose another place", words
            )
        if not _is_full_disk(error):
            raise
        name = getattr(error, "filename", None)
        where = f" while writing {name}" if name else ""
        return _fail(
            f"the disk is full{where}",
            "free space and run the same command again; finished work is kept",
            words,
        )


def _is_full_disk(error: Exception) -> bool:
    """Tells whether the disk is full, which workers and libraries may say in words alone."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(
        error
    )


def _fail(message: str, remedy: str, words: Sequence[str], code: int = MISTAKE) -> int:
    line = f"{message}; {remedy}" if remedy else message
    line = " ".join(line.split())
    sys.stderr.write(f"suffice: {line}\n")
    if "--json" in words:
        sys.stdout.write(json.dumps({"error": line}, ensure_ascii=False) + "\n")
    return code
