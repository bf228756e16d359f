"""Features of a pool on the disk: shards that are written once, in a folder that bears a hash of what made them.

A shard is named after the ids of its rows, so rows added to the end of a pool leave the shards before as they
are, and an interrupted run continues with the first that is missing. ``settings.json`` says in words what
decides the features; a store of other settings is refused with what differs.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.common.files import atomic_path, digest, read_json, write_json
from suffice.gradients.codes import Bits, Queries, code_norms, encode
from suffice.gradients.rows import Reason

SHARD_ROWS = 2048
_ARRAYS = ("codes", "norms", "reasons")


@dataclass(frozen=True)
class Shard:
    """Rows of a store.

    Attributes:
        codes: Their codes; see `suffice.gradients.codes`.
        norms: Their `code_norms`, float32 [rows].
        reasons: Why a row has no features, uint8 [rows]; `Reason.NONE` where it has.
    """

    codes: NDArray[Any]
    norms: NDArray[np.float32]
    reasons: NDArray[np.uint8]


class Store:
    """A folder of features.

    Args:
        parent: Where the folder is, or will be.
        settings: What decides the features, as JSON values by name; ``bits`` is one of them.

    Raises:
        UserError: The folder holds features of other settings.
    """

    def __init__(self, parent: Path, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)
        self.bits = cast("Bits", self.settings["bits"])
        self.folder = parent / f"gradients-{digest(self.settings)[:16]}"
        about = self.folder / "settings.json"
        if about.exists():
            check_settings(about, self.settings)
        else:
            write_json(about, self.settings)

    def path(self, ids: Sequence[str]) -> Path:
        """Returns the file of a shard of the rows of these ids."""
        return self.folder / f"{digest(list(ids))[:16]}.safetensors"

    def has(self, ids: Sequence[str]) -> bool:
        """Tells whether a shard is there and whole; a damaged one is taken away."""
        try:
            self.read(ids)
        except FileNotFoundError:
            return False
        except UserError:
            self.path(ids).unlink()
            return False
        return True

    def write(self, ids: Sequence[str], features: torch.Tensor, reasons: Sequence[Reason]) -> None:
        """Writes a shard, with its checksum.

        Args:
            ids: The ids of its rows.
            features: Their features, float32 [rows, size]; NaN where there are none.
            reasons: Why there are none, for each row.
        """
        from safetensors.numpy import save_file

        codes, why = encode(features, self.bits), np.array(reasons, dtype=np.uint8)
        norms = code_norms(codes, self.bits)
        checksum = {"checksum": str(_checksum(codes, norms, why))}
        with atomic_path(self.path(ids)) as temporary:
            save_file({"codes": codes, "norms": norms, "reasons": why}, temporary, checksum)

    def read(self, ids: Sequence[str]) -> Shard:
        """Returns a shard, whose arrays are the file itself, mapped into memory.

        Raises:
            FileNotFoundError: It is not there.
            UserError: It is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = self.path(ids)
        try:
            with safe_open(path, framework="pt") as file:
                codes, norms, reasons = (file.get_tensor(name).numpy() for name in _ARRAYS)
                checksum = int(file.metadata()["checksum"])
            whole = len(codes) == len(norms) == len(reasons) == len(ids)
            whole = whole and checksum == _checksum(codes, norms, reasons)
        except FileNotFoundError:
            raise
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise UserError(f"the features in {path} are damaged", "remove the file and run again")
        return Shard(codes, norms, reasons)

    def cosines(
        self, shards: Sequence[Sequence[str]], queries: Queries
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8]]]:
        """Yields the cosines [rows, queries] of each shard, NaN for rows without features, and the reasons.

        Args:
            shards: The ids of the rows of each shard.
            queries: The target's features.
        """
        for ids in shards:
            shard = self.read(ids)
            cosines = queries.cosines(shard.codes, shard.norms, self.bits)
            cosines[shard.reasons != Reason.NONE] = np.nan
            yield cosines, shard.reasons


def check_settings(path: Path, wanted: Mapping[str, Any]) -> None:
    """Refuses a store of other settings.

    Raises:
        UserError: They differ, or the file is no list of settings.
    """
    try:
        found = read_json(path)
        names = sorted({*found, *wanted})
        differing = [name for name in names if found.get(name) != wanted.get(name)]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} does not say what the features beside it are", "remove the folder and run again"
        ) from error
    if differing:
        words = ", ".join(
            f"{name} {json.dumps(found.get(name))} instead of {json.dumps(wanted.get(name))}"
            for name in differing
        )
        raise UserError(
            f"the features in {path.parent} were made with {words}, and cannot be compared",
            "score anew, or with the settings they were made with",
        )


def _checksum(*arrays: NDArray[Any]) -> int:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total
