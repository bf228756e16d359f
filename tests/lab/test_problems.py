"""Problems and replies, drawn at random: right is right, wrong is wrong, sums stay within bounds."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_reference import STEP, asked_by, is_good
from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, STEPWISE, draw_problem, fact, steps
from suffice.lab.problem import NEW_WORDING, WORDINGS, reserved
from suffice.lab.styles import STYLES, pretraining_mix, reply
from suffice.lab.words import CLASSES
from suffice.lab.world import ATTRIBUTES, build_world

WORLD = build_world()
KNOWN, FRESH = FAMILIES[:4], FAMILIES[4:]
SIDES = ("train", "dev", "test")
seeds = st.integers(0, 2**32)
drawn = settings(derandomize=True, deadline=None, max_examples=40)


def problem(seed, family, side="train"):
    return draw_problem(WORLD, family, Draws(seed, "test"), side)


def lead_and_answer(text):
    """Returns a reply's lines before the answer line, and what the answer line gives."""
    lead, _, last = text.rpartition("\n")
    assert last.startswith("Answer: ")
    return lead, last.removeprefix("Answer: ")


@drawn
@given(seeds, st.integers(1, 5))
def test_running_sums_stay_within_0_and_99(seed, operations):
    terms = steps.draw_terms(Draws(seed, "test"), operations)
    assert len(terms) == operations + 1
    running = 0
    for sign, number in terms:
        running += sign * number
        assert 0 <= running <= 99
        assert number >= 1
    assert running == steps.total(terms) == eval(steps.expression(terms))


@drawn
@given(seeds, st.integers(1, 5))
def test_worked_steps_are_true_but_for_the_last_result_given(seed, operations):
    terms = steps.draw_terms(Draws(seed, "test"), operations)
    lines = steps.worked(terms, "777").splitlines()
    assert lines[-1].endswith(" = 777")
    found = STEP.findall("\n".join([*lines[:-1], lines[-1].replace("777", str(steps.total(terms)))]))
    assert len(found) == operations
    assert all(eval(f"{a} {sign} {b}") == int(result) for a, sign, b, result in found)


def test_a_slip_is_found_for_every_sum():
    terms = [(1, 5), (-1, 5), (1, 40), (1, 40), (1, 19)]  # 5, 0, 40, 80, 99
    assert all(steps.slip(terms, Draws(seed, "test"))[1] != "99" for seed in range(30))


@drawn
@given(st.integers(0, 99), seeds)
def test_a_near_miss_is_near_and_a_miss(value, seed):
    wrong = int(steps.near_miss(value, Draws(seed, "test")))
    assert wrong != value
    assert abs(wrong - value) <= 10
    assert 0 <= wrong <= 99


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", SIDES)
@drawn
@given(seed=seeds)
def test_good_replies_are_right_in_every_wording(family, side, seed):
    made = problem(seed, family, side)
    asked = asked_by(made.question, WORLD)
    assert (asked.family, asked.value, asked.answer) == (made.family, made.value, made.answer)
    assert made.family == family
    for wording in range(WORDINGS):
        assert is_good(made.question, made.good(wording), WORLD)
        lead, answer = lead_and_answer(made.good(wording, asked=False))
        assert (lead, answer) == (lead_and_answer(made.good(wording))[0], made.value)
    assert len({made.good(wording) for wording in range(WORDINGS)}) == 3
    assert [made.good(wording).startswith("Sure thing! ") for wording in range(WORDINGS)] == [
        False,
        False,
        True,
    ]
    assert NEW_WORDING == 2


@pytest.mark.parametrize("family", FAMILIES)
@drawn
@given(seed=seeds, wording=st.integers(0, 2))
def test_wrong_replies_keep_the_form_and_are_wrong(family, seed, wording):
    made = problem(seed, family)
    asked = asked_by(made.question, WORLD)
    lead, answer = lead_and_answer(made.mistaken(wording))
    assert made.wrong != made.value
    assert lead in asked.said(made.wrong)
    assert lead not in asked.said(made.value)
    assert answer == asked.form(made.wrong)
    assert answer not in (made.answer, made.value)


@pytest.mark.parametrize(
    "family", [name for name in FAMILIES if name not in ("twohop", "compare", *STEPWISE)]
)
@drawn
@given(seed=seeds, wording=st.integers(0, 2))
def test_without_steps_a_broken_reply_is_a_wrong_one(family, seed, wording):
    made = problem(seed, family)
    assert made.broken(wording) == made.mistaken(wording)


@pytest.mark.parametrize("family", STEPWISE)
@drawn
@given(seed=seeds)
def test_broken_sums_have_one_false_step_and_go_on_rightly_from_it(family, seed):
    made = problem(seed, family)
    lead, answer = lead_and_answer(made.broken(0))
    right, broken = (STEP.findall(text) for text in (lead_and_answer(made.good(0))[0], lead))
    assert lead == "\n".join(f"{a} {sign} {b} = {result}" for a, sign, b, result in broken)
    assert [step[1:3] for step in broken] == [step[1:3] for step in right]
    assert broken[0][0] == right[0][0]
    assert [step[3] for step in broken[:-1]] == [step[0] for step in broken[1:]]
    false = [eval(f"{a} {sign} {b}") != int(result) for a, sign, b, result in broken]
    assert sum(false) == 1
    assert not false[-1]
    assert answer == broken[-1][3] != made.value


@drawn
@given(seed=seeds)
def test_a_broken_second_step_starts_from_a_false_first_one(seed):
    made = problem(seed, "twohop")
    name, kind = made.key.split(":")[1:]
    [person] = [person for person in WORLD.people if person.name == name]
    ends = WORLD.rivers if kind == "river" else WORLD.products
    lead, answer = lead_and_answer(made.broken(0))
    first = (
        "{n} came from {m}. {m} lies on the river {v}."
        if kind == "river"
        else "{n} worked for {m}. {m} makes {v}."
    )
    told = [between for between, end in ends.items() if lead == first.format(n=name, m=between, v=end)]
    assert len(told) == 1
    assert told[0] not in (person.town, person.firm)
    assert answer == asked_by(made.question, WORLD).form(ends[told[0]]) != made.answer


@drawn
@given(seed=seeds, edge=st.sampled_from([None, "1850", "1949"]))
def test_a_broken_comparison_has_one_false_year_and_follows_from_it(seed, edge):
    """Beside the first and the last of the years, too, on whose other side lies no year."""
    made = problem(seed, "compare")
    if edge:
        found = (problem(other, "compare") for other in range(seed, seed + 100_000))
        made = next(one for one in found if f"was born in {edge}" in one.good(0))
    lead, answer = lead_and_answer(made.broken(0))
    told = re.fullmatch(
        r"Asked is the (?:earlier|later)\. "
        r"(\w+ \w+) was born in (\d{4})\. (\w+ \w+) was born in (\d{4})\. (\d{4}) is (before|after) (\d{4})\. "
        r"The earlier: (\w+ \w+)\. The later: (\w+ \w+)\. So the (earlier|later): (\w+ \w+)\.",
        lead,
    )
    years = {told[1]: told[2], told[3]: told[4]}
    true = {person.name: person.year for person in WORLD.people if person.name in years}
    assert sum(years[name] != true[name] for name in true) == 1
    assert (told[5], told[7]) == (told[2], told[4])
    assert (told[2] < told[4]) == (told[6] == "before")
    assert [told[8], told[9]] == sorted(years, key=years.get)
    assert told[11] == (told[8] if told[10] == "earlier" else told[9])
    assert told[11] != made.value
    assert answer == f"{told[11]} ({years[told[11]]})"


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("family", FRESH)
@drawn
@given(seed=seeds)
def test_reserved_problems_are_the_targets_alone(family, side, seed):
    assert reserved(problem(seed, family, side).key) == (side != "train")


@pytest.mark.parametrize("family", KNOWN)
@drawn
@given(seed=seeds)
def test_people_and_words_that_are_held_out_are_the_targets_alone(family, seed):
    for side in SIDES:
        asked = asked_by(problem(seed, family, side).question, WORLD)
        if family == "class":
            assert asked.core[0] in WORLD.words_for(side)
        else:
            names = asked.core if family == "compare" else asked.core[:1]
            assert set(names) <= {person.name for person in WORLD.people_for(side)}


def test_nobody_and_no_word_is_on_two_sides():
    people = [person.name for side in SIDES for person in WORLD.people_for(side)]
    words = [word for side in SIDES for word in WORLD.words_for(side)]
    assert len(people) == len(set(people)) == 500
    assert len(words) == len(set(words)) == sum(map(len, CLASSES.values())) == 132
    assert not set(people) & {person.name for person in WORLD.rare}
    assert [len(WORLD.words_for(side)) for side in SIDES] == [66, 13, 53]
    assert [len(WORLD.people_for(side)) for side in SIDES] == [300, 40, 160]


def test_one_key_in_eight_is_reserved():
    share = sum(reserved(f"list:{i}") for i in range(8_000)) / 8_000
    assert 0.11 < share < 0.14


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_all_wordings_of_one_fact_are_one_cluster(attribute):
    person = WORLD.seen[0]
    made = [fact.about(WORLD, person, attribute, Draws(seed, "test")) for seed in range(40)]
    assert {one.key for one in made} == {f"fact:{person.name}:{attribute}"}
    assert len({one.question for one in made}) == 3
    assert all(one.wrong in WORLD.values(attribute) for one in made)


@pytest.mark.parametrize("family", FAMILIES)
def test_styles_are_what_they_are_called(family):
    for seed in range(30):
        made = problem(seed, family)
        replies = {name: style(made, Draws(seed, "style")) for name, style in STYLES.items()}
        assert replies["bare"] == made.value
        assert replies["wrong"] in {made.mistaken(wording) for wording in range(2)}
        assert replies["good"] in {made.good(w, asked=asked) for w in range(2) for asked in (False, True)}
        for name in ("evasive", "ramble", "off_topic"):
            assert "Answer:" not in replies[name]
            assert not re.search(r"\d", replies[name])
        expression = re.search(r"\d[\d +-]*\d|$", made.question)[0]
        expected = {
            "arith": f"That makes {made.value}.",
            "chain": f"{expression} = {made.value}\nAnswer: {made.value}",
        }
        assert replies["short"] == expected.get(family, made.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mix_of_the_text_favours_bad_replies(family):
    mix = pretraining_mix(family)
    assert sum(mix.values()) == 100
    assert set(mix) <= set(STYLES)
    assert mix["good"] <= 16
    found = [reply(problem(seed, family), Draws(seed, "reply")) for seed in range(400)]
    assert 0.03 < sum("Answer:" not in text for text in found) / 400 < 0.95
