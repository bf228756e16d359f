"""The target: what it holds, and that its answers are right by a computation of their own."""

from collections import Counter

from lab_reference import asked_by, is_good
from suffice.lab.families import FAMILIES
from suffice.lab.target import target_rows
from suffice.rewards.answers import extract


def test_every_family_has_its_dev_and_test_items(target):
    counts = Counter((row["task"], row["split"]) for row in target)
    assert counts == {
        (family, split): count for family in FAMILIES for split, count in (("dev", 10), ("test", 300))
    }
    assert len({row["id"] for row in target}) == len(target) == 2790


def test_the_answers_are_right_and_in_the_asked_form(world, target):
    for row in target:
        asked = asked_by(row["prompt"], world)
        assert asked.family == row["task"]
        assert extract("last_line", row["answer"]) == f"Answer: {asked.answer}"
        assert is_good(row["prompt"], row["answer"], world), row


def test_items_are_unique_and_dev_shares_nothing_with_test(world, target):
    asked = {
        split: [asked_by(row["prompt"], world) for row in target if row["split"] == split]
        for split in ("dev", "test")
    }
    cores = {split: {(item.family, item.core) for item in items} for split, items in asked.items()}
    assert {split: len(found) for split, found in cores.items()} == {"dev": 90, "test": 2700}
    assert not cores["dev"] & cores["test"]
    for kind, families in (("people", ("fact", "twohop", "compare")), ("word", ("class",))):
        hidden = {person.name for person in world.held_out} if kind == "people" else set(world.held_out_words)
        named = {
            split: {part for item in items if item.family in families for part in item.core} & hidden
            for split, items in asked.items()
        }
        assert all(len(found) > 5 for found in named.values())
        assert not named["dev"] & named["test"]


def test_items_on_one_word_are_one_cluster_and_all_others_their_own(world, target):
    clusters = {}
    for row in target:
        asked = asked_by(row["prompt"], world)
        clusters.setdefault((row["split"], row["cluster"]), []).append(asked)
    assert not {name for split, name in clusters if split == "dev"} & {
        name for split, name in clusters if split == "test"
    }
    for items in clusters.values():
        if items[0].family == "class":
            assert len({item.core[0] for item in items}) == 1
        else:
            assert len(items) == 1
    words = [items[0].core[0] for items in clusters.values() if items[0].family == "class"]
    assert len(words) == len(set(words))


def test_a_smaller_target_is_a_part_of_a_larger_one(world, target):
    small = target_rows(world, test=20)
    assert len(small) == 9 * 30
    for row in small:
        assert row in target


def test_the_conventions_of_the_target_all_occur(target):
    last = [row["answer"].splitlines()[-1] for row in target if row["split"] == "test"]
    marks = (
        "Answer: in 1", "Answer: at ", " > ", "Answer: item ", " words", "Answer: river ", "Answer: group ",
        "Answer: letter ", "Answer: sign ", " pairs", " (1",
    )  # fmt: skip
    for mark in marks:
        assert sum(mark in line for line in last) > 20, mark
