"""The shipped base: where it lies, and the check that it belongs to this version of the world."""

from __future__ import annotations

from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import read_json
from suffice.lab.world import build_world

SHIPPED = Path(__file__).parent / "weights"


def locate(folder: Path = SHIPPED) -> Path:
    """Returns the folder of the lab's base (registered as the model name ``lab``).

    Raises:
        UserError: The folder holds no base, or its weights learned another world.
    """
    record = folder / "lab.json"
    if not record.exists():
        raise UserError(f"no lab base in {folder}", "build one with: suffice lab build --out DIR")
    found, wanted = read_json(record)["world"], build_world().hash
    if found != wanted:
        raise UserError(
            f"the lab base in {folder} learned world {found}, but this version generates world {wanted}",
            "build a base for this world with: suffice lab build --out DIR",
        )
    return folder
