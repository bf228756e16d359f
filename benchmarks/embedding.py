"""RDS+ scoring against a bare forward pass of the same network over the same token-budget batches.

Run with ``python benchmarks/embedding.py [--model FOLDER] [--rows N] [--repeats N]``. Both run on one thread,
in turns. Without ``--model`` the network is an untrained Llama of the lab's size (1.2M parameters).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from suffice.common.draws import Draws
from suffice.models import LanguageModel, load_model
from suffice.models.batching import pad, token_batches
from suffice.scorers.embedding import TOKEN_BUDGET, embed

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from tiny_model import SENTENCES, build_tiny_model


def conversations(rows: int) -> list[tuple[list[dict[str, str]], None]]:
    """Makes chats of like length as the lab's: one to six sentences."""
    draws = Draws(0, "benchmark-embedding")
    made = []
    for _ in range(rows):
        words = [" ".join(draws.sample(SENTENCES, draws.between(1, 3))) for _ in range(2)]
        turns = zip(("user", "assistant"), words, strict=True)
        made.append(([{"role": role, "content": text} for role, text in turns], None))
    return made


def bare(model: LanguageModel, rows: list[list[int]]) -> None:
    """Runs the network without its head over the batches of the scorer, and drops what it says."""
    lengths = [min(len(ids), model.window) for ids in rows]
    with torch.no_grad():
        for batch in token_batches(lengths, TOKEN_BUDGET[model.device]):
            ids, mask = pad([rows[i][: model.window] for i in batch], model.device)
            model.network.base_model(input_ids=ids, attention_mask=mask, use_cache=False)


def seconds(work: Callable[[], object]) -> float:
    """Times one call in CPU seconds, which other programs on the machine disturb least."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Prints the tokens per second of each and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a folder or a registered name, such as lab")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        spec = options.model or build_tiny_model(
            Path(folder), width=128, layers=5, heads=4, mlp=352, vocabulary=1536
        )
        model = load_model(spec, device="cpu")
    chats = conversations(options.rows)
    rows = [ids for ids in model.chat.token_ids(chats) if ids]
    tokens = sum(min(len(ids), model.window) for ids in rows)
    ways: dict[str, Callable[[], object]] = {
        "bare forward pass": lambda: bare(model, rows),
        "scoring": lambda: embed(model, rows),
        "tokenising and scoring": lambda: embed(model, [ids or [] for ids in model.chat.token_ids(chats)]),
    }
    embed(model, rows[:256])  # warm up
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.repeats):
        for name, work in ways.items():
            times[name].append(seconds(work))
    print(f"{len(rows):,} rows, {tokens:,} tokens, {options.repeats} repeats in turns, one thread")
    best = {name: min(taken) for name, taken in times.items()}  # other load only ever adds time
    for name, taken in best.items():
        ratio = best["bare forward pass"] / taken
        print(f"{name:<24} {tokens / taken:>9,.0f} tokens/s  {ratio:.3f} of the bare pass")


if __name__ == "__main__":
    main()
