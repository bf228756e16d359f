"""The small synthetic world: people, the places and firms they belong to, and words that fall into classes.

Everything follows from the seed through counter-based draws, so the same seed gives the same world on any
machine and Python version. `World.hash` names the world; weights carry the hash of the world they learned.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal, TypeVar

from suffice.common.draws import Draws
from suffice.common.files import digest
from suffice.lab.words import CLASSES, HOBBIES, PRODUCTS, TRADES

SEED = 7
VERSION = 3  # of the generator: raise it when the same seed gives other text
SEEN, HELD_OUT = 300, 200
# People who are in fewer articles than the others, by the share of articles they keep; nobody asks about them.
RARE = {0.2: 20, 0.1: 20, 0.05: 20}
DEV_SHARE = 0.2  # of held-out people and words; the test items ask about the others
HELD_OUT_WORDS = 11  # of each class

ATTRIBUTES = ("town", "year", "trade", "hobby", "firm")
YEARS = tuple(str(year) for year in range(1850, 1950))

T = TypeVar("T")

Side = Literal["train", "dev", "test"]
"""Whom a problem is for: pretraining text and pools, or the dev or the test part of the target."""

_ONSETS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "br", "dr", "gr", "tr", "st")
_VOWELS = ("a", "e", "i", "o", "u")
_CODAS = ("l", "n", "r", "s", "m", "k", "th", "nd")


@dataclass(frozen=True, slots=True)
class Person:
    """One inhabitant.

    Attributes:
        name: First and last name; the last name is unique.
        town: Home town.
        year: Year of birth.
        trade: Occupation.
        hobby: Pastime.
        firm: Employer.
        held_out: Whether the person is known from articles alone, never from a question.
        fame: How often articles are about the person, as a share of the usual.
    """

    name: str
    town: str
    year: str
    trade: str
    hobby: str
    firm: str
    held_out: bool
    fame: float = 1.0

    def value(self, attribute: str) -> str:
        """Returns the value of one of `ATTRIBUTES`."""
        return str(getattr(self, attribute))


@dataclass(frozen=True)
class World:
    """The people, places and firms of one seed.

    Attributes:
        seed: The seed.
        people: Everybody.
        rivers: The river of each town.
        products: What each firm makes.
        held_out_words: Words of `words.CLASSES` of which only the glossary speaks.
    """

    seed: int
    people: tuple[Person, ...]
    rivers: dict[str, str]
    products: dict[str, str]
    held_out_words: tuple[str, ...]

    @cached_property
    def seen(self) -> tuple[Person, ...]:
        """The people about whom questions may be asked in pretraining text and pools."""
        return tuple(person for person in self.people if not person.held_out)

    @cached_property
    def held_out(self) -> tuple[Person, ...]:
        """The people about whom only the target asks; articles name them as often as the seen ones."""
        return tuple(person for person in self.people if person.held_out and person.fame == 1)

    @cached_property
    def rare(self) -> tuple[Person, ...]:
        """The people who are in few articles; only the measure of knowledge asks about them."""
        return tuple(person for person in self.people if person.fame < 1)

    @cached_property
    def hash(self) -> str:
        """The name of this world: a hash of its content and of the generator's version."""
        return digest({"version": VERSION, "world": asdict(self)})[:16]

    def people_for(self, side: Side) -> tuple[Person, ...]:
        """Returns the people whom the problems of one side ask about."""
        return self.seen if side == "train" else _part(self.held_out, side)

    @cached_property
    def seen_words(self) -> tuple[str, ...]:
        """The words with a class about which anybody may ask."""
        return tuple(word for words in CLASSES.values() for word in words if word not in self.held_out_words)

    def words_for(self, side: Side) -> tuple[str, ...]:
        """Returns the words whose class the problems of one side ask for."""
        return self.seen_words if side == "train" else _part(self.held_out_words, side)

    def values(self, attribute: str) -> tuple[str, ...]:
        """Returns every value an attribute can take."""
        return {
            "town": tuple(self.rivers),
            "year": YEARS,
            "trade": TRADES,
            "hobby": HOBBIES,
            "firm": tuple(self.products),
        }[attribute]


def _part(items: tuple[T, ...], side: Side) -> tuple[T, ...]:
    """Returns the dev or the test part of what is held out."""
    cut = round(len(items) * DEV_SHARE)
    return items[:cut] if side == "dev" else items[cut:]


def build_world(seed: int = SEED) -> World:
    """Returns the world of a seed."""
    draws = Draws(seed, "world")
    count = SEEN + HELD_OUT + sum(RARE.values())
    names = _distinct(draws, 40 + count + 24 + 20 + 24)
    first, rest = names[:40], names[40:]
    last, rest = rest[:count], rest[count:]
    towns = [f"{name}{draws.choice(('ton', 'ford', 'by', 'mouth'))}" for name in rest[:24]]
    firms = [f"{name} {draws.choice(('Mills', 'Works', 'Brothers', 'Stores'))}" for name in rest[24:44]]
    fame = [1.0] * (SEEN + HELD_OUT) + [share for share, people in RARE.items() for _ in range(people)]
    people = tuple(
        Person(
            name=f"{draws.choice(first)} {last[i]}",
            town=draws.choice(towns),
            year=draws.choice(YEARS),
            trade=draws.choice(TRADES),
            hobby=draws.choice(HOBBIES),
            firm=draws.choice(firms),
            held_out=i >= SEEN,
            fame=fame[i],
        )
        for i in range(count)
    )
    held_out_words = [word for words in CLASSES.values() for word in draws.sample(words, HELD_OUT_WORDS)]
    return World(
        seed,
        people,
        rivers=dict(zip(towns, rest[44:], strict=True)),
        products=dict(zip(firms, draws.shuffled(PRODUCTS), strict=True)),
        held_out_words=tuple(draws.shuffled(held_out_words)),
    )


def _distinct(draws: Draws, count: int) -> list[str]:
    """Returns different capitalised names of two syllables and a coda."""
    names: dict[str, None] = {}
    while len(names) < count:
        syllables = "".join(draws.choice(_ONSETS) + draws.choice(_VOWELS) for _ in range(2))
        names[(syllables + draws.choice(_CODAS)).capitalize()] = None
    return list(names)
