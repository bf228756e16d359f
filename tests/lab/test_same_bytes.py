"""One seed, one text: the shipped weights learned these bytes, so a change of any pin needs a new base."""

import hashlib
import os
import subprocess
import sys

import pytest

from suffice.common.files import digest
from suffice.lab.corpus import BLOCK, block_text, stream
from suffice.lab.documents import document
from suffice.lab.pool import pool_rows
from suffice.lab.target import target_rows
from suffice.lab.world import HELD_OUT, PEOPLE, build_world

WORLD = "7d8c9171f1981abf"
CORPUS_START = "3ada7903af5a25ecb70748db54ee567cfd1557af994a10dd67a71d8849860f5e"
POOL_START = "aba5b115d89b1a3d5a1063ac57869140a95386b2f46c75e47c20fc9d89b76a74"
POOL = "b7e1ccad06b5e77566c58d892eab3a6b9fe8fab4ebf04dce5e4721bf57d00a4c"
TARGET = "6897bcdc8af2a783d63e520731a5a570d30a928c0abcc129de8d80a51540db9c"


def text_hash(texts):
    return hashlib.sha256("\x1e".join(texts).encode()).hexdigest()


def test_pins(world, texts, rows, target):
    assert world.hash == WORLD
    assert text_hash(texts[:2_000]) == CORPUS_START
    assert digest(rows[:500]) == POOL_START
    assert digest(rows) == POOL
    assert digest(target) == TARGET


def test_pins_do_not_depend_on_the_hashes_of_strings():
    code = (
        "from suffice.lab.world import build_world\n"
        "from suffice.lab.documents import document\n"
        "from suffice.lab.pool import pool_rows\n"
        "from suffice.lab.target import target_rows\n"
        "from suffice.common.files import digest\n"
        "import hashlib\n"
        "world = build_world()\n"
        "text = '\\x1e'.join(document(world, i) for i in range(2000))\n"
        "print(world.hash, hashlib.sha256(text.encode()).hexdigest(), digest(list(pool_rows(world, 500))),"
        " digest(target_rows(world)))\n"
    )
    for seed in ("0", "12345"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [WORLD, CORPUS_START, POOL_START, TARGET]


def test_blocks_come_in_order_however_many_processes_make_them(texts):
    blocks = stream(build_world(), workers=2)
    try:
        made = [next(blocks) for _ in range(2)]
    finally:
        blocks.close()
    assert [text for block in made for text in block] == texts[: 2 * BLOCK]


def test_a_document_follows_from_seed_and_index_alone(world, texts):
    assert [document(world, index) for index in (29_999, 7, 4_096, 7)] == [
        texts[index] for index in (29_999, 7, 4_096, 7)
    ]
    assert block_text(world.seed, 2) == texts[2 * BLOCK : 3 * BLOCK]


@pytest.mark.parametrize("seed", [0, 8])
def test_another_seed_is_another_world(world, seed):
    other = build_world(seed)
    assert other.hash != world.hash
    assert document(other, 0) != document(world, 0)
    assert next(pool_rows(other)) != next(pool_rows(world))
    assert target_rows(other, 5)[0] != target_rows(world, 5)[0]


def test_the_world_is_as_large_as_it_says(world):
    assert len(world.people) == PEOPLE == 480
    assert len(world.held_out) == HELD_OUT == 180
    assert len(world.seen) == 300
    assert len({person.name for person in world.people}) == PEOPLE
    assert len({person.name.split()[1] for person in world.people}) == PEOPLE
    assert all(len(set(world.values(name))) == len(world.values(name)) for name in ("town", "firm", "trade"))
