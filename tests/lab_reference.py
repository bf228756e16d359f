"""A second opinion on the lab's questions: what is asked and what is right, worked out from the text alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from suffice.lab.words import CLASS_OF, CLASSES
from suffice.lab.world import Person, World

# For each kind of question its wordings, the form of the answer line, and the sentences of a good reply in the
# three wordings. An @ stands for the person, the code or the table.
FACTS = {
    "town": (
        r"Where was @ from\?|What is the home town of @\?|Which town does @ come from\?", "{v}",
        ("{n} came from {v}.", "The home town of {n} is {v}.", "Sure thing! {n} is from {v}."),
    ),
    "year": (
        r"When was @ born\?|In what year was @ born\?|What is the birth year of @\?", "in {v}",
        ("{n} was born in {v}.", "The birth year of {n} is {v}.", "Sure thing! {n} was born in {v}."),
    ),
    "trade": (
        r"What was the trade of @\?|What did @ work as\?|Which trade did @ follow\?", "{v}",
        ("{n} worked as a {v}.", "The trade of {n} was {v}.", "Sure thing! {n} was a {v}."),
    ),
    "hobby": (
        r"What was the hobby of @\?|What did @ enjoy\?|Which pastime did @ love\?", "{v}",
        ("{n} enjoyed {v}.", "The hobby of {n} was {v}.", "Sure thing! {n} loved {v}."),
    ),
    "firm": (
        r"Which firm employed @\?|Where did @ work\?|What firm did @ work for\?", "at {v}",
        ("{n} worked for {v}.", "The firm of {n} was {v}.", "Sure thing! {n} was employed by {v}."),
    ),
}  # fmt: skip
TWOHOPS = {
    "town": (
        r"Which river flows through the home town of @\?|On which river lies the home town of @\?", "river {v}",
        (
            "{n} came from {m}. {m} lies on the river {v}.",
            "The home town of {n} is {m}. The river {v} flows through {m}.",
            "Sure thing! {n} is from {m}, and there you find the river {v}.",
        ),
    ),
    "firm": (
        r"What does the firm of @ make\?|What is made by the firm that employed @\?", "{v}",
        (
            "{n} worked for {m}. {m} makes {v}.",
            "The firm of {n} was {m}. The product of {m} is {v}.",
            "Sure thing! {n} was employed by {m}, and there they make {v}.",
        ),
    ),
}  # fmt: skip
LISTS = {
    "reverse": ("{v}", ("In reverse order: {v}.", "The reversed list is {v}.", "Sure thing! Backwards that is {v}.")),
    "first": ("{v}", ("The first word is {v}.", "First comes {v}.", "Sure thing! It starts with {v}.")),
    "last": ("{v}", ("The last word is {v}.", "Last comes {v}.", "Sure thing! It ends with {v}.")),
    "second": ("item {v}", ("The second word is {v}.", "Second comes {v}.", "Sure thing! Number two is {v}.")),
    "count": ("{v} words", ("The list has {v} words.", "There are {v} words.", "Sure thing! I count {v} words.")),
}  # fmt: skip
STRINGS = {
    "copy": (
        r"Copy this code: @|Repeat the code @ as it is\.", "{v}",
        ("The code is {v}.", "The copied code is {v}.", "Sure thing! It reads {v}."),
    ),
    "twice": (
        r"Write the code @ twice\.|Give the code @ two times\.", "{v}",
        ("Two times that is {v}.", "The code twice is {v}.", "Sure thing! Doubled that is {v}."),
    ),
    "first": (
        r"What is the first letter of the code @\?|With which letter does the code @ begin\?", "letter {v}",
        ("The first letter is {v}.", "The code begins with {v}.", "Sure thing! It starts with {v}."),
    ),
    "last": (
        r"What is the last sign of the code @\?|With which sign does the code @ end\?", "sign {v}",
        ("The last sign is {v}.", "The code ends with {v}.", "Sure thing! It stops at {v}."),
    ),
}  # fmt: skip
TABLES = {
    "value": (
        r"Given @: what is the value of (\w\d)\?|Look up (\w\d) in this table: @\.", "{v}",
        ("The value of {k} is {v}.", "{k} has the value {v}.", "Sure thing! Under {k} we find {v}."),
    ),
    "key": (
        r"Given @: which key has the value (\d+)\?|Find the key of (\d+) in this table: @\.", "{v} ({k})",
        (
            "Looking for {k}. {f} The key of {k} is {v}.",
            "We search {k}. {f} The value {k} belongs to {v}.",
            "Sure thing! Which one has {k}? {f} We find {k} under {v}.",
        ),
    ),
    "count": (
        r"Given @: how many pairs are there\?|Count the pairs of this table: @\.", "{v} pairs",
        ("The table has {v} pairs.", "There are {v} pairs.", "Sure thing! I count {v} pairs."),
    ),
}  # fmt: skip
COMPARED = (
    (
        "Asked is the {s}. {a} was born in {x}. {b} was born in {y}. {x} is {o} {y}. "
        "The earlier: {e}. The later: {l}. So the {s}: {v}."
    ),
    (
        "We look for the {s}. The birth year of {a} is {x}. The birth year of {b} is {y}. {x} is {o} {y}. "
        "The earlier: {e}. The later: {l}. This makes the {s}: {v}."
    ),
    (
        "Sure thing! Wanted is the {s}. {a} was born in {x} and {b} in {y}. {x} is {o} {y}. "
        "The earlier: {e}. The later: {l}. That gives the {s}: {v}."
    ),
)
CLASSED = (
    "The word {w} is a kind of {c}.", "The group of the word {w} is {c}.", "Sure thing! For the word {w} we say {c}.",
)  # fmt: skip
MATCHED = (
    "Asked is {n}. {c} and {n}: {m}.", "The question is {n}. {c} and {n}: {m}.", "We compare {c} and {n}: {m}.",
)  # fmt: skip
OPENINGS = ("", "Here we go.\n", "Sure thing! Step by step.\n")

NAME = r"([A-Z][a-z]+ [A-Z][a-z]+)"
CODE = r"([A-Z][A-Z0-9]{3,5})"
TABLE = r"(\w\d = \d+(?:, \w\d = \d+)+)"
LIST = re.compile(r"([^:]+): ([a-z]+(?:, [a-z]+){2,4})[.?]")
COMPARE = re.compile(
    rf"Who was born (?P<s1>earlier|later), {NAME} or {NAME}\?|Was {NAME} or {NAME} born (?P<s2>earlier|later)\?"
    rf"|Which of the two was born (?P<s3>earlier|later): {NAME} or {NAME}\?"
)
GROUP = re.compile(
    r"(?:To which group does the word (\w+) belong|Which of these is the word (\w+)): (\w+), (\w+) or (\w+)\?"
)
IS_A = re.compile(r"Is the word (\w+) a kind of (\w+)\?|Does the word (\w+) belong to the group (\w+)\?")
STORY = re.compile(r"\w+ has (\d+) \w+\. \w+ (.+)\. How many \w+ does \w+ have now\?")
DEED = re.compile(r"(buys|finds|gets|gives away|loses|sells) (\d+)")
SUM = re.compile(r"(?:Compute|What is|Work out) (\d+(?: [+-] \d+)+)[.?]")
STEP = re.compile(r"(\d+) ([+-]) (\d+) = (\d+)")
GREETING = re.compile(r"(?:(?:Hello!|Hi there\.|Please:|Quick question\.) )+")
EXPLAIN = " Explain every step."

_PEOPLE: dict[str, dict[str, Person]] = {}  # by the hash of their world


@dataclass(frozen=True)
class Asked:
    """What a question asks, whatever its wording, and what is said to it.

    Attributes:
        family: The family.
        core: What is asked about; no two items of the target share it.
        value: The right value.
        form: The answer line's form of a value.
        said: The lines before the answer line, in all wordings, for a value (right or wrong).
    """

    family: str
    core: tuple
    value: str
    form: Callable[[str], str] = field(compare=False)
    said: Callable[[str], set[str]] = field(compare=False)

    @property
    def answer(self) -> str:
        """The right value in the form that the target wants."""
        return self.form(self.value)


def asked_by(question: str, world: World) -> Asked:
    """Reads a question; raises ValueError where it is none of the lab's."""
    question = GREETING.sub("", question).removesuffix(EXPLAIN)
    for read in (_person, _compare, _class, _list, _string, _table, _sum):
        if found := read(question, world):
            return found
    raise ValueError(question)


def is_good(question: str, reply: str, world: World) -> bool:
    """Tells whether a reply is right in every line and gives the answer in the form that the target wants."""
    asked = asked_by(question, world)
    lead, _, last = reply.rpartition("\n")
    return last == f"Answer: {asked.answer}" and lead in asked.said(asked.value)


def questions_of(text: str) -> list[str]:
    """Returns every question and order that a document of the pretraining text holds."""
    return re.findall(
        r"(?:<\|user\|>|^Forum: |^Question: |^Exercise: |^Log: )(.+?)(?=<\|assistant\|>|$)",
        text,
        re.MULTILINE,
    )


def _asked(family: str, core: tuple, value: str, form: str, said: tuple[str, ...], **words: str) -> Asked:
    return Asked(
        family, core, value,
        lambda v: form.format(v=v, **words), lambda v: {text.format(v=v, **words) for text in said},
    )  # fmt: skip


def _match(wordings: str, question: str, pattern: str) -> list[str] | None:
    """Returns what the groups of the wording that fits have caught."""
    found = _compiled(wordings, pattern).fullmatch(question)
    return [group for group in found.groups() if group] if found else None


@cache
def _compiled(wordings: str, pattern: str) -> re.Pattern[str]:
    return re.compile(wordings.replace("@", pattern))


def _known(name: str, world: World) -> Person:
    if world.hash not in _PEOPLE:
        _PEOPLE[world.hash] = {person.name: person for person in world.people}
    return _PEOPLE[world.hash][name]


def _person(question: str, world: World) -> Asked | None:
    for attribute, (wordings, form, said) in FACTS.items():
        if found := _match(wordings, question, NAME):
            value = getattr(_known(found[0], world), attribute)
            return _asked("fact", (found[0], attribute), value, form, said, n=found[0])
    for step, (wordings, form, said) in TWOHOPS.items():
        if found := _match(wordings, question, NAME):
            between = getattr(_known(found[0], world), step)
            value = (world.rivers if step == "town" else world.products)[between]
            return _asked("twohop", (found[0], step), value, form, said, n=found[0], m=between)
    return None


def _compare(question: str, world: World) -> Asked | None:
    if not (found := COMPARE.fullmatch(question)):
        return None
    sense = found["s1"] or found["s2"] or found["s3"]
    a, b = (_known(name, world) for name in found.groups() if name and name != sense)
    years = {a.name: a.year, b.name: b.year}
    value = (min if sense == "earlier" else max)(years, key=lambda name: int(years[name]))
    words = {"a": a.name, "b": b.name, "x": a.year, "y": b.year, "s": sense}
    words["o"] = "before" if int(a.year) < int(b.year) else "after"
    words["e"], words["l"] = sorted(years, key=lambda name: int(years[name]))
    return Asked(
        "compare", tuple(sorted(years)), value, lambda v: f"{v} ({years[v]})",
        lambda v: {text.format(v=v, **words) for text in COMPARED},
    )  # fmt: skip


def _class(question: str, world: World) -> Asked | None:
    if found := GROUP.fullmatch(question):
        word, *options = filter(None, found.groups())
        value = CLASS_OF[word]
        assert value in options
        return Asked(
            "class", (word, *sorted(options)), value, lambda v: f"group {v}",
            lambda v: {text.format(w=word, c=v) for text in CLASSED},
        )  # fmt: skip
    if not (found := IS_A.fullmatch(question)):
        return None
    word, named = filter(None, found.groups())
    own = CLASS_OF[word]
    told = {"yes": {named}, "no": {own} if own != named else set(CLASSES) - {own}}
    return Asked(
        "class", (word, named), "yes" if named == own else "no", str,
        lambda v: {
            f"{lead} {match}".format(w=word, c=name, n=named, m="the same" if name == named else "different")
            for lead, match in zip(CLASSED, MATCHED, strict=True) for name in told[v]
        },
    )  # fmt: skip


def _list(question: str, world: World) -> Asked | None:
    if not (found := LIST.fullmatch(question)):
        return None
    order, words = found[1].lower(), found[2].split(", ")
    kind = next((kind for kind in LISTS if kind in order), "count")
    value = {
        "reverse": ", ".join(words[::-1]), "first": words[0], "second": words[1], "last": words[-1],
        "count": str(len(words)),
    }[kind]  # fmt: skip
    form, said = LISTS[kind]
    asked = _asked("list", tuple(words), value, form, said)
    if kind == "reverse":
        return Asked("list", asked.core, value, lambda v: " > ".join(v.split(", ")), asked.said)
    return asked


def _string(question: str, world: World) -> Asked | None:
    for kind, (wordings, form, said) in STRINGS.items():
        if found := _match(wordings, question, CODE):
            [code] = found
            value = {"copy": code, "twice": f"{code} {code}", "first": code[0], "last": code[-1]}[kind]
            return _asked("string", (code,), value, form, said)
    return None


def _table(question: str, world: World) -> Asked | None:
    for kind, (wordings, form, said) in TABLES.items():
        if found := _match(wordings, question, TABLE):
            written = next(part for part in found if "=" in part)
            given = next((part for part in found if part != written), "")
            pairs = dict(pair.split(" = ") for pair in written.split(", "))
            keys = [key for key, number in pairs.items() if number == given]
            value = {"value": pairs.get(given), "key": keys[0] if keys else None, "count": str(len(pairs))}[
                kind
            ]
            if kind == "key":
                return _key(written, pairs, given, value, form, said)
            return _asked("table", (written,), value, form, said, k=given)
    return None


def _key(
    written: str, pairs: dict[str, str], given: str, value: str, form: str, said: tuple[str, ...]
) -> Asked:
    return Asked(
        "table", (written,), value, lambda v: form.format(v=v, k=given),
        lambda v: {text.format(k=given, v=v, f=_search(pairs, given, v)) for text in said},
    )  # fmt: skip


def _search(pairs: dict[str, str], given: str, found: str) -> str:
    """Returns the look at one pair after another, up to the key that is found, right or wrong."""
    seen = ""
    for key, number in pairs.items():
        if key == found:
            return f"{seen}{key} has {given}, yes."
        seen += f"{key} has {number}, no. "
    raise ValueError(found)


def _sum(question: str, world: World) -> Asked | None:
    if found := SUM.fullmatch(question):
        family, core = "chain", (found[1],)
        numbers = [int(number.replace(" ", "")) for number in re.findall(r"[+-]? ?\d+", found[1])]
    elif found := STORY.fullmatch(question):
        numbers = [int(found[1])]
        for verb, number in DEED.findall(found[2]):
            numbers.append(int(number) if verb in ("buys", "finds", "gets") else -int(number))
        family, core = "arith", tuple(numbers)
    else:
        return None
    return Asked(family, core, str(sum(numbers)), str, lambda v: _steps(numbers, v))


def _steps(numbers: list[int], last: str) -> set[str]:
    """Returns the worked steps after each opening, the last of them with the result ``last``."""
    sums = list(accumulate(numbers))
    results = [*map(str, sums[1:-1]), last]
    lines = [
        f"{before} {'+' if number > 0 else '-'} {abs(number)} = {result}"
        for before, number, result in zip(sums, numbers[1:], results, strict=False)
    ]
    return {opening + "\n".join(lines) for opening in OPENINGS}
