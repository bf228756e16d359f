"""How soon influence finds the rows of a task among many others: GSM8K's training rows among Alpaca's, GSM8K as target.

Run with ``python benchmarks/mixed.py POOL… --target gsm8k_test.jsonl [--model lab] [--part 0.25] [--set NAME=VALUE]``. Rows of
the pool whose file's name has ``--planted`` (gsm8k) in it are those looked for. Without ``--part`` all rows are scored; with it
a random part, warm-up and all, which tells the share among a part of the first 1,000. What was computed in ``--out`` before
is found again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from suffice.common.draws import Draws
from suffice.common.options import make, read_options
from suffice.common.progress import reporter
from suffice.data.target import Target, read_target
from suffice.gradients.rows import encode
from suffice.models import LanguageModel, load_model
from suffice.models.losses import Passage
from suffice.runs.choose import gather
from suffice.scorers.embedding import Embedding
from suffice.scorers.protocol import Scorer, ScoringContext

FIRST = 1000


def within_window(target: Target, model: LanguageModel) -> Target:
    """Returns the target without the dev examples that the model cannot hold, and tells how many those are."""
    encoded = encode(model, [(item.conversation, None) for item in target.dev])
    kept = [item for item, row in zip(target.dev, encoded, strict=True) if isinstance(row, Passage)]
    print(
        f"{len(kept):,} of {len(target.dev):,} dev examples fit the window of {model.window:,} tokens",
        flush=True,
    )
    return Target((*kept, *target.test))


def main() -> None:
    """Scores the mixed pool by influence and by RDS+, and prints the shares."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("pool", nargs="+")
    arguments.add_argument("--target", required=True)
    arguments.add_argument("--planted", default="gsm8k")
    arguments.add_argument("--model", default="lab")
    arguments.add_argument("--part", type=float, default=1.0)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--set", action="append", dest="options")
    arguments.add_argument("--out", type=Path, default=Path("mixed"))
    given = arguments.parse_args()
    told = reporter(quiet=False)
    target = read_target(given.target)
    pool = gather(given.pool, target, told).pool
    pool = pool.take(sorted(Draws(0, "part").sample(range(len(pool)), round(given.part * len(pool)))))
    planted = np.array([given.planted in source for source in pool.sources])
    print(f"{len(pool):,} rows, {planted.sum():,} of them looked for ({planted.mean():.1%})", flush=True)
    model = load_model(given.model, device="cpu")
    target = within_window(target, model)
    context = ScoringContext(given.out, model, target, told, workers=given.jobs)
    first = round(FIRST * given.part)
    scorers: dict[str, Scorer] = {
        "RDS+": Embedding(),
        "influence": make("scorers", "influence", read_options(given.options)),
    }
    for name, scorer in scorers.items():
        wall, processor = time.monotonic(), time.process_time()
        scores = scorer.score(pool, context)
        wall, processor = time.monotonic() - wall, time.process_time() - processor
        missing = np.isnan(scores.values)
        order = np.argsort(-np.nan_to_num(scores.values, nan=-9), kind="stable")
        shares = [f"{planted[order[:n]].mean():.3f} of the first {n:,}" for n in (first, int(planted.sum()))]
        print(
            f"{name}: {', '.join(shares)}; without a score {missing[planted].sum():,} of those looked for and "
            f"{missing[~planted].sum():,} others; {wall:.0f} s, of this process {processor:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
