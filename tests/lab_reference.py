"""A second opinion on the lab's questions: what is asked and the right answer, worked out from the text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from suffice.lab.world import World

# Attribute, wordings of its question, and the form in which the target wants the value.
FACTS = (
    ("town", r"Where was N born\?|What is the home town of N\?|Which town does N come from\?", "{}"),
    ("year", r"When was N born\?|In what year was N born\?|What is the birth year of N\?", "in {}"),
    ("trade", r"What was the trade of N\?|What did N work as\?|Which trade did N follow\?", "{}"),
    ("hobby", r"What was the hobby of N\?|What did N enjoy\?|Which pastime did N love\?", "{}"),
    ("firm", r"Which firm employed N\?|Where did N work\?|What firm did N work for\?", "at {}"),
)
NAME = r"([A-Z][a-z]+ [A-Z][a-z]+)"
LIST = re.compile(r"(reverse|first|last|second|many words|Count).*: ([a-z]+(?:, [a-z]+)+)[.?]", re.IGNORECASE)
STORY = re.compile(r"\w+ has (\d+) \w+\. \w+ (.+)\. How many \w+ does \w+ have now\?")
DEED = re.compile(r"(buys|finds|gets|gives away|loses|sells) (\d+)")
SUM = re.compile(r"(?:Compute|What is|Work out) (\d+(?: [+-] \d+)+)[.?]")
STEP = re.compile(r"(\d+) ([+-]) (\d+) = (\d+)")
GREETING = re.compile(r"(?:(?:Hello!|Hi there\.|Please:|Quick question\.) )+")


@dataclass(frozen=True)
class Asked:
    """What a question asks, whatever its wording, and the answer line that the target wants."""

    family: str
    core: tuple
    answer: str


def asked_by(question: str, world: World) -> Asked:
    """Reads a question; raises ValueError where it is none of the lab's."""
    question = GREETING.sub("", question)
    for attribute, wordings, form in FACTS:
        if found := re.fullmatch(f"(?:{wordings})".replace("N", NAME, 9), question):
            name = next(filter(None, found.groups()))
            [person] = [person for person in world.people if person.name == name]
            return Asked("fact", (name, attribute), form.format(getattr(person, attribute)))
    if found := SUM.fullmatch(question):
        return Asked("chain", (found[1],), str(eval(found[1])))
    if found := STORY.fullmatch(question):
        numbers = [int(found[1])]
        for verb, number in DEED.findall(found[2]):
            numbers.append(int(number) if verb in ("buys", "finds", "gets") else -int(number))
        return Asked("arith", tuple(numbers), str(sum(numbers)))
    if found := LIST.search(question):
        words = found[2].split(", ")
        return Asked("list", tuple(words), _of_list(found[1].lower(), words))
    raise ValueError(question)


def _of_list(what: str, words: list[str]) -> str:
    match what:
        case "reverse":
            return " > ".join(words[::-1])
        case "first":
            return words[0]
        case "last":
            return words[-1]
        case "second":
            return f"item {words[1]}"
        case _:
            return f"{len(words)} words"


def is_good(question: str, reply: str, world: World) -> bool:
    """Tells whether a reply is right in every line and gives the answer in the form that the target wants."""
    asked = asked_by(question, world)
    lead, _, last = reply.rpartition("\n")
    if last != f"Answer: {asked.answer}":
        return False
    if asked.family in ("arith", "chain"):
        steps = STEP.findall(lead)
        operations = (
            len(asked.core) - 1 if asked.family == "arith" else len(re.findall("[+-]", asked.core[0]))
        )
        chained = [step[3] for step in steps[:-1]] == [step[0] for step in steps[1:]]
        right = all(eval(f"{a} {sign} {b}") == int(c) for a, sign, b, c in steps)
        return len(steps) == operations and chained and right and steps[-1][3] == asked.answer
    plain = asked.answer.removeprefix("in ").removeprefix("at ").removeprefix("item ").removesuffix(" words")
    return plain.replace(" > ", ", ") in lead


def questions_of(text: str) -> list[str]:
    """Returns every question that a document of the pretraining text asks."""
    return re.findall(
        r"(?:<\|user\|>|^Forum: |^Question: |^Exercise: )(.+?)(?=<\|assistant\|>|$)", text, re.MULTILINE
    )
