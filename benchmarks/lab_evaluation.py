"""Evaluation of 1,000 lab items on one thread against transformers' ``generate``, one item at a time.

Run with ``python benchmarks/lab_evaluation.py [--model FOLDER] [--items N] [--naive N] [--repeats N]``. The items are
spread evenly over the families, the naive loop takes every k-th of them and is scaled up. Both write greedily, at most
96 tokens. Times are CPU seconds, imports and loading excluded. Without ``--model`` it is the shipped base, untuned.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from suffice.common.files import write_jsonl
from suffice.data.target import TargetItem, read_target
from suffice.evaluation.evaluate import evaluate
from suffice.lab.families import FAMILIES
from suffice.lab.target import target_rows
from suffice.lab.world import build_world
from suffice.models import LanguageModel, load_model

NEW_TOKENS = 96
TARGET = 10.0  # seconds for 1,000 items


def draw_items(count: int) -> list[TargetItem]:
    """Returns test items of the lab's target, the families in turns."""
    rows = target_rows(build_world(), math.ceil(count / len(FAMILIES)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.jsonl"
        write_jsonl(path, rows)
        items = read_target(path).test
    return sorted(items, key=lambda item: int(item.id.rpartition("-")[2]))[:count]


def naive(model: LanguageModel, items: list[TargetItem]) -> list[str]:
    """Returns the reply to each item, written alone."""
    settings: dict[str, Any] = {
        "do_sample": False,
        "max_new_tokens": NEW_TOKENS,
        "eos_token_id": sorted(model.chat.stop_ids),
        "pad_token_id": 0,
    }
    replies = []
    for item in items:
        ids = torch.tensor([model.chat.encode_prompt(item.messages)])
        with torch.no_grad():
            written = model.network.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        replies.append(model.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True))
    return replies


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Times one call in CPU seconds, which other programs on the machine disturb least."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main() -> None:
    """Prints the seconds of each and the ratio, and how many replies are the same."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="lab", help="a folder or a registered name")
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--naive", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, device="cpu")
    items = draw_items(options.items)
    few = items[:: max(1, len(items) // options.naive)][: options.naive]

    def batched() -> list[str]:
        judged = evaluate(model, items, extractor="last_line", max_new_tokens=NEW_TOKENS)
        return [outcome.reply for outcome in judged]

    evaluate(model, items[:32], extractor="last_line", max_new_tokens=4)  # warm up
    mine, alone = math.inf, math.inf  # the best of the repeats, in turns: other load only ever adds time
    for _ in range(options.repeats):
        taken, replies = seconds(batched)
        mine = min(mine, taken)
        taken, written = seconds(lambda: naive(model, few))
        alone = min(alone, taken)
    scaled = alone * len(items) / len(few)
    found = dict(zip((item.id for item in items), replies, strict=True))
    same = sum(found[item.id] == text for item, text in zip(few, written, strict=True))
    print(f"{len(items):,} items of {len(FAMILIES)} families, {options.repeats} repeats in turns, one thread")
    print(f"evaluation {mine:>8.1f} s (target for 1,000 items: under {TARGET:g} s)")
    print(f"one by one {scaled:>8.1f} s, scaled from {len(few)} items; {scaled / mine:.1f} times as long")
    print(f"{same} of {len(few)} replies are the same")


if __name__ == "__main__":
    main()
