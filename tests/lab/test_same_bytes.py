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

WORLD = "9b1bfce5410694bb"
CORPUS_START = "f75511fd75e59119986314928b233092b76d43eb4b975f77a2a3cf21a2fe8183"
POOL_START = "239665cfcc90bedf1b83f764774465dd7393422ed85260a17abddcf72dc9372a"
POOL = "fd5bb4587bc93081ac9f6c77ff5971c849d0160c6b7fcf306f0277312ea8c447"
HARD_START = "dae208fa8b5ed3b471a40acb71c1d46fcda09394c2394529e20ececa4d903478"
HARD = "58fa99a607d30156c9593bb2958fda7336246152560351fa607b6668f43b4516"
ORACLE = "94724f257545aff2d662342b33d2c3cf874dafe15441abf3616acb4af4783789"
TARGET_START = "d09591c9d9b0915b22bcd47f4aeef0facddc2fe322bb1d7a811d2674c5ff134c"
TARGET = "70ceaac0857b13397e23587301c145e721255d03e6c46b2f7fd4c0a1db0dc884"
TASKS = "90b4e79fcf62ee935dfc9f209108478e77044158a3377b5d29384d42addb3711"


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
