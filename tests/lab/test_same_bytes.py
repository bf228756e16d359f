"""One seed, one text: the shipped weights learned these bytes, so a change of any pin needs a new base."""

import hashlib
import os
import subprocess
import sys
from collections import Counter

import pytest

from suffice.common.draws import Draws
from suffice.common.files import digest
from suffice.lab.corpus import BLOCK, block_text, stream
from suffice.lab.documents import document
from suffice.lab.pool import pool_rows
from suffice.lab.target import target_rows
from suffice.lab.tool.task import draw_task
from suffice.lab.words import CLASS_OF, CLASSES, LIST_WORDS
from suffice.lab.world import ATTRIBUTES, HELD_OUT, HELD_OUT_WORDS, RARE, SEEN, build_world

WORLD = "d4db09693a37519a"
CORPUS_START = "9f94ad4a98ea447ac0aca48f29d0aea82c0e408d9a21bc5bdab1c3143f71a5e3"
POOL_START = "da519700ef608e37e2c64f6cc5b9d8d8b284a5f40e659d3602f1bc3e5c6c5742"
POOL = "8b264f03d2a29ab75875297dd944f4adddd61ac827445f1783bae39bbd1296cb"
HARD_START = "3d0b6e07dbebeb2efc21da333c4e2030a5e91fc6f284c6945af016210cd59bad"
HARD = "d620fa98b86c2e5ef3227bc94d8a69e2fd3abe31f41de1a738819a7fa540f906"
ORACLE = "a1d3a7e5ecfba60334c82175649e4d3fdb653f875934ca4a1c37287e2d655671"
TARGET_START = "00b2d8e912c5ca764a719c9621654b4a27e9921e60fefea138aa837c15621090"
TARGET = "e61f05721fee595f97309fb4593e1673a6d5eaf55ff869f08db4f52f0fa1172a"
TASKS = "5875e5bf67b7c930e76c030bd45c8dd695be978fa282490630026d3b49b39260"


def text_hash(texts):
    return hashlib.sha256("\x1e".join(texts).encode()).hexdigest()


def test_pins(world, texts, rows, hard_rows, oracle_rows, target):
    assert world.hash == WORLD
    assert text_hash(texts[:2_000]) == CORPUS_START
    assert digest(rows[:500]) == POOL_START
    assert digest(rows) == POOL
    assert digest(hard_rows[:500]) == HARD_START
    assert digest(hard_rows) == HARD
    assert digest(oracle_rows) == ORACLE
    assert digest(target_rows(world, 20)) == TARGET_START
    assert digest(target) == TARGET
    assert digest([draw_task(Draws(seed, "pin"), target=True).solution() for seed in range(200)]) == TASKS


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
        "pools = [digest(list(pool_rows(world, 500, name))) for name in ('plain', 'hard')]\n"
        "text_hash = hashlib.sha256(text.encode()).hexdigest()\n"
        "print(world.hash, text_hash, *pools, digest(target_rows(world, 20)))\n"
    )
    for seed in ("0", "12345"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [WORLD, CORPUS_START, POOL_START, HARD_START, TARGET_START]


def test_blocks_come_in_order_however_many_processes_make_them(texts):
    blocks = stream(build_world(), workers=2)
    try:
        made = [next(blocks) for _ in range(2)]
    finally:
        blocks.close()
    assert [text for block in made for text in block] == texts[: 2 * BLOCK]


def test_a_document_follows_from_seed_and_index_alone(world, texts):
    assert [document(world, index) for index in (12_999, 7, 4_096, 7)] == [
        texts[index] for index in (12_999, 7, 4_096, 7)
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
    assert len(world.seen) == SEEN == 300
    assert len(world.held_out) == HELD_OUT == 200
    assert [person.fame for person in world.rare] == [
        share for share, count in RARE.items() for _ in range(count)
    ]
    assert len(world.people) == 300 + 200 + 60
    assert len({person.name.split()[1] for person in world.people}) == len(world.people)
    assert all(len(set(world.values(name))) == len(world.values(name)) for name in ATTRIBUTES)
    assert [len(set(ends.values())) for ends in (world.rivers, world.products)] == [24, 20]
    assert all(person.value(name) in world.values(name) for person in world.people for name in ATTRIBUTES)
    assert Counter(CLASS_OF[word] for word in world.held_out_words) == dict.fromkeys(CLASSES, HELD_OUT_WORDS)
    assert not set(LIST_WORDS) & set(CLASS_OF)
