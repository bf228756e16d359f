"""Pretraining: a killed run ends with the log and the weights of one that was not."""

import itertools
import json
import math

import numpy as np
import pytest

from suffice.common.progress import Silent
from suffice.lab import build, corpus, pretrain
from suffice.lab.build import build_lab
from suffice.lab.pretrain import CHECKPOINT, LOG, WINDOW, PretrainSettings

VOCABULARY = 300
SETTINGS = PretrainSettings(steps=24, batch=2, hidden=32, layers=1, heads=2, mlp=64)


class Killed(Exception):
    pass


def raise_killed(*_args):
    raise Killed


class Progress:
    """Counts the steps that the training process reports, and breaks it off when a step is reached."""

    def __init__(self, last):
        self.last, self.steps = last, []

    def __call__(self, count):
        self.steps.append(sum(self.steps[-1:]) + count)
        if self.steps[-1] >= self.last:
            raise Killed


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Trains in this process, alone, with a log entry every 2 steps and a checkpoint every 6."""
    import torch.distributed as dist

    monkeypatch.setattr(pretrain, "PROCESSES", 1)
    monkeypatch.setattr(pretrain, "LOG_STEPS", 2)
    monkeypatch.setattr(pretrain, "CHECKPOINT_STEPS", 6)
    meetings = itertools.count()

    def start(work, *, settings=SETTINGS, last=math.inf):
        progress, meeting = Progress(last), f"file://{tmp_path}/meeting-{next(meetings)}"
        try:
            pretrain._train(pretrain._Job(0, settings, VOCABULARY, work, meeting), progress)
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()
        return progress.steps

    return start


def tokens_in(folder):
    folder.mkdir()
    tokens = np.arange(SETTINGS.tokens, dtype=np.uint16) ** 2 % VOCABULARY
    (folder / "tokens.bin").write_bytes(tokens.astype(np.uint16).tobytes())
    return folder


def log_of(work):
    return [json.loads(line) for line in (work / LOG).read_text().splitlines()]


def tensors_of(work):
    from safetensors.numpy import load_file

    return load_file(work / CHECKPOINT)


def test_a_killed_run_ends_as_one_that_was_not(train, tmp_path):
    whole, broken = tokens_in(tmp_path / "whole"), tokens_in(tmp_path / "broken")
    assert train(whole) == list(range(0, 25, 2))
    with pytest.raises(Killed):
        train(broken, last=10)  # past the checkpoint of step 6
    assert [line["step"] for line in log_of(broken)] == [2, 4, 6, 8, 10]
    with pytest.raises(Killed):
        train(broken, last=22)
    assert train(broken) == [18, 20, 22, 24]
    assert [(line["step"], line["loss"]) for line in log_of(broken)] == [
        (line["step"], line["loss"]) for line in log_of(whole)
    ]
    expected, found = tensors_of(whole), tensors_of(broken)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        np.testing.assert_allclose(found[name], tensor, rtol=1e-6, atol=1e-7, err_msg=name)


def test_a_finished_run_is_not_trained_again(train, tmp_path):
    work = tokens_in(tmp_path / "work")
    train(work)
    before, log = (work / CHECKPOINT).read_bytes(), (work / LOG).read_bytes()
    assert train(work) == [24]
    assert ((work / CHECKPOINT).read_bytes(), (work / LOG).read_bytes()) == (before, log)


def test_other_settings_start_anew_with_a_new_log(train, tmp_path):
    work = tokens_in(tmp_path / "work")
    with pytest.raises(Killed):
        train(work, last=12)
    other = PretrainSettings(**{**vars(SETTINGS), "seed": 1})
    assert train(work, settings=other)[:2] == [0, 2]
    assert [line["step"] for line in log_of(work)] == list(range(2, 25, 2))


def test_training_lowers_the_loss(train, tmp_path):
    work = tokens_in(tmp_path / "work")
    train(work)
    log = log_of(work)
    assert log[0]["loss"] == pytest.approx(math.log(VOCABULARY), abs=0.3)
    assert log[-1]["loss"] < log[0]["loss"] - 0.3


def test_every_process_gets_its_own_sequences(monkeypatch):
    tokens = np.arange(SETTINGS.tokens, dtype=np.uint16)
    monkeypatch.setattr(pretrain, "PROCESSES", 1)
    together = pretrain._batch(tokens, SETTINGS, 0, 3)
    assert together.shape == (2, WINDOW)
    assert together[0, 0] == 3 * 2 * WINDOW
    monkeypatch.setattr(pretrain, "PROCESSES", 2)
    apart = [pretrain._batch(tokens, SETTINGS, rank, 3) for rank in range(2)]
    assert [row.tolist() for part in apart for row in part] == together.tolist()


def test_the_rate_rises_stays_and_falls():
    rates = [PretrainSettings().rate(step) for step in range(4_800)]
    assert rates[0] == 1 / 80
    assert rates[79] == rates[2_000] == rates[4_800 - 2_160] == 1
    assert rates[-1] == pytest.approx(0.03, abs=0.001)
    assert all(a >= b for a, b in itertools.pairwise(rates[80:]))


def test_a_base_is_built_from_nothing_and_resumed_after_its_corpus(monkeypatch, tmp_path):
    """The whole of `suffice lab build` with both processes, and a folder that loads like any other."""
    from suffice.models import load_model

    settings, out = PretrainSettings(**{**vars(SETTINGS), "steps": 4}), tmp_path / "base"
    monkeypatch.setattr(corpus, "TOKENIZER_DOCUMENTS", 1_000)
    with monkeypatch.context() as patch:
        patch.setattr(build, "pretrain", raise_killed)
        with pytest.raises(Killed):
            build_lab(out, settings, Silent())
    tokens = (out / "work/tokens.bin").stat()
    monkeypatch.setattr(build, "write_tokens", None)  # the corpus is not made again
    record = build_lab(out, settings, Silent())
    assert tokens.st_size == 2 * record["tokens"] == 2 * 4 * 2 * WINDOW
    assert record == json.loads((out / "lab.json").read_text())
    assert record["world"] == "7d8c9171f1981abf"
    assert len(record["corpus"]) == 64
    assert [line["step"] for line in log_of(out)] == [4]
    assert not (out / "work").exists()
    model = load_model(out, device="cpu")
    assert sum(parameter.numel() for parameter in model.network.parameters()) == record["parameters"]
    assert model.chat.stop_ids == {4}
