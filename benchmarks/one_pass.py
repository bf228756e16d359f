"""How well the base's replies alone foretell which examples vary most during a training by reward.

Run with ``python benchmarks/one_pass.py [--history FILE] [--model DIR] [--task NAME] [--epochs N] [--out DIR]``.

Wang et al. (arXiv 2504.20571) rank examples by the standard deviation of their accuracy over the epochs of a training on
all of them. `suffice run one-shot` estimates it in one pass: a reply is right or wrong with the base's pass rate p, whose
standard deviation is the root of p (1 - p). Told are Spearman's correlation of both, and how many of the first tenth
they share.

*On a published history* (``--history``, the paper's JSON): the first epochs stand for the base, the later ones are what
is foretold, and the even epochs against the odd ones say how well a history foretells itself.

*On the lab:* the examples of one task are trained on twice, with two seeds, and the base is asked by ever more replies.
The second training says how well a whole training foretells another; its cost is told in replies.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from suffice.common.files import read_json, write_json
from suffice.data.examples import read_examples
from suffice.data.target import TargetItem
from suffice.lab.export import export_stepwise
from suffice.models import load_model
from suffice.rewards.judge import Judge
from suffice.rewards.protocol import Rollout
from suffice.runs.one_shot.jobs import grpo_settings
from suffice.runs.one_shot.recipe import OneShotRecipe, read_one_shot
from suffice.runs.rewarded.judged import judge_items, judge_of, question_of, right_reward
from suffice.training.grpo import train_grpo

Rates = NDArray[np.float64]
PLAIN = "{question}"


def spread(rates: Rates) -> Rates:
    """Returns the standard deviation of right and wrong at pass rates [examples]."""
    spreads: Rates = np.sqrt(rates * (1 - rates))
    return spreads


def told(name: str, cost: str, mine: Rates, theirs: Rates) -> None:
    """Prints how two rankings of the same examples agree."""
    first = max(1, len(mine) // 10)
    tops = [set(np.argsort(-one, kind="stable")[:first]) for one in (mine, theirs)]
    rho = spearmanr(mine, theirs).statistic
    print(f"| {name} | {cost} | {rho:.2f} | {len(tops[0] & tops[1])} of {first} |", flush=True)


def published(path: Path) -> None:
    """Prints how the first epochs of a history foretell the later ones."""
    histories = [np.array(one) for one in read_json(path).values()]
    print("| foretold by | epochs | Spearman | shared |\n|---|---|---|---|")
    for epochs in (1, 2, 4, 8):
        mine = spread(np.array([one[:epochs].mean() for one in histories]))
        told("the first epochs", str(epochs), mine, np.array([one[epochs:].std() for one in histories]))
    halves = [np.array([one[start::2].std() for one in histories]) for start in (0, 1)]
    told("even epochs, of odd ones", "half", *halves)


def history(
    examples: Sequence[TargetItem],
    recipe: OneShotRecipe,
    model: str,
    seed: int,
    out: Path,
) -> dict[str, list[float]]:
    """Trains on all examples and returns the accuracy of each in every epoch; kept in ``out``."""
    path = out / f"history-{seed}.json"
    if path.exists():
        kept: dict[str, list[float]] = read_json(path)
        return kept
    names = {question_of(one, PLAIN).messages[-1]["content"]: one.id for one in examples}
    found: dict[str, list[float]] = {one.id: [] for one in examples}

    def noting(judge: Judge) -> Callable[[Sequence[Rollout]], list[float | None]]:
        def reward(rollouts: Sequence[Rollout]) -> list[float | None]:
            values = judge(rollouts)
            samples = recipe.training.samples
            for start in range(0, len(values), samples):
                group = [value or 0.0 for value in values[start : start + samples]]
                found[names[rollouts[start].messages[-1]["content"]]].append(sum(group) / samples)
            return values

        return reward

    with judge_of(recipe, right_reward(recipe)) as judge:
        train_grpo(
            load_model(model, device="cpu"),
            [question_of(one, PLAIN) for one in examples],
            noting(judge),
            grpo_settings(recipe),
            seed=seed,
            out=out / f"training-{seed}",
            reward_key="noted",
            save=False,
        )
    write_json(path, found)
    return found


def lab(model: str, task: str, count: int, epochs: int, out: Path) -> None:
    """Prints how the base's replies and another training foretell a training on the lab."""
    files = {name: str(path) for name, path in export_stepwise(out / "input").items()}
    steps = count * epochs // 8
    recipe = read_one_shot("one-shot-lab", files | {"training.steps": steps, "training.groups": 8})
    examples = [one for one in read_examples(files["examples"]).items if one.task == task][:count]
    histories = [history(examples, recipe, model, seed, out / task) for seed in (0, 1)]
    spreads = [np.array([np.std(one[example.id]) for example in examples]) for one in histories]
    loaded = load_model(model, device="cpu")
    print(f"{task}: {count} examples, {epochs} epochs of {recipe.training.samples} replies")
    print("| foretold by | replies | Spearman | shared |\n|---|---|---|---|")
    told("another training", f"{count * epochs * recipe.training.samples:,}", spreads[1], spreads[0])
    with judge_of(recipe, right_reward(recipe)) as judge:
        asked = judge_items(
            loaded,
            judge,
            examples,
            PLAIN,
            max_new_tokens=recipe.max_new_tokens,
            samples=64,
            temperature=1.0,
        )
    values = np.array([[reply.value or 0.0 for reply in replies] for replies in asked])
    for samples in (8, 16, 32, 64):
        mine = spread(values[:, :samples].mean(axis=1))
        told("the base's replies", f"{count * samples:,}", mine, spreads[0])


def main() -> None:
    """Runs either comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", type=Path, help="A published history; nothing is trained.")
    parser.add_argument("--model", default="lab")
    parser.add_argument("--task", default="chain")
    parser.add_argument("--examples", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("one-pass"))
    given = parser.parse_args()
    if given.history:
        published(given.history)
    else:
        lab(given.model, given.task, given.examples, given.epochs, given.out)


if __name__ == "__main__":
    main()
