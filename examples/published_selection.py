"""Do 1,000 chosen rows reach 10,000 random ones? The question, asked of somebody else's published results.

The raw results of "A Critical Look at Targeted Instruction Selection" (arXiv 2602.14696) hold, for five models and five
tasks, the score of every method at five budgets with three seeds, and nothing by item. So each cell is Welch's
t test over three runs against three: it can say how runs vary, not what other items would show.

    python examples/published_selection.py FOLDER [--method "LESS (RR)"] [--margin 0] [--margin 2]

FOLDER holds ``critical_look_tulu_MODEL_budget.csv`` of that paper's repository. The method is named beforehand.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from pathlib import Path

from suffice.proof.compare import Question, compare

BUDGET, YARDSTICK = 1_000, 10_000


def cells(folder: Path, method: str) -> list[Question]:
    """Returns one question a model and task: the method's 1,000 rows against 10,000 random ones, run by run."""
    questions = []
    for path in sorted(folder.glob("critical_look_*_budget.csv")):
        scores: dict[tuple[str, str, int], list[float]] = defaultdict(list)
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                scores[row["dataset"], row["method"], int(row["num_samples"])].append(
                    float(row["true_metric"])
                )
        model = path.name.removeprefix("critical_look_tulu_").removesuffix("_budget.csv")
        for task in dict.fromkeys(task for task, _, _ in scores):
            arms = {
                f"Random {YARDSTICK:,}": scores[task, "Random", YARDSTICK],
                f"{method} {BUDGET:,}": scores[task, method, BUDGET],
            }
            questions.append(Question(arms, None, task=f"{model} {task}", bounds=(0.0, 100.0)))
    return questions


def main() -> None:
    """Prints the verdict of every cell on its own, and how many there are of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--method", default="LESS (RR)")
    parser.add_argument("--margin", type=float, action="append")
    options = parser.parse_args()
    questions = cells(options.folder, options.method)
    for margin in options.margin or [0.0, 2.0]:
        alone = [compare([question], margin=margin)[0] for question in questions]
        together = compare(questions, margin=margin)
        for title, found in (("each cell by itself", alone), ("all cells as one family (Holm)", together)):
            counts = ", ".join(
                f"{n} {verdict}" for verdict, n in Counter(one.verdict for one in found).items()
            )
            print(f"margin {margin:g}, {title}: of {len(found)} cells {counts}")
        above = sum(one.difference.estimate >= 0 for one in alone)
        print(f"margin {margin:g}: the mean is at least that of {YARDSTICK:,} random rows in {above} cells\n")
        for one in alone:
            ends = f"{one.difference.low:+6.1f} to {one.difference.high:+6.1f}"
            print(f"  {one.task:<28} {one.difference.estimate:+6.1f}  ({ends})  {one.verdict}")


if __name__ == "__main__":
    main()
