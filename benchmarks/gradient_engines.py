"""What gradient features are measured against: each way runs over the same rows and returns nothing or features.

Only `bergson_features` needs another package, and says by `bergson_version` whether it is there.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import io
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from suffice.gradients.adam import Adam, Moments
from suffice.gradients.codes import encode
from suffice.gradients.head import Head
from suffice.gradients.layers import adapter_layers, body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.projection import Dense
from suffice.gradients.reference import row_loss
from suffice.models.batching import pad, token_batches
from suffice.models.losses import Passage

Work = Callable[[], object]


def floor(network: Any, rows: Sequence[Passage], budget: int) -> Work:
    """Returns what runs forward and backward passes of activations alone, with the head on trained tokens."""
    layers = body_layers(network)[:1]
    engine = PerExample(network, layers, FeatureSettings())
    engine._backward = lambda layer, *_: engine._received.add(layer.name)  # type: ignore[method-assign]
    return lambda: engine.compute(rows, budget)


def adapter_features(network: Any, rows: Sequence[Passage], budget: int) -> Work:
    """Returns what computes features of Adam's update of adapters of rank 16, with moments made up."""
    import peft

    config = peft.LoraConfig(r=16, target_modules="all-linear")
    adapted: Any = peft.get_peft_model(copy.deepcopy(network), config).eval().base_model.model
    layers = adapter_layers(adapted)
    shapes = {layer.name: layer.module.weight.shape for layer in layers}
    moments = {
        name: Moments(torch.zeros(shape), torch.full(shape, 1e-6), step=1) for name, shape in shapes.items()
    }
    engine = PerExample(adapted, layers, FeatureSettings(side=0), moments, Adam())
    return lambda: encode(engine.compute(rows, budget)[0], "int8")


def lora_steps(network: Any, rows: Sequence[Passage], budget: int, *, whole_head: bool) -> Work:
    """Returns what runs training steps of adapters of rank 16 on all linear layers, without the optimiser.

    Args:
        network: The network.
        rows: The rows.
        budget: The most padded tokens of a batch.
        whole_head: The head on all tokens and a graph over its logits, as transformers has it; otherwise on
            trained tokens alone and in chunks, as the features have it.
    """
    import peft

    config = peft.LoraConfig(r=16, target_modules="all-linear")
    adapted: Any = peft.get_peft_model(copy.deepcopy(network), config)
    adapted.train()
    head = Head(adapted.base_model.model)

    def step(batch: list[Passage]) -> None:
        ids, mask = pad([row.ids for row in batch])
        if whole_head:
            labels = torch.full_like(ids, -100)
            for place, row in enumerate(batch):
                labels[place, row.places] = ids[place, row.places]
            adapted(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()
            return
        states = adapted.base_model.model.model(input_ids=ids, use_cache=False).last_hidden_state
        owners = torch.tensor([i for i, row in enumerate(batch) for _ in row.places])
        places = torch.tensor([place for row in batch for place in row.places])
        seeds = torch.zeros_like(states)
        weights = torch.full((len(places),), 1 / len(places))
        seeds[owners, places - 1] = head.gradient(
            states[owners, places - 1].detach(), ids[owners, places], weights
        )
        states.backward(seeds)

    def run() -> None:
        for batch in token_batches([len(row.ids) for row in rows], budget):
            step([rows[i] for i in batch])
            adapted.zero_grad()

    return run


def less_loop(network: Any, rows: Sequence[Passage], size: int) -> Work:
    """Returns the loop of LESS: one backward pass a row, then a dense Rademacher projection of 16 gradients."""
    names = [layer.name for layer in body_layers(network)]

    def run() -> torch.Tensor:
        found, projection = torch.zeros(len(rows), size), Dense(size, 0)
        for start in range(0, len(rows), 16):
            some = [gradients(network, row, names) for row in rows[start : start + 16]]
            for i, name in enumerate(names):
                block = torch.stack([one[i].flatten() for one in some])
                projection.add(found[start : start + 16], name, block)
        return found

    return run


def gradients(network: Any, row: Passage, names: Sequence[str]) -> tuple[torch.Tensor, ...]:
    """Returns a row's gradients of weights by one backward pass."""
    return torch.autograd.grad(row_loss(network, row), [network.get_parameter(name) for name in names])


def bergson_version() -> str | None:
    """Returns the version of bergson, or `None` where it is not installed."""
    try:
        return importlib.metadata.version("bergson")
    except importlib.metadata.PackageNotFoundError:
        return None


def bergson_features(
    network: Any, rows: Sequence[Passage], budget: int, *, side: int = 16, seed: int | None = None
) -> Callable[[], torch.Tensor]:
    """Returns what has bergson compute features in memory, by its own set-up, batches and loop.

    It is spared the disk: features are kept in memory, where its `build` writes them to a file.

    Args:
        network: The network.
        rows: The rows.
        budget: Its ``token_batch_size``.
        side: Its ``projection_dim``.
        seed: Its ``projection_seed``.
    """
    with quiet():
        from bergson.collector.collector import CollectorComputer
        from bergson.collector.in_memory_collector import InMemoryCollector
        from bergson.config.config import IndexConfig
        from bergson.data import allocate_batches
        from bergson.utils.worker_utils import processor_for, setup_model_and_peft
    from datasets import Dataset

    labels = [[-100] * len(row.ids) for row in rows]
    for row, own in zip(rows, labels, strict=True):
        for place in row.places:
            own[place] = row.ids[place]
    ids = [list(row.ids) for row in rows]
    data = Dataset.from_dict({"input_ids": ids, "labels": labels, "length": [len(own) for own in ids]})
    folder = tempfile.mkdtemp()
    with quiet():
        network.save_pretrained(folder)
    config = IndexConfig(
        run_path=str(Path(folder) / "run"),
        model=folder,
        precision="fp32",
        projection_dim=side,
        projection_seed=seed,
        token_batch_size=budget,
    )
    config.partial_run_path.mkdir(parents=True)
    with quiet():
        model, targets = setup_model_and_peft(config)
    processor, batches = processor_for(config), allocate_batches(data["length"][:], budget)

    def run() -> torch.Tensor:
        with quiet():
            collector = InMemoryCollector(
                model=model.base_model, cfg=config, processor=processor, data=data, target_modules=targets
            )
            computer = CollectorComputer(model, data, collector=collector, batches=batches, cfg=config)
            computer.run_with_collector_hooks()
        return torch.cat([collector.gradients[name] for name in collector.shapes()], dim=1)

    return run


@contextlib.contextmanager
def quiet() -> Any:
    """Keeps what a rival prints and logs from the table."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(level)
