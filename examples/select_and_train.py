"""Suffice as a library: read a pool, score it, choose, write the selection, and train on it where a model is given.

python examples/select_and_train.py pool.jsonl chosen --budget 100 --model lab
"""

from __future__ import annotations

import argparse
from pathlib import Path

from suffice.data.pool import read_pool
from suffice.models import load_model
from suffice.runs.selection import write_selection
from suffice.scorers.length import Length
from suffice.scorers.protocol import ScoringContext
from suffice.selectors.protocol import SelectionRequest
from suffice.selectors.top import Top
from suffice.training import SFTSettings
from suffice.training.sft import train_sft


def main(words: list[str] | None = None) -> None:
    """Runs the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--model", help="A folder, a hub id, or lab; without one nothing is trained.")
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args(words)

    reading = read_pool([given.pool])
    print(f"{len(reading.pool):,} rows, {len(reading.rejected):,} rejected")

    scores = Length().score(reading.pool, ScoringContext(folder=given.out / "cache"))
    choices = Top().select(SelectionRequest(reading.pool, scores, given.budget))
    write_selection(given.out / "selection.jsonl", reading.pool, choices)
    print(f"first of {len(choices):,} chosen rows: {choices[0].reason}")

    if given.model:
        examples = [reading.pool[choice.index] for choice in choices]
        settings = SFTSettings(learning_rate=5e-4, steps=given.steps)
        result = train_sft(load_model(given.model), examples, settings, seed=0, out=given.out)
        print(
            f"{result.steps} steps, last loss {result.final_loss:.2f}; the weights are in {given.out / 'model'}"
        )


if __name__ == "__main__":
    main()
