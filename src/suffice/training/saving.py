"""What a training leaves in its folder: checkpoints while it runs, and the model when it is done."""

from __future__ import annotations

import shutil
from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.models import LanguageModel


def checkpoints_of(out: Path, key: str) -> Path:
    """Returns the folder of the checkpoints, emptied if those in it are of another training."""
    folder = out / "checkpoints"
    mark = folder / "training.json"
    if not mark.is_file() or read_json(mark) != key:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(mark, key)
    return folder


def save_model(model: LanguageModel, folder: Path) -> None:
    """Saves network and tokenizer, replacing ``folder`` only when all is written."""
    from safetensors import SafetensorError

    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        model.network.save_pretrained(temporary)
        model.tokenizer.save_pretrained(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise UserError(
            f"the trained model cannot be written to {folder}: {error}", "free some space and run again"
        ) from error
