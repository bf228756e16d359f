"""Fixtures shared by all rooms."""

from __future__ import annotations

import shutil
import sys
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from suffice.models import LanguageModel

# A machine under load is slow, which is no failure; and the same examples are tried everywhere.
settings.register_profile("suffice", deadline=None, derandomize=True)
settings.load_profile("suffice")

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a seeded, untrained two-layer Llama (see `tiny_model`); read only."""
    from tiny_model import build_tiny_model

    return build_tiny_model(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path) -> LanguageModel:
    """The model of `tiny_model_folder`, loaded once; not to be changed."""
    from suffice.models import load_model

    return load_model(tiny_model_folder, device="cpu")


@pytest.fixture(scope="session")
def tiny_run(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs of `tiny_run` and ``run``, finished in real workers; read only."""
    from suffice.common.progress import Silent
    from suffice.runs.folder import RunFolder
    from suffice.runs.pipeline import bring_up_to_date
    from suffice.runs.recipe import read_recipe
    from tiny_run import write_inputs

    folder = tmp_path_factory.mktemp("tiny-run")
    write_inputs(folder, tiny_model_folder)
    with chdir(folder):
        run, recipe = RunFolder(Path("run")), read_recipe("tiny.yaml")
        with run.locked():
            run.adopt(recipe)
            bring_up_to_date(run, recipe, Silent())
    return folder


@pytest.fixture
def workplace(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `tiny_run` to change, as the current folder; what is trained there is trained in this process."""
    from tiny_run import Here

    folder = tmp_path / "workplace"
    shutil.copytree(tiny_run, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("suffice.runs.stages.train.Workers", Here)
    return folder
