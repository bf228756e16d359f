"""Gradient features and their stores against the loop of LESS, bergson, a LoRA step, and the least there is to do.

Run with ``python benchmarks/influence.py [--model FOLDER] [--shapes lab,slice,full] [--repeats N]``. Everything runs on
one thread over the same rows, in turns; given are medians of CPU seconds, which other work on the machine disturbs
least. bergson is timed where it is installed (``pip install --no-deps bergson==2.5.1`` and what its import asks
for), on the best of several token batches (on *full*, the best on *slice*).

Shapes:

- *lab:* the lab's base (``--model``, 1.2M parameters) over rows of its pool. Here alone the gradients mean something, so
  here ranks are compared with those of exact gradients, and the loop of LESS is run.
- *slice*, *full:* 6 and 30 layers of the shape of SmolLM-135M with random weights, a vocabulary of 49,152 and rows of
  random tokens, 30 % of them trained on.

Ways:

- *features:* ours, of the weights of all linear layers, from rows of tokens to int8 codes; *of adapters:* of Adam's update
  of adapters of rank 16, as after a warm-up.
- *floor:* forward and backward of activations over the same batches, with the head on trained tokens.
- *LoRA step:* forward and backward of adapters of rank 16 on all linear layers in the same batches, without the
  optimiser, once with the head of the features and once with that of transformers.
- *LESS loop:* one backward pass a row and a dense Rademacher projection to the same size, 16 gradients at a time.

Nothing is compiled on any side.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from feature_stores import in_turns, memory, scoring, seconds, store_bytes
from gradient_engines import (
    Work,
    adapter_features,
    bergson_features,
    bergson_version,
    floor,
    gradients,
    less_loop,
    lora_steps,
)
from scipy.stats import spearmanr

from suffice.common.draws import Draws
from suffice.gradients.codes import Bits, Queries, code_norms
from suffice.gradients.codes import encode as encode_features
from suffice.gradients.featurise import TOKEN_BUDGET
from suffice.gradients.layers import body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.rows import encode
from suffice.models import load_model
from suffice.models.losses import Passage

TARGETS = 16
BUDGETS = {
    "lab": (512, 1024, 2048, 4096),
    "slice": (512, 1024, 2048),
    "full": (1024,),
}  # bergson's, to choose from
SEEDS = range(3)


@dataclass
class Shape:
    """A network and rows to compute features of."""

    name: str
    network: Any
    rows: list[Passage]


def lab(model: str, rows: int) -> tuple[Shape, list[Passage]]:
    """Returns the lab's base with rows of its pool, and examples of its target in turns of families."""
    from suffice.lab.pool import pool_rows
    from suffice.lab.target import target_rows
    from suffice.lab.world import build_world

    loaded, world = load_model(model, device="cpu"), build_world()
    chats = [
        row["messages"] for row in itertools.islice(pool_rows(world, 2 * rows), 2 * rows) if "messages" in row
    ]
    asked = [row for row in target_rows(world, 1, 2) if row["split"] == "dev"]
    pairs = [[("user", row["prompt"]), ("assistant", row["answer"])] for row in asked]
    wanted = [[{"role": role, "content": text} for role, text in pair] for pair in pairs]

    def passages(found: list[Any]) -> list[Passage]:
        return [row for row in encode(loaded, [(chat, None) for chat in found]) if isinstance(row, Passage)]

    kept = passages([chat for chat in chats if isinstance(chat, list)])[:rows]
    return Shape("lab", loaded.network, kept), passages(wanted)[:TARGETS]


def smol(name: str, layers: int, tokens: int) -> Shape:
    """Returns layers of the shape of SmolLM-135M with random weights, and rows of random tokens."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=layers,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = LlamaForCausalLM(config).eval()
    draws, rows = Draws(0, "benchmark-influence"), []
    while sum(len(row.ids) for row in rows) < tokens:
        length = draws.between(180, 220)
        ids = [draws.below(config.vocab_size) for _ in range(length)]
        rows.append(Passage(ids, list(range(length - round(0.3 * length), length))))
    return Shape(name, network, rows)


def ways(shape: Shape, settings: FeatureSettings, budget: int) -> dict[str, Work]:
    """Returns what is timed over a shape, ours first."""
    network, rows = shape.network, shape.rows
    engine = PerExample(network, body_layers(network), settings)
    found: dict[str, Work] = {
        "features": lambda: encode_features(engine.compute(rows, budget)[0], "int8"),
        "LoRA step, same head": lora_steps(network, rows, budget, whole_head=False),
    }
    if shape.name == "lab":
        found["features of adapters"] = adapter_features(network, rows, budget)
        found["floor"] = floor(network, rows, budget)
        found["LoRA step, whole head"] = lora_steps(network, rows, budget, whole_head=True)
    if bergson_version():
        tries = {size: bergson_features(network, rows, size) for size in BUDGETS[shape.name]}
        best = min(tries, key=lambda size: seconds(tries[size])) if len(tries) > 1 else next(iter(tries))
        found[f"bergson, {best:,} tokens"] = tries[best]
    return found


def compare_speed(shape: Shape, settings: FeatureSettings, repeats: int, loop_rows: int = 0) -> None:
    """Prints rows per second of each way, and how the features compare in the same turns."""
    tokens = sum(len(row.ids) for row in shape.rows)
    trained = sum(len(row.places) for row in shape.rows) / tokens
    budget = TOKEN_BUDGET["cpu"]
    print(
        f"\n{shape.name}: {len(shape.rows):,} rows, {tokens:,} tokens, {trained:.0%} trained on; features of "
        f"{settings.size:,} numbers from sides of {settings.side}; {budget:,} tokens a batch; {repeats} turns",
        flush=True,
    )
    times = in_turns(ways(shape, settings, budget), repeats, warm=shape.name == "lab")
    for name, taken in times.items():
        ratios = sorted(other / ours for other, ours in zip(taken, times["features"], strict=True))
        print(
            f"  {name:<24} {len(shape.rows) / statistics.median(taken):>9,.2f} rows/s   features are "
            f"{statistics.median(ratios):6.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    if shape.name == "lab" and loop_rows:
        few = shape.rows[:loop_rows]
        loop = seconds(less_loop(shape.network, few, settings.size)) / len(few)
        ours = statistics.median(times["features"]) / len(shape.rows)
        print(f"  {'LESS loop':<24} {1 / loop:>9,.2f} rows/s   features are {loop / ours:6.0f} times as fast")


def compare_ranks(shape: Shape, wanted: list[Passage], settings: FeatureSettings) -> None:
    """Prints the rank correlations of cosines to targets with those of exact gradients."""
    truth = exact(shape.network, shape.rows, wanted)
    rows = [*shape.rows, *wanted]
    print(
        f"\nSpearman's correlation with exact cosines, {len(shape.rows)} rows, {len(wanted)} targets, {len(SEEDS)} seeds:"
        "\nof the cosines to one target, the mean over targets; and of the mean cosine to all targets",
        flush=True,
    )
    for name, features in engines(shape.network, rows, settings):
        kinds: list[Bits | None] = [None] if name == "bergson" else [None, "int8", "1bit"]
        for kind in kinds:
            found = [cosines(one, len(wanted), kind) for one in features]
            each = [
                np.mean([correlation(*pair) for pair in zip(one.T, truth.T, strict=True)]) for one in found
            ]
            mean = [correlation(one.mean(axis=1), truth.mean(axis=1)) for one in found]
            print(
                f"  {name + ', ' + (kind or 'float32'):<20} {np.mean(each):.3f} ({min(each):.3f} to {max(each):.3f})"
                f"   {np.mean(mean):.3f} ({min(mean):.3f} to {max(mean):.3f})",
                flush=True,
            )


def correlation(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Returns Spearman's rank correlation."""
    return float(spearmanr(one, other).statistic)


def engines(
    network: Any, rows: list[Passage], settings: FeatureSettings
) -> Iterator[tuple[str, list[torch.Tensor]]]:
    """Yields each engine's name and its features with several seeds."""
    own = [FeatureSettings(settings.size, settings.side, seed=seed) for seed in SEEDS]
    layers = body_layers(network)
    yield "features", [PerExample(network, layers, one).compute(rows, 2048)[0] for one in own]
    if bergson_version():
        yield "bergson", [bergson_features(network, rows, 2048, seed=seed)() for seed in SEEDS]


def cosines(features: torch.Tensor, targets: int, kind: Bits | None) -> np.ndarray[Any, Any]:
    """Returns the cosines of rows to the targets, the last of the features [rows, targets]."""
    pool, wanted = features[:-targets], features[-targets:]
    if kind is None:
        unit = torch.nn.functional.normalize
        return (unit(pool.float()) @ unit(wanted.float()).T).numpy()
    codes = encode_features(pool, kind)
    return Queries(wanted).cosines(codes, code_norms(codes, kind), kind)


def exact(network: Any, rows: list[Passage], wanted: list[Passage]) -> np.ndarray[Any, Any]:
    """Returns the cosines of each row's whole gradient to the targets', one backward pass each [rows, targets]."""
    names = [layer.name for layer in body_layers(network)]

    def whole(row: Passage) -> torch.Tensor:
        joined = torch.cat([one.flatten() for one in gradients(network, row, names)])
        return joined / joined.norm()

    targets = torch.stack([whole(row) for row in wanted])
    return torch.stack([targets @ whole(row) for row in rows]).numpy()


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="lab", help="the lab's base: a folder or a registered name")
    parser.add_argument("--shapes", default="lab,slice,full", help="which of them, with commas")
    parser.add_argument("--rows", type=int, default=128, help="rows of the lab's pool")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--no-stores", action="store_true", help="leave out stores, scoring and memory")
    parser.add_argument("--loop-rows", type=int, default=16, help="rows of the LESS loop; 0 leaves it out")
    parser.add_argument("--tokens", type=int, default=1024, help="tokens of slice and full")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shapes, settings = options.shapes.split(","), FeatureSettings()
    version = bergson_version()
    print(
        f"{platform.processor() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    )
    print(f"bergson {version}" if version else "bergson is not installed: its part is left out")
    modules = 35
    if "lab" in shapes:
        shape, wanted = lab(options.model, options.rows)
        modules = len(body_layers(shape.network))
        compare_speed(shape, settings, options.repeats, options.loop_rows)
        compare_ranks(shape, wanted, settings)
    if "slice" in shapes:
        compare_speed(smol("slice", 6, options.tokens), settings, options.repeats)
    if "full" in shapes:
        compare_speed(smol("full", 30, options.tokens), settings, options.repeats)
    if not options.no_stores:
        store_bytes(settings.size, 4 * 16 * 16 * modules)
        scoring(settings.size, TARGETS, options.repeats)
        memory(settings.size, TARGETS)


if __name__ == "__main__":
    main()
