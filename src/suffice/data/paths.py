"""Which files are meant: paths, folders, globs and data sets of the hub; and what they are called."""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from suffice.common.errors import UserError
from suffice.data.containers import CONTAINERS
from suffice.data.hub import PREFIX, fetch

PACKED = (".gz", ".xz", ".zst", ".zip")
_KINDS = "give .jsonl, .json, .csv, .parquet or .arrow, each also with .gz, .xz, .zst or .zip at the end, or a .zip of such"
# What `save_to_disk` writes beside the rows.
_NO_ROWS = ("dataset_info.json", "state.json", "dataset_dict.json")
_IN_CACHE = re.compile(
    r"datasets--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>[^/]+)/(?P<file>.+)"
)


def shown_path(path: Path) -> str:
    """Returns a path as text, with a mark in place of bytes that are no UTF-8.

    A file in the hub's cache is called by its place on the hub.
    """
    text = os.fsencode(path).decode("utf-8", "replace")
    found = _IN_CACHE.search(text)
    return "{}{owner}/{name}@{commit}/{file}".format(PREFIX, **found.groupdict()) if found else text


def expand(patterns: Sequence[str | Path]) -> list[Path]:
    """Returns the files that paths, folders, globs and ``hf://`` ids name, each once.

    They come in the order given; those of a glob or a folder (at any depth) by name.

    Raises:
        UserError: A file is missing, a glob matches none, or a file's type is not known.
    """
    found: dict[Path, Path] = {}
    for pattern in map(str, patterns):
        for path in _named(pattern):
            _check_type(path)
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _named(pattern: str) -> list[Path]:
    if pattern.startswith(PREFIX):
        return fetch(pattern)
    if not os.path.lexists(pattern):
        return _matches(pattern)
    path = Path(pattern)
    return _inside(path) if path.is_dir() else [path]


def _inside(folder: Path) -> list[Path]:
    """Returns the files of rows in a folder."""
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        raise UserError(
            f"{shown_path(folder)} holds the splits {', '.join(splits)} of a data set",
            f"give one of them, such as '{shown_path(folder / (splits[0] if splits else 'train'))}'",
        )
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and is_known(path) and path.name not in _NO_ROWS and path.name[0] not in "._"
    ]
    if not files:
        raise UserError(f"the folder {shown_path(folder)} holds no file of rows", _KINDS)
    return files


def _matches(pattern: str) -> list[Path]:
    if not glob.has_magic(pattern):
        raise _missing(Path(pattern))
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
    paths = [Path(name) for name in names if Path(name).is_file()]
    if not paths:
        raise UserError(
            f"no file matches '{pattern}'", "check the folder and the pattern, and quote it in the shell"
        )
    return paths


def _missing(path: Path) -> UserError:
    """Builds the error for a file that is not there, with the nearest name that is."""
    folder = path.parent
    if not os.path.isdir(folder):  # noqa: PTH112  # says no, rather than fails, where a name is too long
        return UserError(
            f"no file {shown_path(path)}: there is no folder {shown_path(folder)}", "check the path"
        )
    names = sorted(entry.name for entry in folder.iterdir()) if os.access(folder, os.R_OK) else []
    close = difflib.get_close_matches(path.name, names, n=1)
    remedy = f"did you mean '{shown_path(folder / close[0])}'?" if close else "check the path"
    return UserError(f"no file {shown_path(path)}", remedy)


def _check_type(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{shown_path(path)} is no regular file or leads nowhere", "give a file")
    if not is_known(path):
        raise UserError(f"{shown_path(path)} is of no known type", _KINDS)


def is_known(path: Path) -> bool:
    """Tells whether a file's name says that rows can be read from it."""
    return container_name(path) in CONTAINERS or path.suffix.lower() == ".zip"


def packing(path: Path) -> str:
    """Returns the suffix of a file's compression; empty where it has none."""
    suffix = path.suffix.lower()
    return suffix if suffix in PACKED else ""


def container_name(path: Path) -> str:
    """Returns the suffix that names a file's container, without that of its compression."""
    return _unpacked(path).suffix.lower()


def _unpacked(path: Path) -> Path:
    return path.with_suffix("") if packing(path) else path


def source_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Returns what the rows of each file are called by default.

    The file's name without its suffixes; files of one name are told apart by their folder's name.
    """
    stems = {path: shown_path(Path(_unpacked(path).stem)) for path in paths}
    count = Counter(stems.values())
    return {
        path: stem if count[stem] == 1 else f"{shown_path(Path(path.resolve().parent.name))}/{stem}"
        for path, stem in stems.items()
    }
