"""`suffice lab build`: corpus, tokenizer and base from nothing, resumed where a killed build stopped."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suffice.common.files import read_json, write_json
from suffice.common.progress import Reporter
from suffice.lab.checkpoint import stage_path
from suffice.lab.corpus import sample_texts, write_tokens
from suffice.lab.pretrain import LOG, pretrain
from suffice.lab.settings import STAGES, WINDOW, PretrainSettings, build_network
from suffice.lab.tokenizer import save_tokenizer, train_tokenizer
from suffice.lab.world import SEED, World, build_world

RECORD, WEIGHTS = "lab.json", "model.safetensors"


def build_lab(
    out: Path, settings: PretrainSettings, reporter: Reporter, *, seed: int = SEED, device: str = "cpu"
) -> dict[str, Any]:
    """Builds the lab's base in ``out`` as a plain transformers folder, and returns its record.

    Args:
        out: The folder to write, with a folder in it for each stage on the way (``25``, ``50``, ``75``);
            ``out/work`` holds what a resumed build needs and goes when it is done.
        settings: Model and course of training.
        reporter: Where to report.
        seed: The seed of the world.
        device: Where to train, ``cpu`` or ``cuda``.

    Returns:
        The record that is also in ``out/lab.json``: hashes of world and corpus, settings, stages, seconds.
    """
    world, work = build_world(seed), out / "work"
    work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    tokenizer, corpus_hash = _prepare(world, settings, work, reporter)
    corpus_seconds = time.monotonic() - started
    checkpoint = pretrain(settings, tokenizer.get_vocab_size(), work, reporter, device=device)
    record = _finish(world, settings, checkpoint, tokenizer, out)
    record |= {"corpus": corpus_hash, "corpus_seconds": round(corpus_seconds, 1), "device": device}
    write_json(out / RECORD, record)
    record = add_stages(out, work)
    shutil.copy(work / LOG, out / LOG)
    shutil.rmtree(work)
    return record


def add_stages(base: Path, weights: Path) -> dict[str, Any]:
    """Makes a model folder inside a built base for each stage whose weights were kept.

    A stage's folder is a whole model folder and has a ``lab.json`` of its own, so that weights of another
    world are refused wherever it lies. The base's ``lab.json`` names the stages, and is written last.

    Args:
        base: The base that `build_lab` wrote.
        weights: The folder with ``stage-25.safetensors`` and so on, as `pretrain` leaves them.

    Returns:
        The base's record, now with ``stages``: the steps taken by each, by its name.
    """
    from safetensors.numpy import load_file, save_file

    record: dict[str, Any] = read_json(base / RECORD)
    settings, stages = PretrainSettings(**record["settings"]), {}
    for share in STAGES:
        if not (source := stage_path(weights, share)).exists():
            continue
        folder, step = base / str(share), settings.stages[share]
        folder.mkdir(exist_ok=True)
        for path in base.iterdir():
            if path.is_file() and path.name not in (RECORD, WEIGHTS, LOG):
                shutil.copy(path, folder)
        save_file(load_file(source), folder / WEIGHTS, metadata={"format": "pt"})
        about = {key: record[key] for key in ("world", "world_seed", "parameters")}
        write_json(folder / RECORD, about | {"stage": share, "steps": step})
        stages[str(share)] = step
    record["stages"] = stages
    write_json(base / RECORD, record)
    return record


def _prepare(world: World, settings: PretrainSettings, work: Path, reporter: Reporter) -> tuple[Any, str]:
    """Returns the tokenizer and the corpus hash, made anew unless the folder holds those of this build."""
    from tokenizers import Tokenizer

    wanted = {"world": world.hash, "tokens": settings.tokens}
    stamp = work / "corpus.json"
    if stamp.exists():
        found = read_json(stamp)
        if {key: found[key] for key in wanted} == wanted:
            return Tokenizer.from_file(str(work / "tokenizer.json")), found["corpus"]
    tokenizer = train_tokenizer(sample_texts(world))
    tokenizer.save(str(work / "tokenizer.json"))
    corpus_hash = write_tokens(world, tokenizer, settings.tokens, work / "tokens.bin", reporter)
    write_json(stamp, wanted | {"corpus": corpus_hash})
    return tokenizer, corpus_hash


def _finish(
    world: World, settings: PretrainSettings, checkpoint: Path, tokenizer: Any, out: Path
) -> dict[str, Any]:
    """Writes the trained base as half-precision safetensors with its tokenizer, and returns its record."""
    import torch
    from safetensors import safe_open
    from transformers.utils import logging

    network = build_network(settings, tokenizer.get_vocab_size())
    with safe_open(checkpoint, framework="pt") as file:
        about = file.metadata()
        weights = {name: file.get_tensor(f"model.{name}") for name, _ in network.named_parameters()}
    network.load_state_dict(weights, strict=False)  # the head is tied to the embedding
    logging.disable_progress_bar()  # progress is the reporter's
    network.to(torch.float16).save_pretrained(out)
    save_tokenizer(tokenizer, out, 2 * WINDOW)
    return {
        "world": world.hash,
        "world_seed": world.seed,
        "settings": asdict(settings),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "tokens": settings.tokens,
        "train_seconds": float(about["seconds"]),
        "built": datetime.now(UTC).date().isoformat(),
    }
