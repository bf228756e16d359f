"""A tiny pool, target and recipe, on which the whole path runs in seconds."""

from __future__ import annotations

import json
from pathlib import Path

SUBJECTS = ["river", "stone", "apple", "dog", "story"]


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pool_rows(count: int = 60) -> list[dict]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"Tell me about the {SUBJECTS[i % 5]} number {i}."},
                {"role": "assistant", "content": " ".join([SUBJECTS[i * 3 % 5]] * (1 + i * 7 % 9))},
            ],
            "source": "even" if i % 2 == 0 else "odd",
        }
        for i in range(count)
    ]


BAD_ROWS = [{"messages": []}, {"text": "no format"}]


def target_rows() -> list[dict]:
    """Four dev and 12 test items of two families, in clusters of two."""
    return [
        {
            "id": f"item-{i}",
            "prompt": f"Add {i} and one.",
            "answer": str(i + 1),
            "task": ["add", "sum"][i % 2],
            "split": "dev" if i < 4 else "test",
            "cluster": f"c{i // 4}-{i % 2}",
        }
        for i in range(16)
    ]


def write_inputs(folder: Path, model: Path) -> None:
    """Writes ``pool.jsonl`` (62 rows, two of them bad), ``target.jsonl`` and ``tiny.yaml``, which names the two.

    The recipe's paths are relative, so that the folder can be copied: work with it as the current one.
    """
    write_rows(folder / "pool.jsonl", [*pool_rows(), *BAD_ROWS])
    write_rows(folder / "target.jsonl", target_rows())
    (folder / "tiny.yaml").write_text(
        "name: tiny\n"
        f"model: {model}\n"
        "pool: [pool.jsonl]\n"
        "target: {file: target.jsonl, max_new_tokens: 4}\n"
        "selection: {budget: 8}\n"
        "training: {learning_rate: 1.0e-3, batch_size: 4, steps: 2, checkpoint_steps: 0}\n"
        "design: {draws: 2, seeds: 2}\n"
        "execution: {device: cpu, jobs: 1}\n"
    )


class Here:
    """Does in this process what `suffice.scale.local.Workers` does in others, which saves loading torch anew."""

    def __init__(self, count: int, threads: int = 1) -> None:
        pass

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def map(self, function, jobs, on_result=None, on_progress=None):
        found = []
        for index, job in enumerate(jobs):
            found.append(function(job, *([on_progress] if on_progress else [])))
            if on_result:
                on_result(index, found[-1])
        return found
