"""SRLM: most rationales are short, the long ones are right far more often, and a suffix brings them out."""

from __future__ import annotations

from suffice.lab.documents.talk import EXPLAIN
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, share
from suffice.lab.measure.sampled import Sampled, questions_of
from suffice.proof.intervals import Interval

QUESTIONS, SAMPLES = 100, 8


def measure(bench: Bench) -> list[Reading]:
    """Measures the rationales of sampled replies to ``chain`` problems, and greedy ones after the suffix."""
    rows = [row for row in bench.test if row["task"] == "chain"][:QUESTIONS]
    questions, answers = questions_of(rows)
    suffixed = tuple(question + EXPLAIN for question in questions)
    plain, explained = bench.run(
        "rationales",
        [
            Sampled(str(bench.base), questions, answers, samples=SAMPLES, seed=2),
            Sampled(str(bench.base), suffixed, answers, temperature=0.0),
        ],
    )
    replies = [reply for group in plain["replies"] for reply in group]
    short = [reply for reply in replies if kind(reply["text"]) == "short"]
    long = [reply for reply in replies if kind(reply["text"]) == "long"]
    shares = [100.0 * (kind(reply["text"]) == "short") for reply in short + long]
    brought = [100.0 * (kind(reply["text"]) == "long") for [reply] in explained["replies"]]
    gap = Interval(_right(long) - _right(short), None, None)
    return [
        Reading.of("srlm.short", share(shares), seeds=1, least=80),
        Reading.of("srlm.gap", gap, seeds=1, least=30),
        Reading.of("srlm.suffix", share(brought), least=50),
    ]


def kind(text: str) -> str:
    """Returns ``long`` for worked steps, ``short`` for the whole expression at once, else ``none``."""
    lines = sum(" = " in line for line in text.splitlines())
    return "none" if not lines else "short" if lines == 1 else "long"


def _right(replies: list[dict[str, object]]) -> float:
    return 100.0 * sum(bool(reply["right"]) for reply in replies) / max(1, len(replies))
