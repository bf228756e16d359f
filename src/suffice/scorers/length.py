"""The length of the answer: the baseline that any other way of choosing has to beat.

Zhao et al., "Long Is More for Alignment: A Simple but Tough-to-Beat Baseline for Instruction Fine-Tuning"
(ICML 2024, arXiv 2402.04833).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel

_CHUNK = 1024


class Length:
    """Tokens of the assistant's words under the model's tokenizer; whitespace words where there is no model."""

    name = "length"
    paper = "arXiv 2402.04833"
    cost = "a pass over the text"
    default_selector = "top"
    makes = ("scores",)
    needs_model = False
    needs_target = False

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Counts the tokens or words of every answer."""
        values: list[int] = []
        rows = iter(pool)
        with context.reporter.track("score", len(pool), "rows") as task:
            while answers := [row.answer for row in islice(rows, _CHUNK)]:
                values += lengths(answers, context.model)
                task.advance(len(answers))
            task.result(f"{len(pool):,} rows by length")
        notes: dict[str, int | float | str] = {"unit": "words" if context.model is None else "tokens"}
        return Scores(pool.ids, np.array(values, dtype=np.float32), notes=notes)


def lengths(texts: Sequence[str], model: LanguageModel | None) -> list[int]:
    """Returns how long texts are: in tokens of the model's tokenizer, or in words where there is no model."""
    if model is None:
        return [len(text.split()) for text in texts]
    return [len(ids) for ids in model.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]
