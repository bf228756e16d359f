"""Jobs: the base, as it is or trained on rows, asked the test items or given tool tasks."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.draws import Draws
from suffice.data.example import Example, content_id
from suffice.data.target import TargetItem
from suffice.evaluation.evaluate import evaluate
from suffice.lab.measure.sampled import MAX_NEW_TOKENS, right
from suffice.lab.tool.store import called
from suffice.lab.tool.task import TURNS, Task, draw_task
from suffice.models import LanguageModel, load_model
from suffice.models.generation import generate
from suffice.training import SFTSettings, train_sft

Rows = tuple[dict[str, Any], ...]

LEARNING_RATE, BATCH = 5e-4, 32


@dataclass(frozen=True)
class Training:
    """How the base is trained before it is asked.

    Attributes:
        rows: Rows with ``messages``; none for the base as it is.
        seed: Of the order.
        steps: Optimiser steps; 0 to go by ``epochs``.
        epochs: Passes over the rows.
        batch: Rows of a step.
    """

    rows: Rows = ()
    seed: int = 0
    steps: int = 0
    epochs: float = 4.0
    batch: int = BATCH

    def apply(self, folder: str, rate: float = LEARNING_RATE) -> LanguageModel:
        """Returns the model of a folder, trained at a peak learning rate."""
        model = load_model(folder, device="cpu")
        if not self.rows:
            return model
        length = {"steps": self.steps} if self.steps else {"epochs": self.epochs}
        settings = SFTSettings(learning_rate=rate, batch_size=self.batch, **length)
        with tempfile.TemporaryDirectory() as out:
            train_sft(model, _examples(self.rows), settings, seed=self.seed, out=Path(out))
        return model


@dataclass(frozen=True)
class Asked:
    """The strict score on items: right value in the asked form, and a clean stop.

    Attributes:
        model: The folder of the base.
        training: What happens to it first.
        items: Rows of the target.
        opening: What a reply must also begin with; empty for anything.
    """

    model: str
    training: Training
    items: Rows
    opening: str = ""

    def run(self) -> dict[str, Any]:
        """Returns ``scores`` in percent with the ``families`` and ``clusters`` of the items."""
        items = [_item(row) for row in self.items]
        model = self.training.apply(self.model)
        outcomes = evaluate(model, items, extractor="last_line", max_new_tokens=MAX_NEW_TOKENS)
        return {
            "scores": [100.0 * out.score * out.reply.startswith(self.opening) for out in outcomes],
            "families": [out.task for out in outcomes],
            "clusters": [out.cluster for out in outcomes],
        }


@dataclass(frozen=True)
class Acting:
    """Tool tasks: right where the end state is right and the last line is the asked one.

    Attributes:
        model: The folder of the base.
        training: What happens to it first.
        seed: Of the tasks.
        tasks: How many.
        rate: Peak learning rate; this one was the best of 1, 2, 5 and 10e-4 on other tasks.
    """

    model: str
    training: Training
    seed: int
    tasks: int
    rate: float = 2e-4

    def run(self) -> dict[str, Any]:
        """Returns ``scores`` in percent with the skill of each task as its family."""
        draws = Draws(self.seed, "tool tasks")
        tasks = [draw_task(draws, target=True) for _ in range(self.tasks)]
        scores = act(self.training.apply(self.model, self.rate), tasks)
        return {
            "scores": scores,
            "families": [task.skill for task in tasks],
            "clusters": [str(i) for i in range(len(tasks))],
        }


def act(model: LanguageModel, tasks: Sequence[Task]) -> list[float]:
    """Has a model carry out tasks side by side and returns 100 for each success, else 0."""
    stores = [task.store() for task in tasks]
    talks = [[{"role": "user", "content": task.order}] for task in tasks]
    scores, going = [0.0] * len(tasks), list(range(len(tasks)))
    for _ in range(TURNS):
        prompts = [model.chat.encode_prompt(talks[i]) for i in going]
        replies = generate(model, prompts, max_new_tokens=48)
        left = []
        for i, reply in zip(going, replies, strict=True):
            call = called(reply.text) if reply.stopped else None
            if call is not None:
                seen = stores[i].act(call)
                talks[i] += [{"role": "assistant", "content": reply.text}, {"role": "tool", "content": seen}]
                left.append(i)
            elif reply.stopped:
                said = right(reply, tasks[i].answer_line())
                scores[i] = 100.0 * (said and stores[i].records == tasks[i].end_state())
        going = left
        if not going:
            break
    return scores


def trajectory_rows(world_seed: int, count: int, seed: int) -> Rows:
    """Returns good trajectories as training rows, each of a random skill."""
    draws = Draws(world_seed, "trajectories", seed)
    return tuple(
        {"messages": [{"role": role, "content": text} for role, text in draw_task(draws).solution()]}
        for _ in range(count)
    )


def _examples(rows: Rows) -> list[Example]:
    return [
        Example(content_id(row["messages"]), tuple(row["messages"]), None, "lab", None, "lab", line)
        for line, row in enumerate(rows, start=1)
    ]


def _item(row: dict[str, Any]) -> TargetItem:
    prompt = ({"role": "user", "content": row["prompt"]},)
    return TargetItem(row["id"], prompt, row["answer"], row["task"], "test", row["cluster"])
