"""Programs that models wrote, and their tests."""

import re

import pytest

from suffice.common.errors import UserError
from suffice.rewards import unit_tests
from suffice.rewards.judge import Judge
from suffice.rewards.protocol import Rollout
from suffice.rewards.unit_tests import UnitTests, UnitTestSettings

TESTS = "assert add(1, 2) == 3\nassert solution.add(2, 2) == 4"
RIGHT = "Here:\n```python\ndef add(a, b):\n    return a + b\n```\n"


def judged(*replies, tests=TESTS, seconds=30.0, **terms):
    with Judge(UnitTests(UnitTestSettings(seconds=seconds, **terms))) as judge:
        return judge([Rollout((), reply, tests) for reply in replies]), judge.missing


@pytest.mark.usefixtures("isolated")
def test_a_program_passes_its_tests_or_not():
    replies = [RIGHT, RIGHT.replace("+", "-"), "no code", "```\nimport sys; sys.exit(0)\n```"]
    leaves = "```\nimport os\nadd = max\nprint('ok', flush=True)\nos._exit(0)\n```"
    assert judged(*replies, leaves) == ([1.0, 0.0, 0.0, 0.0, 0.0], {})


@pytest.mark.usefixtures("isolated")
def test_one_ended_for_its_time_is_missing_and_one_for_its_memory_failed():
    assert judged("```\nwhile True: pass\n```", seconds=2.0) == ([None], {"time": 1})
    assert judged("```\nx = bytearray(9 << 30)\n```", seconds=30.0) == ([0.0], {})


def test_without_isolation_code_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(unit_tests, "cannot_isolate", lambda: "it cannot enter fresh namespaces")
    text = (
        "the reward 'unit_tests' runs code that a model wrote, and this system cannot isolate it: it cannot enter "
        "fresh namespaces; run it where user namespaces are allowed, or give --unsafe to run it as yourself"
    )
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        UnitTests()


def test_unsafe_runs_it_all_the_same(monkeypatch):
    monkeypatch.setattr(unit_tests, "cannot_isolate", lambda: "it cannot enter fresh namespaces")
    assert judged(RIGHT, RIGHT.replace("+", "-"), unsafe=True) == ([1.0, 0.0], {})


def test_tests_that_are_no_python():
    with pytest.raises(UserError, match="the tests 'assert' are no Python: invalid syntax"):
        UnitTests.check(object(), "assert")
