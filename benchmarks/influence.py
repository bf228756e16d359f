"""Gradient features against the literal loop of LESS and against the least that any engine has to do.

Run with ``python benchmarks/influence.py [--model FOLDER] [--rows N] [--repeats N]``. All run on one thread, in
turns. Without ``--model`` the network is an untrained Llama of the lab's size (1.2M parameters).

- *loop:* batch size 1, one backward pass, and a dense Rademacher projection of 16 gradients at a time, as LESS has it,
  to the same size; the projection is timed on a part of one layer's weight and scaled up to all.
- *floor:* forward and backward of the activations alone over the same batches, with the head on trained tokens:
  no feature is made.
- *LoRA step:* forward and backward of a training step with adapters of rank 16 on all linear layers, in the same
  batches, the head on all tokens as transformers has it, without the optimiser.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from suffice.gradients.codes import KINDS, Queries, code_norms
from suffice.gradients.codes import encode as encode_features
from suffice.gradients.featurise import TOKEN_BUDGET
from suffice.gradients.layers import body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.projection import Dense, Sketch
from suffice.gradients.reference import features_one_by_one
from suffice.gradients.rows import encode
from suffice.models import load_model
from suffice.models.batching import pad, token_batches
from suffice.models.losses import Passage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
from embedding import conversations, seconds

from tiny_model import build_tiny_model

BUDGET = TOKEN_BUDGET["cpu"]


def lora_steps(network: torch.nn.Module, rows: list[Passage]) -> Callable[[], object]:
    """Returns what runs forward and backward passes with adapters over the batches."""
    import peft

    config = peft.LoraConfig(r=16, target_modules="all-linear")
    adapted = peft.get_peft_model(copy.deepcopy(network), config)

    def run() -> None:
        for batch in token_batches([len(row.ids) for row in rows], BUDGET):
            ids, mask = pad([rows[i].ids for i in batch])
            labels = torch.full_like(ids, -100)
            for place, i in enumerate(batch):
                labels[place, rows[i].places] = ids[place, rows[i].places]
            adapted(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()

    return run


def loop_seconds(network: torch.nn.Module, rows: list[Passage], names: list[str], size: int) -> float:
    """Returns the seconds a row of the literal loop of LESS."""
    backward = seconds(lambda: features_one_by_one(network, rows, names, Sketch(size, 0))) / len(rows)
    part, out = torch.randn(16, 2048), torch.zeros(16, size)
    projecting = seconds(lambda: Dense(size, 0).add(out, "w", part)) / part.numel()
    weights = sum(network.get_parameter(name).numel() for name in names)
    return backward + projecting * weights


def scoring_rates(size: int, rows: int, queries: int) -> None:
    """Prints how many stored rows a second meet the target's features, kind by kind."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, size, generator=generator)
    target = Queries(torch.randn(queries, size, generator=generator))
    codes = torch.from_numpy(encode_features(features, "int8"))
    other = torch.from_numpy(encode_features(features[:queries], "int8")).T
    bare = min(seconds(lambda: torch._int_mm(codes, other)) for _ in range(5))
    print(f"bare int8 product        {rows / bare:>12,.0f} rows/s")
    for kind in KINDS:
        stored = encode_features(features, kind)
        norms = code_norms(stored, kind)
        taken = min(seconds(lambda s=stored, n=norms, k=kind: target.cosines(s, n, k)) for _ in range(3))
        print(f"scoring, {kind:<15} {rows / taken:>12,.0f} rows/s, {stored[0].nbytes:,} bytes a row")


def main() -> None:
    """Prints the rows per second of each and the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a folder or a registered name, such as lab")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--loop-rows", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        spec = options.model or build_tiny_model(
            Path(folder), width=128, layers=5, heads=4, mlp=352, vocabulary=1536
        )
        model = load_model(spec, device="cpu")
    rows = [row for row in encode(model, conversations(options.rows)) if isinstance(row, Passage)]
    network, layers = model.network, body_layers(model.network)
    names = [layer.name for layer in layers]
    settings = FeatureSettings()
    engine, floor = PerExample(network, layers, settings), PerExample(network, layers[:1], settings)
    floor._backward = lambda layer, *_: floor._received.add(layer.name)  # type: ignore[method-assign]
    few = rows[: options.loop_rows]
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "floor": (len(rows), lambda: floor.compute(rows, BUDGET)),
        "features": (len(rows), lambda: engine.compute(rows, BUDGET)),
        "LoRA step": (len(rows), lora_steps(network, rows)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    engine.compute(rows[:32], BUDGET)  # warm up
    for _ in range(options.repeats):
        for name, (count, work) in ways.items():
            times[name].append(seconds(work) / count)
    times["loop"] = [loop_seconds(network, few, names, settings.size)]
    tokens = sum(len(row.ids) for row in rows)
    trained = sum(len(row.places) for row in rows)
    print(
        f"{len(rows):,} rows, {tokens:,} tokens, {trained / tokens:.0%} trained on, one thread, CPU seconds"
    )
    best = {name: min(taken) for name, taken in times.items()}  # other load only ever adds time
    for name, taken in best.items():
        print(
            f"{name:<12} {1 / taken:>10,.1f} rows/s   features are {taken / best['features']:.2f} times as fast"
        )
    scoring_rates(settings.size, 4096, 16)


if __name__ == "__main__":
    main()
