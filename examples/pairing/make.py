"""Makes a.csv and b.csv: two models on the same 220 items, where pairing decides.

Run it as ``python examples/pairing/make.py [FOLDER]``; the same files come out on any machine.
"""

from __future__ import annotations

import csv
import sys
from math import sqrt
from pathlib import Path

from scipy.stats import binomtest, norm

from suffice.common.draws import Draws

# How many items only a, only b, both and neither answer rightly.
ONLY_A, ONLY_B, BOTH, NEITHER = 12, 30, 110, 68


def scores() -> list[tuple[int, int]]:
    """Returns the scores of a and b for each item, in shuffled order."""
    pairs = [(1, 0)] * ONLY_A + [(0, 1)] * ONLY_B + [(1, 1)] * BOTH + [(0, 0)] * NEITHER
    return Draws(0, "pairing").shuffled(pairs)


def unpaired(pairs: list[tuple[int, int]]) -> float:
    """Returns the two-sided p value of the z test that takes the models for two samples of items."""
    count = len(pairs)
    a, b = (sum(pair[model] for pair in pairs) / count for model in (0, 1))
    return float(2 * norm.sf(abs(a - b) / sqrt((a * (1 - a) + b * (1 - b)) / count)))


def paired(pairs: list[tuple[int, int]]) -> float:
    """Returns the p value of McNemar's exact test."""
    only_a, only_b = pairs.count((1, 0)), pairs.count((0, 1))
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def main(folder: Path) -> None:
    """Writes the two files and prints what the two tests say."""
    pairs = scores()
    for model, name in enumerate(("a.csv", "b.csv")):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("item", "score"))
            writer.writerows((f"q{place:03}", pair[model]) for place, pair in enumerate(pairs, start=1))
    print(f"a {sum(a for a, _ in pairs)} right, b {sum(b for _, b in pairs)} right, of {len(pairs)}")
    print(f"unpaired z test: p = {unpaired(pairs):.3f}")
    print(f"McNemar's exact test: p = {paired(pairs):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
