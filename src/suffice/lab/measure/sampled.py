"""Jobs: what the base says when it is sampled, and what it continues plain text with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suffice.models import load_model
from suffice.models.generation import Reply, generate

MAX_NEW_TOKENS = 112


@dataclass(frozen=True)
class Sampled:
    """Several replies to each question.

    Attributes:
        model: The folder of the model.
        questions: What is asked.
        answers: The right last line of each reply.
        samples: Replies to each question.
        temperature: 1 samples the model as it is, 0 is greedy.
        seed: Of the draws.
    """

    model: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    samples: int = 1
    temperature: float = 1.0
    seed: int = 0

    def run(self) -> dict[str, Any]:
        """Returns for each question its ``replies``: text, and whether it stopped and is right."""
        model = load_model(self.model, device="cpu")
        prompts = [model.chat.encode_prompt([{"role": "user", "content": text}]) for text in self.questions]
        flat = [prompt for prompt in prompts for _ in range(self.samples)]
        replies = generate(
            model, flat, max_new_tokens=MAX_NEW_TOKENS, temperature=self.temperature, seed=self.seed
        )
        grouped = [replies[i : i + self.samples] for i in range(0, len(replies), self.samples)]
        return {
            "replies": [
                [{"text": reply.text, "right": right(reply, answer)} for reply in group]
                for group, answer in zip(grouped, self.answers, strict=True)
            ]
        }


def questions_of(rows: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns what rows of the target ask, and the right last line of each reply."""
    return tuple(row["prompt"] for row in rows), tuple(last_line(row["answer"]) for row in rows)


def last_line(text: str) -> str:
    """Returns what comes after the last line break."""
    return text.rsplit("\n", 1)[-1]


def right(reply: Reply, answer: str) -> bool:
    """Tells whether a reply ended by itself with the right last line."""
    return reply.stopped and last_line(reply.text) == answer


@dataclass(frozen=True)
class Continued:
    """The line with which the model continues plain text, greedily.

    Attributes:
        model: The folder of the model.
        texts: The beginnings.
        wanted: The right rest of each line.
    """

    model: str
    texts: tuple[str, ...]
    wanted: tuple[str, ...]

    def run(self) -> dict[str, Any]:
        """Returns ``scores``, 100 where the rest of the line is right."""
        model = load_model(self.model, device="cpu")
        start = model.tokenizer.bos_token
        prompts = [
            model.tokenizer(f"{start}{text}", add_special_tokens=False)["input_ids"] for text in self.texts
        ]
        longest = max(len(model.tokenizer(text)["input_ids"]) for text in self.wanted)
        replies = generate(model, prompts, max_new_tokens=longest + 2)
        lines = [reply.text.split("\n", 1)[0].split(model.tokenizer.bos_token)[0] for reply in replies]
        return {
            "scores": [100.0 * (line.strip() == want) for line, want in zip(lines, self.wanted, strict=True)]
        }
