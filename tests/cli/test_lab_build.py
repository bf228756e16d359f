"""What `suffice lab build` hands on: the preset's settings, its steps and seed, and where to train."""

from dataclasses import replace

import pytest
import torch

from suffice.cli.main import run
from suffice.lab.settings import PRESETS


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Notes settings and device of each build instead of doing it."""
    monkeypatch.chdir(tmp_path)
    builds = []

    def note(out, settings, reporter, *, device):
        builds.append((settings, device))
        return {"parameters": 1}

    monkeypatch.setattr("suffice.lab.build.build_lab", note)
    return builds


def test_the_shipped_base_is_trained_on_the_cpu_wherever_it_is_built(built, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert run(["lab", "build", "--quiet"]) == 0
    assert built == [(PRESETS["cpu"], "cpu")]


def test_the_gpu_preset_is_trained_on_a_gpu_where_there_is_one(built, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert run(["lab", "build", "--preset", "gpu", "--seed", "3"]) == 0
    assert built == [(replace(PRESETS["gpu"], seed=3), "cuda")]
    assert capsys.readouterr().err == ""


def test_the_gpu_preset_without_a_gpu_says_that_it_is_slow(built, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run(["lab", "build", "--preset", "gpu", "--steps", "5"]) == 0
    assert built == [(replace(PRESETS["gpu"], steps=5), "cpu")]
    assert capsys.readouterr().err == (
        "torch sees no GPU: the CPU trains this base too, but takes days or weeks for all its steps\n"
    )


def test_an_unknown_preset(built, capsys):
    assert run(["lab", "build", "--preset", "tpu"]) == 2
    assert capsys.readouterr().err == "suffice: unknown preset 'tpu'; did you mean 'gpu'?\n"
    assert built == []
