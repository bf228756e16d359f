"""The shipped base: where it lies, and the check that it belongs to this version of the world."""

from __future__ import annotations

from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import read_json
from suffice.lab.world import build_world

SHIPPED = Path(__file__).parent / "weights"
LAST = "100"  # the stage that the base itself is


def locate(folder: Path = SHIPPED, *, revision: str = LAST) -> Path:
    """Returns the folder of the lab's base (registered as the model name ``lab``) or of one of its stages.

    Args:
        folder: The folder of a base or a stage that `suffice.lab.build` wrote.
        revision: How far training had come, in percent: ``50`` for what ``--model lab@50`` names.

    Raises:
        UserError: The folder holds no base, its weights learned another world, or it has no such stage.
    """
    if not (folder / "lab.json").exists():
        raise UserError(f"no lab base in {folder}", "build one with: suffice lab build --out DIR")
    record, wanted = read_json(folder / "lab.json"), build_world().hash
    if record["world"] != wanted:
        raise UserError(
            f"the lab base in {folder} learned world {record['world']}, but this version generates world {wanted}",
            "build a base for this world with: suffice lab build --out DIR",
        )
    if revision == LAST:
        return folder
    stages = record.get("stages", {})
    if revision not in stages:
        raise UserError(
            f"the lab base in {folder} has no stage '{revision}'",
            f"give one of: {', '.join([*stages, LAST])} (percent of its training)",
        )
    return locate(folder / revision)
