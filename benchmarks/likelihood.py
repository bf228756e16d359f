"""The scoring passes of `loss`, `ifd` and `complexity` against a bare forward pass of the same network over the same batches.

Run with ``python benchmarks/likelihood.py [--model FOLDER] [--rows N] [--repeats N]``. All run on one thread, in
turns. The bare pass computes logits at every token, as a call of the network does; the bare base leaves out the
language-model head. Without ``--model`` the model is the lab's base (1.2M parameters).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from suffice.models import LanguageModel, load_model
from suffice.models.batching import pad, token_batches
from suffice.models.chat import Conversation
from suffice.models.losses import Group, Passage, answer_passage, token_losses
from suffice.scorers.complexity import Complexity
from suffice.scorers.digits import mean_digits
from suffice.scorers.likelihood import paired_passages
from suffice.scorers.shards import TOKEN_BUDGET

sys.path.insert(0, str(Path(__file__).parent))
from embedding import conversations

TARGET = 0.85


def bare(model: LanguageModel, groups: Sequence[Group], *, head: bool) -> None:
    """Runs the network over the batches of the scorer and drops what it says."""
    network = model.network if head else model.network.base_model
    rows = [[i for passage in group for i in passage.ids] for group in groups]
    with torch.no_grad():
        for batch in token_batches([len(row) for row in rows], TOKEN_BUDGET[model.device]):
            ids, mask = pad([rows[i] for i in batch], model.device)
            network(input_ids=ids, attention_mask=mask, use_cache=False)


def scored(model: LanguageModel, groups: Sequence[Group]) -> None:
    """Computes the losses as the scorers do."""
    token_losses(model, groups, TOKEN_BUDGET[model.device])


def prompts_of(chats: Sequence[Conversation]) -> list[str]:
    """Returns what `complexity` puts before a scorer, for the first turn of each conversation."""
    return [Complexity.trained.format(instruction=messages[0]["content"]) for messages, _ in chats]


def encoded(model: LanguageModel, chats: Sequence[Conversation], scorer: str) -> list[Group]:
    """Returns conversations as a scorer has them computed, without those longer than the window."""
    rows = [row for row in model.chat.encode_many(chats) if row and len(row.ids) <= model.window]
    if scorer == "complexity":
        texts = model.tokenizer(prompts_of(chats))["input_ids"]
        return [[Passage(ids, [len(ids) - 1])] for ids in texts if len(ids) <= model.window]
    if scorer == "loss":
        return [[answer_passage(row)] for row in rows]
    return [paired_passages(row, model.chat) for row in rows]


def apart(groups: Sequence[Group]) -> list[Group]:
    """Returns the passages of all groups, each by itself: the two passes that packing replaces."""
    return [[passage] for group in groups for passage in group]


def seconds(work: Callable[[], object]) -> float:
    """Times one call in CPU seconds, which other programs on the machine disturb least."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Prints, for each scorer, the tokens per second of each way and its ratio to the bare pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="lab", help="a folder or a registered name")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, device="cpu")
    chats = conversations(options.rows)
    for name in ("loss", "ifd", "complexity"):
        groups = encoded(model, chats, name)
        tokens = sum(len(passage.ids) for group in groups for passage in group)
        ways: dict[str, Callable[[], object]] = {
            "bare forward pass": lambda groups=groups: bare(model, groups, head=True),
            "bare base, no head": lambda groups=groups: bare(model, groups, head=False),
            "scoring": lambda groups=groups: scored(model, groups),
            "tokenising, scoring": lambda name=name: scored(model, encoded(model, chats, name)),
        }
        if name == "complexity":
            del ways["scoring"]
            ways["tokenising, scoring"] = lambda: mean_digits(
                model, prompts_of(chats), TOKEN_BUDGET[model.device]
            )
        if name == "ifd":
            ways["scoring, unpacked"] = lambda groups=groups: scored(model, apart(groups))
        scored(model, groups[:256])  # warm up
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.repeats):
            for way, work in ways.items():
                times[way].append(seconds(work))
        best = {way: min(taken) for way, taken in times.items()}  # other load only ever adds time
        print(
            f"{name}: {len(groups):,} rows, {tokens:,} tokens, {options.repeats} repeats in turns, one thread"
        )
        for way, taken in best.items():
            ratio = best["bare forward pass"] / taken
            print(f"  {way:<20} {tokens / taken:>9,.0f} tokens/s  {ratio:.3f} of the bare pass")


if __name__ == "__main__":
    main()
