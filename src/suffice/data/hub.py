"""Data sets of the Hugging Face hub, as files in its cache on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from suffice.common.errors import UserError

PREFIX = "hf://"
_FORM = re.compile(
    r"(?:datasets/)?(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^/:]+))?(?:/(?P<files>[^:]+))?(?::(?P<split>[\w.-]+))?"
)
_REMEDY = "write hf://owner/name, and where need be @revision, /path/to/*.parquet or :split"
_INSTALL = "install what it needs: pip install 'suffice[hf]'"


def fetch(address: str) -> list[Path]:
    """Returns the files of a data set, fetched unless they are in the cache.

    Args:
        address: ``hf://owner/name`` takes the split ``train``, or the only one, as `datasets.load_dataset` finds it;
            ``hf://owner/name:test`` another; ``hf://owner/name/data/*.jsonl`` files by name; ``@revision`` after the
            name a branch, tag or commit. ``hf://datasets/owner/name/…`` is the same.

    Raises:
        UserError: The address has another form, there is no such data set or split, or it cannot be fetched.
    """
    found = _FORM.fullmatch(address.removeprefix(PREFIX))
    if not found:
        raise UserError(f"'{address}' is no address of a data set on the hub", _REMEDY)
    try:
        if found["files"]:
            paths = _by_name(found["id"], found["revision"], found["files"])
        else:
            paths = _by_split(found["id"], found["revision"], found["split"])
    except ImportError as error:
        raise UserError(f"'{address}' cannot be fetched: {error.name} is not installed", _INSTALL) from error
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"'{address}' cannot be fetched: {reason}", "check the name and the network, or give a file"
        ) from error
    if not paths:
        raise UserError(f"no file of '{address}' has that name", _REMEDY)
    return paths


def _by_name(repo: str, revision: str | None, pattern: str) -> list[Path]:
    """Fetches the files whose names match a pattern."""
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=[pattern]))
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _by_split(repo: str, revision: str | None, split: str | None) -> list[Path]:
    """Fetches the files that `datasets.load_dataset` reads for a split."""
    from datasets import load_dataset_builder
    from huggingface_hub import hf_hub_download

    files = load_dataset_builder(repo, revision=revision).config.data_files
    name = split or ("train" if "train" in files or len(files) != 1 else next(iter(files)))
    if name not in files:
        raise UserError(
            f"the data set {repo} has no split '{name}'",
            f"give one of its splits, such as {PREFIX}{repo}:{next(iter(files), 'train')}",
        )
    paths = []
    for url in files[name]:
        commit, file = re.match(r"hf://datasets/[^/@]+/[^/@]+@([^/]+)/(.+)", str(url)).groups()  # type: ignore[union-attr]
        paths.append(Path(hf_hub_download(repo, file, repo_type="dataset", revision=commit)))
    return paths
