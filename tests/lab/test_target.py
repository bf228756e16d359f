"""The target: what it holds, and that its answers are right by a computation of their own."""

from collections import Counter

from lab_reference import asked_by, is_good
from suffice.evaluation.answers import extract
from suffice.lab.families import FAMILIES
from suffice.lab.target import target_rows


def test_every_family_has_its_dev_and_test_items(target):
    counts = Counter((row["task"], row["split"]) for row in target)
    assert counts == {
        (family, split): count for family in FAMILIES for split, count in (("dev", 10), ("test", 300))
    }
    assert len({row["id"] for row in target}) == len(target) == 1240


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
    assert {split: len(found) for split, found in cores.items()} == {"dev": 40, "test": 1200}
    assert not cores["dev"] & cores["test"]
    clusters = {
        split: [row["cluster"] for row in target if row["split"] == split] for split in ("dev", "test")
    }
    assert len(set(clusters["test"])) == 1200
    assert not set(clusters["dev"]) & set(clusters["test"])
    people = {
        split: {item.core[0] for item in items if item.family == "fact"} for split, items in asked.items()
    }
    assert not people["dev"] & people["test"]
    assert people["dev"] | people["test"] <= {person.name for person in world.held_out}


def test_a_smaller_target_is_a_part_of_a_larger_one(world, target):
    small = target_rows(world, test=20)
    assert len(small) == 4 * 30
    for row in small:
        assert row in target


def test_the_conventions_of_the_target_all_occur(target):
    last = [row["answer"].splitlines()[-1] for row in target if row["split"] == "test"]
    for mark in ("Answer: in 1", "Answer: at ", " > ", "Answer: item ", " words"):
        assert sum(mark in line for line in last) > 20, mark
