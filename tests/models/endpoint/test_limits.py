"""Pace, meter, cache and the check of settings: what needs no server."""

from __future__ import annotations

import sqlite3

import pytest

from suffice.common.errors import UserError
from suffice.models.endpoint.cache import open_cache
from suffice.models.endpoint.meter import CapError, Meter
from suffice.models.endpoint.pace import Pace, RealClock, StoppedError
from suffice.models.endpoint.settings import EndpointSettings, check_endpoint, is_local
from suffice.models.endpoint.wire import Answer, first_token_request

REQUEST = first_token_request("http://h/v1", "m", "x" * 400)  # 100 tokens in, 1 out


class Hands:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.time, self.slept = 0.0, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += max(seconds, 0)

    def stop(self):
        pass


def test_requests_are_spaced_evenly_and_held_back():
    clock = Hands()
    pace, times = Pace(30, clock), []
    for turn in range(4):
        if turn == 2:
            pace.hold(10)
        pace.take_turn()
        times.append(clock.time)
    assert times == [0, 2, 12, 14]


def test_without_a_limit_nothing_waits():
    clock = Hands()
    pace = Pace(None, clock)
    for _ in range(5):
        pace.take_turn()
    assert clock.time == 0


def test_a_wait_can_be_broken_off():
    clock = RealClock()
    clock.sleep(-1)
    clock.stop()
    with pytest.raises(StoppedError):
        clock.sleep(1000)


def test_tokens_cost_what_the_server_counts():
    meter = Meter(EndpointSettings(input_price=1000.0, output_price=2000.0))
    for _ in range(3):
        meter.open(REQUEST)
    meter.answered(REQUEST, Answer("4", tokens_in=50, tokens_out=2))
    meter.refused(REQUEST)
    meter.lost(REQUEST)
    assert (meter.sent, meter.tokens_in, meter.tokens_out) == (3, 150, 3)
    assert meter.cost == pytest.approx(150 * 1e-3 + 3 * 2e-3)


def test_a_cap_counts_what_is_under_way():
    meter = Meter(EndpointSettings(max_cost=0.25, input_price=1000.0, output_price=0.0))  # 0.1 each
    meter.open(REQUEST)
    meter.open(REQUEST)
    with pytest.raises(CapError, match=r"^max_cost$"):
        meter.open(REQUEST)
    meter.answered(REQUEST, Answer("4", tokens_in=40, tokens_out=1))
    meter.open(REQUEST)
    assert meter.sent == 3


def test_a_cap_on_requests():
    meter = Meter(EndpointSettings(max_requests=2))
    meter.open(REQUEST)
    meter.refused(REQUEST)
    meter.open(REQUEST)
    with pytest.raises(CapError, match=r"^max_requests$"):
        meter.open(REQUEST)


def test_answers_are_kept_by_key(tmp_path):
    path = tmp_path / "deep" / "answers.sqlite"
    answer = Answer("4 \ud800 é", {"4": -0.5}, 3, None)
    with open_cache(path) as cache:
        assert cache.get("a") is None
        assert "a" not in cache
        cache.put([("a", answer)])
    with open_cache(path) as cache:
        assert cache.get("a") == answer
        assert "a" in cache
        assert cache.get("b") is None


def test_a_file_that_holds_no_answers(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError) as caught, open_cache(path):
        pass
    assert str(caught.value) == (
        f"{path} holds no answers that can be read: file is not a database; remove it; they will be asked for again"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"tokens": 3}', "3"])
def test_an_answer_that_is_damaged(tmp_path, text):
    path = tmp_path / "answers.sqlite"
    with open_cache(path):
        pass
    with sqlite3.connect(path) as base:
        base.execute("INSERT INTO answers VALUES ('a', ?)", (text,))
    base.close()
    with open_cache(path) as cache, pytest.raises(UserError, match="holds no answers that can be read"):
        cache.get("a")


GOOD = {"endpoint": "http://localhost:1/v1", "model": "m"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "m"}, "the judge needs an endpoint and a model; give --set endpoint=URL --set model=NAME"),
        (
            {"endpoint": "http://h/v1"},
            "the judge needs an endpoint and a model; give --set endpoint=URL --set model=NAME",
        ),
        (
            GOOD | {"endpoint": "localhost:8000"},
            "the endpoint localhost:8000 is no URL; give one such as http://localhost:8000/v1",
        ),
        (
            GOOD | {"endpoint": "http://h:port/v1"},
            "the endpoint http://h:port/v1 is no URL; give one such as http://localhost:8000/v1",
        ),
        (
            GOOD | {"endpoint": "https://me:secret@h/v1"},
            (
                "the endpoint https://h has a user, a query or a fragment in its URL; give the bare URL, and the key in "
                "the environment variable SUFFICE_API_KEY"
            ),
        ),
        (
            GOOD | {"endpoint": "https://h/v1?key=secret"},
            (
                "the endpoint https://h has a user, a query or a fragment in its URL; give the bare URL, and the key in "
                "the environment variable SUFFICE_API_KEY"
            ),
        ),
        (
            GOOD | {"endpoint": "http://h/v1"},
            (
                "SUFFICE_API_KEY is set, and to http://h/v1 the key would travel in the clear; give an https:// URL, or "
                "unset the variable"
            ),
        ),
        (GOOD | {"concurrency": 0}, "concurrency is 0; give a number above 0"),
        (GOOD | {"per_minute": -1.5}, "per_minute is -1.5; give a number above 0"),
        (GOOD | {"tries": 0}, "tries is 0; give a number above 0"),
        (GOOD | {"timeout": float("nan")}, "timeout is nan; give a number above 0"),
        (GOOD | {"max_requests": -1}, "max_requests is -1; give 0 or more"),
        (GOOD | {"input_price": -0.1}, "input_price is -0.1; give 0 or more"),
        (
            GOOD | {"max_cost": 1.0, "input_price": 1.0},
            "max_cost is given, but not what tokens cost; give input_price and output_price as well",
        ),
    ],
)
def test_settings_that_are_refused(settings, message, monkeypatch):
    monkeypatch.setenv("SUFFICE_API_KEY", "secret")
    with pytest.raises(UserError) as caught:
        check_endpoint(EndpointSettings(**settings), "the judge")
    assert str(caught.value) == message


def test_settings_that_are_fine(monkeypatch):
    monkeypatch.delenv("SUFFICE_API_KEY", raising=False)
    check_endpoint(EndpointSettings(endpoint="http://far.example/v1", model="m"), "the judge")
    monkeypatch.setenv("SUFFICE_API_KEY", "secret")
    check_endpoint(EndpointSettings(endpoint="https://far.example/v1", model="m"), "the judge")
    check_endpoint(EndpointSettings(**GOOD), "the judge")


def test_what_a_request_says_of_its_reply():
    assert EndpointSettings().reply_limits(9) == {"max_tokens": 9, "temperature": 0.0}
    assert EndpointSettings(reasoning=True).reply_limits(9) == {"max_completion_tokens": 9}


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://box.localhost/v1", True),
        ("http://localhost.example/v1", False),
        ("http://10.0.0.1/v1", False),
        ("https://api.example/v1", False),
    ],
)
def test_which_urls_are_of_this_machine(url, local):
    assert is_local(url) == local
