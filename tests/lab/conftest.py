"""The lab's world and what is made of it, generated once."""

from __future__ import annotations

import pytest

from suffice.lab.documents import document
from suffice.lab.pool import good_rows, pool_rows
from suffice.lab.target import target_rows
from suffice.lab.tokenizer import train_tokenizer
from suffice.lab.world import build_world

DOCUMENTS = 13_000


@pytest.fixture(scope="session")
def world():
    return build_world()


@pytest.fixture(scope="session")
def texts(world):
    """The first documents of the pretraining text."""
    return [document(world, index) for index in range(DOCUMENTS)]


@pytest.fixture(scope="session")
def rows(world):
    """The rows of the plain pool."""
    return list(pool_rows(world))


@pytest.fixture(scope="session")
def hard_rows(world):
    """The rows of the hard pool."""
    return list(pool_rows(world, name="hard"))


@pytest.fixture(scope="session")
def oracle_rows(world):
    """Rows that are good in every line, in the common wordings."""
    return good_rows(world, 1_800, seed=0)


@pytest.fixture(scope="session")
def target(world):
    """The rows of the target."""
    return target_rows(world)


@pytest.fixture(scope="session")
def tokenizer(texts):
    """A tokenizer trained on a small part of the text."""
    return train_tokenizer(texts[:2_000])
