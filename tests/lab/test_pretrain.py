"""Pretraining: a killed run ends with the log and the weights of one that was not."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from suffice.common.progress import Silent
from suffice.lab import build, corpus, pretrain
from suffice.lab.base import locate
from suffice.lab.build import add_stages, build_lab
from suffice.lab.checkpoint import CHECKPOINT, stage_path
from suffice.lab.pretrain import LOG, PretrainJob
from suffice.lab.settings import PRESETS, STAGES, WINDOW, PretrainSettings, build_network
from suffice.lab.world import build_world

VOCABULARY = 300
SETTINGS = PretrainSettings(steps=24, batch=2, hidden=32, layers=1, heads=2, mlp=64)
TURNS = [{"role": "user", "content": "Hi"}]


class Killed(Exception):
    pass


def raise_killed(*_args, **_settings):
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
def train(monkeypatch):
    """Trains in this process, alone, with a log entry every 2 steps and a checkpoint every 6."""
    monkeypatch.setattr(pretrain, "LOG_STEPS", 2)
    monkeypatch.setattr(pretrain, "CHECKPOINT_STEPS", 6)

    def start(work, *, settings=SETTINGS, last=math.inf):
        progress = Progress(last)
        pretrain.train(PretrainJob(settings, VOCABULARY, work, meeting=""), progress)
        return progress.steps

    return start


def tokens_in(folder):
    folder.mkdir()
    tokens = np.arange(SETTINGS.tokens, dtype=np.uint16) ** 2 % VOCABULARY
    (folder / "tokens.bin").write_bytes(tokens.astype(np.uint16).tobytes())
    return folder


def log_of(work):
    return [json.loads(line) for line in (work / LOG).read_text().splitlines()]


def tensors_of(path):
    from safetensors.numpy import load_file

    return load_file(path)


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
    expected, found = tensors_of(whole / CHECKPOINT), tensors_of(broken / CHECKPOINT)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        np.testing.assert_allclose(found[name], tensor, rtol=1e-6, atol=1e-7, err_msg=name)
    for share in STAGES:
        assert stage_path(broken, share).read_bytes() == stage_path(whole, share).read_bytes()


def test_the_checkpoint_holds_the_state_of_both_optimisers(train, tmp_path):
    work = tokens_in(tmp_path / "work")
    train(work)
    kinds = {}
    for name in tensors_of(work / CHECKPOINT):
        kind, parameter = name.split(".", 1)
        kinds.setdefault(parameter, set()).add(kind)
    assert kinds["model.layers.0.mlp.up_proj.weight"] == {"model", "momentum_buffer"}
    assert kinds["model.embed_tokens.weight"] == {"model", "exp_avg", "exp_avg_sq", "step"}
    assert kinds["model.norm.weight"] == {"model", "exp_avg", "exp_avg_sq", "step"}


def test_the_stages_are_the_weights_on_the_way(train, monkeypatch, tmp_path):
    """Each is what a checkpoint of its step holds, in half precision."""
    work, other = tokens_in(tmp_path / "work"), tokens_in(tmp_path / "other")
    train(work)
    for share, step in {25: 6, 50: 12, 75: 18}.items():
        with pytest.raises(Killed):
            train(other, last=step + 2)
        there = tensors_of(other / CHECKPOINT)
        stage = tensors_of(stage_path(work, share))
        assert stage.keys() == {name.split(".", 1)[1] for name in there if name.startswith("model.")}
        for name, tensor in stage.items():
            assert tensor.dtype == np.float16
            assert np.array_equal(tensor, there[f"model.{name}"].astype(np.float16)), name


def test_a_run_killed_between_a_stage_and_its_checkpoint_has_both_in_the_end(train, monkeypatch, tmp_path):
    whole, broken = tokens_in(tmp_path / "whole"), tokens_in(tmp_path / "broken")
    train(whole)
    for name in ("save", "save_stage"):
        with monkeypatch.context() as patch:
            patch.setattr(pretrain, name, raise_killed)
            with pytest.raises(Killed):
                train(broken)
    train(broken)
    for share in STAGES:
        assert stage_path(broken, share).read_bytes() == stage_path(whole, share).read_bytes()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_run_keeps_every_stage_too(train, tmp_path, steps):
    work = tokens_in(tmp_path / "work")
    train(work, settings=dataclasses.replace(SETTINGS, steps=steps))
    assert all(stage_path(work, share).exists() for share in STAGES)


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


def test_every_process_gets_its_own_sequences(tmp_path):
    tokens = np.arange(SETTINGS.tokens, dtype=np.uint16)

    def rows(rank, processes):
        job = PretrainJob(SETTINGS, VOCABULARY, tmp_path, "", rank, processes)
        return pretrain.read_batch(tokens, job, step=3)

    together = rows(0, 1)
    assert together.shape == (2, WINDOW)
    assert together[0, 0] == 3 * 2 * WINDOW
    assert [row.tolist() for rank in range(2) for row in rows(rank, 2)] == together.tolist()


def test_the_gpu_preset_is_a_base_of_thirty_million_parameters():
    import torch

    settings = PRESETS["gpu"]
    with torch.device("meta"):
        network = build_network(settings, vocabulary=1536)
    layer = 4 * 512 * 512 + 3 * 512 * 1408 + 2 * 512
    assert sum(parameter.numel() for parameter in network.parameters()) == 1536 * 512 + 10 * layer + 512
    assert 1536 * 512 + 10 * layer + 512 >= 30_000_000
    assert settings.hidden % settings.heads == 0


def test_in_half_precision_the_weights_stay_in_single_and_the_loss_falls(train, monkeypatch, tmp_path):
    """The path of a GPU (one process, multiplying in bfloat16), taken on the CPU."""
    work, whole = tokens_in(tmp_path / "work"), tokens_in(tmp_path / "whole")
    train(whole)
    monkeypatch.setattr(pretrain, "HALF_PRECISION", ("cpu",))
    settings = dataclasses.replace(
        PRESETS["gpu"], steps=24, batch=2, hidden=32, layers=1, heads=2, mlp=64, adam_rate=3e-3
    )
    train(work, settings=settings)
    log, exact = log_of(work), log_of(whole)
    assert log[-1]["loss"] < log[0]["loss"] - 0.3
    assert [line["loss"] for line in log] != [line["loss"] for line in exact]
    for mine, other in zip(log, exact, strict=True):
        assert mine["loss"] == pytest.approx(other["loss"], abs=0.05)
    tensors = tensors_of(work / CHECKPOINT).values()
    assert {tensor.dtype for tensor in tensors} == {np.dtype(np.float32)}


def test_a_gpu_is_served_by_one_process(monkeypatch, tmp_path):
    """No GPU is needed to see which jobs are handed out, and to whom."""
    handed = []

    class Recorder(pretrain.Workers):
        def map(self, function, jobs, on_result=None, on_progress=None):
            handed.append((function, self.count, [(job.rank, job.processes, job.device) for job in jobs]))
            return []

    monkeypatch.setattr(pretrain, "Workers", Recorder)
    monkeypatch.setattr(pretrain, "PROCESSES", 2)
    (tmp_path / LOG).write_text('{"step": 24, "loss": 1.0}')
    for device in ("cpu", "cuda"):
        pretrain.pretrain(SETTINGS, VOCABULARY, tmp_path, Silent(), device=device)
    assert handed == [
        (pretrain.train, 2, [(0, 2, "cpu"), (1, 2, "cpu")]),
        (pretrain.train, 1, [(0, 1, "cuda")]),
    ]


def test_the_rate_rises_stays_and_falls():
    rates = [PretrainSettings(steps=4_800).rate(step) for step in range(4_800)]
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
    assert record["world"] == build_world().hash
    assert len(record["corpus"]) == 64
    assert [line["step"] for line in log_of(out)] == [4]
    assert not (out / "work").exists()
    model = load_model(out, device="cpu")
    assert sum(parameter.numel() for parameter in model.network.parameters()) == record["parameters"]
    assert model.chat.stop_ids == {4}
    assert record["stages"] == {"25": 1, "50": 2, "75": 3}
    stages = [load_model(out / str(share), device="cpu") for share in STAGES]
    assert len({stage.fingerprint for stage in [model, *stages]}) == 4
    for stage in stages:
        assert stage.window == model.window
        assert stage.chat.render(TURNS) == model.chat.render(TURNS)
        assert {name for name, _ in stage.network.named_parameters()} == {
            name for name, _ in model.network.named_parameters()
        }


def test_stages_are_made_of_a_finished_base_and_the_weights_that_were_kept(train, tmp_path, monkeypatch):
    """As for a base whose build was broken off after its end, or was made without them."""
    work, base = tokens_in(tmp_path / "work"), tmp_path / "base"
    train(work)
    base.mkdir()
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors", LOG):
        (base / name).write_text(name)
    world = {"world": build_world().hash, "world_seed": 7}
    record = {**world, "settings": dataclasses.asdict(SETTINGS), "parameters": 18_000, "corpus": "c0ffee"}
    (base / "lab.json").write_text(json.dumps(record))
    stage_path(work, 75).unlink()
    assert add_stages(base, work) == record | {"stages": {"25": 6, "50": 12}}
    assert add_stages(base, work) == json.loads((base / "lab.json").read_text())  # once more changes nothing
    half = locate(base, revision="50")
    assert half == base / "50"
    assert json.loads((half / "lab.json").read_text()) == {
        **world,
        "parameters": 18_000,
        "stage": 50,
        "steps": 12,
    }
    assert {path.name for path in half.iterdir()} == {
        "config.json",
        "tokenizer.json",
        "chat_template.jinja",
        "model.safetensors",
        "lab.json",
    }
    expected, found = tensors_of(stage_path(work, 50)), tensors_of(half / "model.safetensors")
    assert all(np.array_equal(found[name], tensor) for name, tensor in expected.items())
    assert not (base / "75").exists()
