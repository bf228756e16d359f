"""The statistics on plain arrays: is a new method better than the old one, on these items and on others like them?

python examples/compare_arrays.py
"""

from __future__ import annotations

import numpy as np

from suffice.proof.compare import Question, compare


def main() -> None:
    """Compares two methods, four runs each, on 200 made-up items that both were scored on."""
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 1, 200)  # what an item asks of every model
    scores = {
        name: (rng.normal(level, 0.1, (4, 1)) + rng.normal(0, 1, (4, 200)) > hard).astype(float)
        for name, level in (("old", 0.0), ("new", 0.3))
    }
    [found] = compare([Question(scores, items=[f"item-{i}" for i in range(200)], task="made up")])
    print(found.verdict)
    print(found.sentence)


if __name__ == "__main__":
    main()
