"""Orders on the store: right ways lead to the right end, wrong calls and claims change nothing."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_orders import READS, read_order
from lab_reference import questions_of
from suffice.common.draws import Draws
from suffice.lab.problem import reserved
from suffice.lab.styles import EVASIVE_OPENING
from suffice.lab.tool.documents import MIX
from suffice.lab.tool.skills import SKILLS
from suffice.lab.tool.store import Store, called
from suffice.lab.tool.task import LEAST, LOCKED_SHARE, MOST, TURNS, draw_task

drawn = settings(derandomize=True, deadline=None, max_examples=100)
tasks = st.builds(
    lambda seed, target: draw_task(Draws(seed, "test"), target=target), st.integers(0, 2**32), st.booleans()
)

READING = ("get", "pair", "sum")
CODES = ["A1B2", "C3D4", "Z9"]
LINES = st.one_of(
    st.builds("call {} {}".format, st.sampled_from(["get", "del", "open"]), st.sampled_from(CODES)),
    st.builds("call set {} {}".format, st.sampled_from(CODES), st.integers(0, 99)),
    st.builds(
        "{}{} {}{}".format,
        st.sampled_from(["call ", "Call ", "call  ", ""]),
        st.sampled_from(["get", "set", "add", "same", "del", "open", ""]),
        st.sampled_from([*CODES, "a1b2", ""]),
        st.sampled_from(["", " ", " 7", " 100", " -1", " x", "?", "\n"]),
    ),
)


def plain_act(records, locked, line):
    """Carries out a call in the plainest way, and returns what is seen."""
    match line.split(" "):
        case ["call", "get" | "del" | "open" as verb, code]:
            number = "0"
        case ["call", "set" as verb, code, number]:
            pass
        case _:
            return "error"
    if not re.fullmatch("[A-Z0-9]+", code) or not re.fullmatch("[0-9]{1,2}", number):
        return "error"
    if code not in records and verb != "set":
        return "missing"
    if verb == "get":
        return str(records[code])
    if verb == "open":
        locked -= {code}
    elif code in locked:
        return "locked"
    elif verb == "set":
        records[code] = int(number)
    else:
        del records[code]
    return "ok"


@drawn
@given(st.lists(LINES, max_size=12), st.sets(st.sampled_from(CODES[:2])))
def test_the_store_is_what_a_plain_one_is(lines, locked):
    records = {"A1B2": 12, "C3D4": 34}
    store, plain, shut = Store(dict(records), set(locked)), dict(records), set(locked)
    for line in lines:
        assert store.act(line) == plain_act(plain, shut, line)
        assert (store.records, store.locked) == (plain, shut)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("call get A1B2", "12"),
        ("call get C3D4", "34"),
        ("call get E5F6", "missing"),
        ("call del E5F6", "missing"),
        ("call open E5F6", "missing"),
        ("call set C3D4 7", "locked"),
        ("call del C3D4", "locked"),
        ("call set A1B2", "error"),
        ("call set A1B2 100", "error"),
        ("call get A1B2 7", "error"),
        ("call get A1B2?", "error"),
        ("call get A1B2\n", "error"),
        ("call raise A1B2 7", "error"),
        ("get A1B2", "error"),
        ("A1B2 now holds 7.", "error"),
        ("", "error"),
    ],
)
def test_reading_and_wrong_calls_change_nothing(line, seen):
    store = Store({"A1B2": 12, "C3D4": 34}, {"C3D4"})
    assert store.act(line) == seen
    assert (store.records, store.locked) == ({"A1B2": 12, "C3D4": 34}, {"C3D4"})


def test_a_locked_record_is_changed_after_it_is_opened():
    store = Store({"A1B2": 12}, {"A1B2"})
    calls = [
        "call set A1B2 7",
        "call open A1B2",
        "call set A1B2 7",
        "call open A1B2",
        "call del A1B2",
        "call get A1B2",
    ]
    assert [store.act(call) for call in calls] == ["locked", "ok", "ok", "ok", "ok", "missing"]
    assert store.records == {}


def test_a_record_is_stored_under_a_new_code():
    store = Store({})
    assert [store.act("call set E5F6 0"), store.act("call get E5F6")] == ["ok", "0"]


def test_the_call_of_a_reply_is_its_last_line():
    assert called("call get A1B2") == "call get A1B2"
    assert called("12 + 3 = 15\ncall set A1B2 15") == "call set A1B2 15"
    assert called("call set A1B2 15?") == "call set A1B2 15?"
    for reply in (
        "call get A1B2\nAnswer: 12",
        "I call get A1B2",
        "calling",
        "",
        "A1B2 holds 12.\nAnswer: 12 under A1B2",
    ):
        assert called(reply) is None


@drawn
@given(tasks)
def test_the_order_says_all_that_the_task_is(task):
    order = read_order(task.order)
    assert (order.skill, order.code) == (task.skill, task.code)
    assert order.other in ("", task.other)
    assert order.number == (task.number if task.skill in ("set", "both", "add", "lower") else 0)
    assert order.after(task.records) == task.end_state()
    assert len(task.records) == 3
    assert task.locked <= {task.code}
    assert not (task.locked and task.skill in READING)
    assert all(LEAST <= number <= MOST for number in task.records.values())
    assert all(0 <= number <= 99 for number in task.end_state().values())
    assert SKILLS[task.skill].changes == (task.skill not in READING)


@drawn
@given(tasks, st.booleans())
def test_the_solution_leads_the_store_to_the_right_end(task, asked):
    order, store = read_order(task.order), task.store()
    turns = task.solution(asked=asked)
    assert turns[0] == ("user", task.order)
    assert turns[1:-1] == order.turns(task.records, bool(task.locked))
    for (role, call), (_, seen) in zip(turns[1:-1:2], turns[2:-1:2], strict=True):
        assert role == "assistant"
        assert store.act(called(call)) == seen
    assert store.records == order.after(task.records)
    assert turns[-1] == ("assistant", order.closing(task.records, asked=asked))
    assert called(turns[-1][1]) is None
    assert sum(role == "assistant" for role, _ in turns) <= 7 < TURNS
    assert task.answer_line() == task.solution()[-1][1].splitlines()[-1]


@drawn
@given(tasks, st.integers(0, 2**32))
def test_the_task_is_as_it_was_after_its_solution_and_a_claim_is_no_call(task, seed):
    before = (dict(task.records), set(task.locked))
    task.solution()
    imagined = task.imagined(Draws(seed, "imagined"))
    assert (task.records, task.locked) == before
    assert imagined.records.keys() == task.records.keys()
    for asked in (False, True):
        claim = imagined.closing(asked=asked)
        assert claim == read_order(task.order).closing(imagined.records, asked=asked)
        assert called(claim) is None
        store = task.store()
        assert {store.act(line) for line in claim.splitlines()} == {"error"}
        assert (store.records, store.locked) == before


@pytest.mark.parametrize("skill", SKILLS)
def test_an_order_of_the_target_is_not_done_before_it_is_given(skill):
    tasks = [draw_task(Draws(seed, "target"), target=True) for seed in range(400)]
    ends = [task.end_state() == task.records for task in tasks if task.skill == skill]
    assert ends
    assert all(ends) if skill in READING else not any(ends)


def test_every_skill_has_an_answer_form_of_its_own():
    assert len({skill.asked for skill in SKILLS.values()}) == len(SKILLS)
    assert all(skill.asked != skill.plain for skill in SKILLS.values())


def test_skills_come_alike_and_locked_in_their_share():
    found = [draw_task(Draws(seed, "shares")) for seed in range(2_800)]
    counts = Counter(task.skill for task in found)
    assert set(counts) == set(SKILLS)
    assert all(150 < count < 250 for count in counts.values())
    changing = [task for task in found if task.skill not in READING]
    assert sum(bool(task.locked) for task in changing) / len(changing) == pytest.approx(
        LOCKED_SHARE, abs=0.03
    )


@drawn
@given(st.integers(0, 2**32), st.booleans())
def test_all_codes_of_a_store_are_on_one_side(seed, target):
    assert {reserved(f"tool:{code}") for code in draw_task(Draws(seed, "side"), target=target).records} == {
        target
    }


def test_logs_of_the_text_are_right_from_order_to_answer(texts):
    logs = [log for text in texts if text.startswith("Log: ") for log in re.split(r"\n(?=Log: )", text)]
    assert len(logs) > 1_000
    for log in logs:
        first, *lines = log.splitlines()
        order = read_order(first.removeprefix("Log: "))
        records = {order.code: -1, order.other: -2}  # of what nobody reads nobody knows
        records |= {code: int(number) for code, number in re.findall(r"call get (\w+)\n< (\d+)", log)}
        turns = order.turns(records, "< locked" in lines)
        marked = [f"< {content}" if role == "tool" else content for role, content in turns]
        closings = [order.closing(records, asked=asked) for asked in (False, True)]
        assert "\n".join(lines) in ["\n".join([*marked, closing]) for closing in closings]


def possible_closings(order):
    """The last replies to an order, whatever the store holds."""
    read = READS.get(order.skill, "")
    of_code, of_other = (range(LEAST, MOST + 1) if letter in read else [0] for letter in "cd")
    stores = [{order.code: x, order.other: y} for x in of_code for y in of_other]
    return {order.closing(records, asked=asked) for records in stores for asked in (False, True)}


def test_talks_of_the_text_are_mostly_claims_without_a_call(texts):
    """In the template: claims in the good form, evasions, right ways, and calls that fail and are claimed."""
    talks = [text for text in texts if text.startswith("<|user|>") and read_order(questions_of(text)[0])]
    kinds = Counter()
    for talk in talks:
        replies = re.findall(r"<\|assistant\|>(.+?)<\|end\|>", talk, re.DOTALL)
        seen = re.findall(r"<\|tool\|>(.+?)(?=<\|assistant\|>)", talk)
        order = read_order(questions_of(talk)[0])
        if replies[0].startswith(EVASIVE_OPENING):
            kind = "evasive"
        elif len(replies) == 1:
            kind = "claim"
        else:
            kind = "bad call" if seen == ["error"] else "solution"
        if kind != "evasive":
            assert replies[-1] in possible_closings(order)
        assert (len(seen) > 0) == (kind in ("solution", "bad call"))
        kinds[kind] += 1
    assert sum(MIX.values()) == 100
    for kind, share in MIX.items():
        assert kinds[kind] / len(talks) == pytest.approx(share / 100, abs=0.04)
