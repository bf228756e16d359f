"""The small synthetic world: people with five attributes each, and words that stand in lists.

Everything follows from the seed through counter-based draws, so the same seed gives the same world on any
machine and Python version. `World.hash` names the world; weights carry the hash of the world they learned.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

from suffice.common.draws import Draws
from suffice.common.files import digest

SEED = 7
VERSION = 1  # of the generator: raise it when the same seed gives other text
PEOPLE = 480
HELD_OUT = 180

ATTRIBUTES = ("town", "year", "trade", "hobby", "firm")

TRADES = (
    "baker", "smith", "tailor", "miller", "potter", "weaver", "mason", "carpenter", "printer", "clerk",
    "doctor", "teacher", "painter", "sailor", "farmer", "gardener", "barber", "cook", "pilot", "nurse",
)  # fmt: skip
HOBBIES = (
    "chess", "rowing", "fishing", "singing", "skating", "cycling", "poetry", "archery", "drawing", "fencing",
    "hiking", "juggling", "knitting", "sailing", "swimming", "wrestling", "climbing", "dancing", "riding",
    "running",
)  # fmt: skip
WORDS = (
    "apple", "river", "candle", "window", "table", "garden", "pencil", "mirror", "basket", "button",
    "camel", "carpet", "cherry", "circle", "copper", "cotton", "desert", "dragon", "engine", "feather",
    "finger", "flower", "forest", "hammer", "honey", "island", "jacket", "kettle", "ladder", "lemon",
    "magnet", "marble", "needle", "ocean", "orange", "paper", "pepper", "pillow", "rabbit", "ribbon",
    "saddle", "silver", "spider", "ticket", "tunnel", "velvet", "whistle", "yellow",
)  # fmt: skip

_ONSETS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "br", "dr", "gr", "tr", "st")
_VOWELS = ("a", "e", "i", "o", "u")
_CODAS = ("l", "n", "r", "s", "m", "k", "th", "nd")


@dataclass(frozen=True, slots=True)
class Person:
    """One inhabitant; ``held_out`` people are known from reference texts alone, never from a question."""

    name: str
    town: str
    year: str
    trade: str
    hobby: str
    firm: str
    held_out: bool

    def value(self, attribute: str) -> str:
        """Returns the value of one of `ATTRIBUTES`."""
        return str(getattr(self, attribute))


@dataclass(frozen=True)
class World:
    """The people, towns and firms of one seed."""

    seed: int
    people: tuple[Person, ...]
    towns: tuple[str, ...]
    firms: tuple[str, ...]

    @cached_property
    def seen(self) -> tuple[Person, ...]:
        """The people about whom questions may be asked in pretraining text and pool."""
        return tuple(person for person in self.people if not person.held_out)

    @cached_property
    def held_out(self) -> tuple[Person, ...]:
        """The people about whom only the target asks."""
        return tuple(person for person in self.people if person.held_out)

    @cached_property
    def hash(self) -> str:
        """The name of this world: a hash of its content and of the generator's version."""
        return digest({"version": VERSION, "world": asdict(self)})[:16]

    def values(self, attribute: str) -> tuple[str, ...]:
        """Returns every value an attribute can take."""
        known = {"town": self.towns, "firm": self.firms, "trade": TRADES, "hobby": HOBBIES}
        return known.get(attribute) or tuple(str(year) for year in range(1850, 1950))


def build_world(seed: int = SEED) -> World:
    """Returns the world of a seed."""
    draws = Draws(seed, "world")
    names = _distinct(draws, 40 + PEOPLE + 24 + 20)
    first, rest = names[:40], names[40:]
    last, rest = rest[:PEOPLE], rest[PEOPLE:]
    towns = tuple(f"{name}{draws.choice(('ton', 'ford', 'by', 'mouth'))}" for name in rest[:24])
    firms = tuple(f"{name} {draws.choice(('Mills', 'Works', 'Brothers', 'Stores'))}" for name in rest[24:])
    held_out = set(draws.sample(range(PEOPLE), HELD_OUT))
    people = tuple(
        Person(
            name=f"{draws.choice(first)} {last[i]}",
            town=draws.choice(towns),
            year=str(draws.between(1850, 1949)),
            trade=draws.choice(TRADES),
            hobby=draws.choice(HOBBIES),
            firm=draws.choice(firms),
            held_out=i in held_out,
        )
        for i in range(PEOPLE)
    )
    return World(seed, people, towns, firms)


def _distinct(draws: Draws, count: int) -> list[str]:
    """Returns different capitalised names of two syllables and a coda."""
    names: dict[str, None] = {}
    while len(names) < count:
        syllables = "".join(draws.choice(_ONSETS) + draws.choice(_VOWELS) for _ in range(2))
        names[(syllables + draws.choice(_CODAS)).capitalize()] = None
    return list(names)
