"""Rollouts in one batch against prompt by prompt, and a training by reward against a bare loop of TRL.

Run with ``python benchmarks/rollouts.py [--model DIR] [--steps N] [--turns N] [--tokens N]``, one thread. Ratios are of CPU
seconds, which other programs on the machine disturb least; of trainings they are taken in turns, for each token sampled,
without what is done once. The bare loop is GRPOTrainer with the same settings and transformers'
``generate``, fed by a reward function that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import GRPOTrainer

from suffice.models import LanguageModel, load_model
from suffice.models.generation import continuations
from suffice.training.grpo import train_grpo
from suffice.training.grpo_trainer import _config
from suffice.training.rollouts import Question
from suffice.training.settings import GRPOSettings

ASKED = (
    {
        "role": "user",
        "content": "Eve has 6 stamps. Eve sells 3, then gets 40 more. How many stamps does Eve have now?",
    },
)
COPIES = 64


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the CPU seconds of some work, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def batched(model: LanguageModel, tokens: int) -> int:
    """Returns how many tokens 64 copies got in one batch."""
    prompts = [model.chat.encode_prompt(list(ASKED))] * COPIES
    return sum(map(len, continuations(model, prompts, max_new_tokens=tokens, temperature=1.0, seed=1)))


def one_by_one(model: LanguageModel, tokens: int, copies: int) -> int:
    """Returns how many tokens ``copies`` copies got from transformers' ``generate``, one after the other."""
    ids = torch.tensor([model.chat.encode_prompt(list(ASKED))])
    torch.manual_seed(1)
    made = 0
    for _ in range(copies):
        out = model.network.generate(ids, max_new_tokens=tokens, do_sample=True, temperature=1.0, top_k=0)
        made += out.shape[1] - ids.shape[1]
    return made


def even(texts: list[str]) -> list[float]:
    """Pays for an even number of characters."""
    return [float(len(text) % 2 == 0) for text in texts]


def ours(folder: str, settings: GRPOSettings) -> int:
    """Trains by Suffice; returns the tokens sampled."""
    with tempfile.TemporaryDirectory() as out:
        result = train_grpo(
            load_model(folder, device="cpu"),
            [Question(ASKED, "")],
            lambda rollouts: list(even([rollout.reply for rollout in rollouts])),
            settings,
            seed=1,
            out=Path(out),
            reward_key="even",
            save=False,
        )
    return result.tokens


def bare(folder: str, settings: GRPOSettings) -> int:
    """Trains by TRL alone; returns the tokens sampled."""
    model, made = load_model(folder, device="cpu"), []

    def reward(completions: list[Any], completion_ids: list[list[int]], **_: Any) -> list[float]:
        made.append(sum(map(len, completion_ids)))
        return even([completion[0]["content"] for completion in completions])

    with tempfile.TemporaryDirectory() as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = GRPOTrainer(
            model=model.network,
            reward_funcs=reward,
            args=_config(settings, "cpu", out, COPIES, 1, 1),
            train_dataset=Dataset.from_list([{"prompt": list(ASKED)}] * (settings.steps * settings.groups)),
            processing_class=model.tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return sum(made)


def main() -> None:
    """Prints both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lab")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--alone", type=int, default=8, help="Copies asked one by one.")
    given = parser.parse_args()
    model = load_model(given.model, device="cpu")
    batched(model, 4)  # what is loaded once
    seconds, tokens = cpu(lambda: batched(model, given.tokens))
    slow, few = cpu(lambda: one_by_one(model, given.tokens, given.alone))
    print(f"one batch of {COPIES}    {tokens / seconds:8.0f} tokens a CPU second")
    print(
        f"one by one         {few / slow:8.0f} tokens a CPU second, {tokens / seconds / (few / slow):.1f} times fewer"
    )
    settings = GRPOSettings(
        learning_rate=1e-6,
        steps=given.steps,
        groups=8,
        samples=8,
        temperature=1.0,
        max_new_tokens=given.tokens,
        kl=0.0,
    )
    ratios = []
    for turn in range(given.turns):
        took = {}
        for name, work in (("suffice", ours), ("bare TRL", bare)):
            first, one = cpu(
                lambda work=work: work(given.model, GRPOSettings(**{**_fields(settings), "steps": 1}))
            )
            seconds, tokens = cpu(lambda work=work: work(given.model, settings))
            took[name] = (seconds - first) / (tokens - one)
            print(f"turn {turn + 1} {name:<11} {1000 * took[name]:6.2f} CPU ms a token of {tokens - one:,}")
        ratios.append(took["suffice"] / took["bare TRL"])
    print(
        f"suffice takes {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) of the time of bare TRL"
    )


def _fields(settings: GRPOSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__slots__}


if __name__ == "__main__":
    main()
