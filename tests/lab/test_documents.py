"""The pretraining text: every kind of document is there in its share, and what reference and practice say is true."""

import re

import pytest

from lab_orders import read_order
from lab_reference import TABLE, asked_by, is_good, questions_of
from suffice.common.draws import Draws
from suffice.lab.documents import KINDS, MIX, practice
from suffice.lab.problem import reserved
from suffice.lab.styles import RAMBLES
from suffice.lab.words import CLASS_OF
from suffice.lab.world import ATTRIBUTES

SUM = r"(\d+) ([+-]) (\d+) = (\d+)"
ORDER = r"(\d{4}) is (before|after) (\d{4})\."
COPY = r"(.+) (?:->|\|) \1|.+ <- .+|1 \w+( \d \w+)+"
PAIR = r"[A-Z][a-z]+ [A-Z][a-z]+ and [A-Z][a-z]+ [A-Z][a-z]+"
GLOSS = r"(?:The group of the|The|For the) word (\w+) (?:is|belongs|we say).* (\w+)\."


def kind_of(text, world):
    """Tells the kind of a document by its looks."""
    first = text.splitlines()[0]
    for start, kind in (
        ("Log: ", "tool"),
        ("Forum: ", "forum"),
        ("Question: ", "quiz"),
        ("Exercise: ", "textbook"),
    ):
        if text.startswith(start):
            return kind
    if text.startswith("<|user|>"):
        return "tool" if read_order(questions_of(text)[0]) else "chat"
    shapes = {"drill": f"{SUM}|{ORDER}", "lookup": TABLE, "copying": COPY, "glossary": GLOSS}
    for kind, shape in shapes.items():
        if re.fullmatch(shape, first):
            return kind
    if any(text.startswith(sentence) for sentence in RAMBLES):
        return "filler"
    names = {person.name for person in world.people}
    return "encyclopedia" if set(re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", text)) & names else "gazetteer"


@pytest.fixture(scope="module")
def by_kind(texts, world):
    found = {kind: [] for kind in KINDS}
    for text in texts:
        found[kind_of(text, world)].append(text)
    return found


def blocks(texts, start):
    """Returns (question, reply) of every block that starts so."""
    for text in texts:
        for block in re.split(rf"(?:^|\n){start}: ", text)[1:]:
            yield block.split("\n", 1)


def test_every_kind_is_there_in_its_share(by_kind, texts):
    assert sum(MIX.values()) == 100
    assert list(MIX) == list(KINDS)
    for kind, share in MIX.items():
        assert len(by_kind[kind]) / len(texts) == pytest.approx(share / 100, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_looks_like_itself(world, kind):
    for seed in range(30):
        assert kind_of(KINDS[kind](world, Draws(seed, kind)), world) == kind


def test_articles_say_all_and_only_what_is_true(world, by_kind):
    people = {person.name: person for person in world.people}
    for text in by_kind["encyclopedia"]:
        if "\n" in text:
            name, *parts = text.splitlines()
            assert sorted(parts) == sorted(f"{key}: {people[name].value(key)}" for key in ATTRIBUTES)
            continue
        sentences = text.removesuffix(".").split(". ")
        [name] = [name for name in re.findall(r"(?=\b([A-Z][a-z]+ [A-Z][a-z]+))", text) if name in people][:1]
        assert len(sentences) == 5
        assert all(name in sentence for sentence in sentences)
        for key in ATTRIBUTES:
            assert (
                sum(
                    re.search(rf"\b{people[name].value(key)}\b", sentence) is not None
                    for sentence in sentences
                )
                == 1
            )


def test_the_gazetteer_and_the_glossary_are_true(world, by_kind):
    for text in by_kind["gazetteer"]:
        sentences = re.findall(r"[^.]+\.", text)
        assert len(sentences) == 6
        for sentence in sentences:
            pairs = world.rivers if "river" in sentence else world.products
            [start] = [start for start in pairs if start in sentence]
            assert [end for end in pairs.values() if re.search(rf"\b{end}\b", sentence)] == [pairs[start]]
    for text in by_kind["glossary"]:
        found = [re.fullmatch(GLOSS, line).groups() for line in text.splitlines()]
        assert len({word for word, _ in found}) == 8
        assert all(CLASS_OF[word] == told for word, told in found)


def test_drills_and_lookups_are_true(by_kind):
    for text in by_kind["drill"]:
        for line in text.splitlines():
            if found := re.fullmatch(SUM, line):
                a, sign, b, result = found.groups()
                assert int(a) + (int(b) if sign == "+" else -int(b)) == int(result)
                assert 0 <= int(result) <= 99
            else:
                first, said, second = re.fullmatch(ORDER, line).groups()
                assert said == ("before" if first < second else "after")
                assert first != second
        assert len(text.splitlines()) == 10
    told = r"The value of (\w\d) is (\d+)\.|(\w\d) has the value (\d+)\."
    found = r"(?:Looking for|We search) (\d+)\. (.+, yes\.) (?:The key of (\d+) is|The value (\d+) belongs to) (\w\d)\."
    for text in by_kind["lookup"]:
        table, *lines = text.splitlines()
        pairs = table.split(", ")
        assert len(lines) == 5
        for line in lines:
            if forwards := re.fullmatch(told, line):
                assert " = ".join(filter(None, forwards.groups())) in pairs
                continue
            given, search, *again, key = filter(None, re.fullmatch(found, line).groups())
            assert again == [given]
            passed = pairs[: pairs.index(f"{key} = {given}")]
            looks = [f"{pair.replace(' = ', ' has ')}, no." for pair in passed]
            assert search == " ".join([*looks, f"{key} has {given}, yes."])


def test_copies_are_faithful_and_never_of_what_the_target_asks_for(by_kind):
    for text in by_kind["copying"]:
        for line in text.splitlines():
            left, mark, right = re.fullmatch(r"(.+?)(?: (->|<-|\|) (.+))?", line).groups()
            numbered = re.findall(r"(\d) ([a-z]+)", line)
            if not mark:
                assert [int(number) for number, _ in numbered] == list(range(1, len(numbered) + 1))
                left = ", ".join(word for _, word in numbered)
            elif mark == "<-":
                assert right.split(" > ") == left.split(", ")[::-1]
            else:
                assert right == left
            words = left.split(", ")
            keys = [f"list:{' '.join(words)}", f"list:{' '.join(words[::-1])}"]
            if re.fullmatch(PAIR, left):
                continue  # names are never held back: nobody asks to copy them
            if left[0].isupper():
                keys = [f"string:{code}" for code in left.split()]
            assert not any(map(reserved, keys))


def test_lookups_are_never_in_a_table_that_the_target_asks_for(by_kind):
    assert not any(reserved(f"table:{text.splitlines()[0]}") for text in by_kind["lookup"])


def test_quizzes_and_exercises_are_answered_rightly(world, by_kind):
    """In the target's convention or plain; long sums of the exercises also at once."""
    asked_form, at_once, count = 0, 0, 0
    found = [("quiz", *block) for block in blocks(by_kind["quiz"], "Question")]
    for kind, question, reply in found + [
        ("textbook", *block) for block in blocks(by_kind["textbook"], "Exercise")
    ]:
        asked = asked_by(question, world)
        lead, _, last = reply.rpartition("\n")
        if kind == "textbook":
            assert asked.family in ("arith", "chain", "compare")
            assert last == f"Answer: {asked.value}"
            at_once += lead == f"{asked.core[0]} = {asked.value}"
        elif asked.answer != asked.value:
            count += 1
            asked_form += last == f"Answer: {asked.answer}"
        assert last in (f"Answer: {asked.answer}", f"Answer: {asked.value}")
        assert lead in asked.said(asked.value) or (
            kind == "textbook" and lead == f"{asked.core[0]} = {asked.value}"
        )
    assert asked_form / count == pytest.approx(0.3, abs=0.03)
    assert at_once > 200


def test_chats_are_mostly_answered_badly_unless_every_step_is_asked_for(world, by_kind):
    talks = [
        re.fullmatch(r"<\|user\|>(.+)<\|assistant\|>(.+)<\|end\|>", text, re.DOTALL)
        for text in by_kind["chat"]
    ]
    explained = [talk for talk in talks if talk[1].endswith(" Explain every step.")]
    others = [talk for talk in talks if talk not in explained]
    shares = [
        sum(is_good(talk[1], talk[2], world) for talk in part) / len(part) for part in (explained, others)
    ]
    assert shares[0] == pytest.approx(0.75 + 0.25 * 0.09, abs=0.08)
    assert 0.02 < shares[1] < 0.12
    assert {asked_by(talk[1], world).family for talk in explained} == {"arith", "chain"}


def test_forums_hold_two_replies_and_fillers_say_nothing(by_kind):
    assert all(len(re.findall(r"\n> ", text)) == 2 for text in by_kind["forum"])
    for text in by_kind["filler"]:
        assert set(re.findall(r"[^.]+\.", text.replace(". ", "."))) <= {
            sentence.strip() for sentence in RAMBLES
        }


def test_free_codes_are_of_four_to_six_signs(world):
    codes = {practice._free_code(Draws(seed, "code")) for seed in range(300)}
    assert {len(code) for code in codes} == {4, 5, 6}
    assert all(re.fullmatch("[A-Z][A-Z0-9]+", code) for code in codes)
