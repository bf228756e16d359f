"""Scorers against a real server: a process that completes texts over HTTP, and misbehaves when told to.

See ``tests/endpoint_server.py``. Waits are those of a clock that only sleeping moves; nothing here sleeps.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from made_data import chat, make_example
from suffice.cli.app import app
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.pool import Pool
from suffice.models import load_model
from suffice.models.endpoint.client import Client, NoAnswerError
from suffice.models.endpoint.meter import Meter
from suffice.models.endpoint.wire import first_token_request
from suffice.scorers.complexity import Complexity
from suffice.scorers.deita import DeitaSettings
from suffice.scorers.evol import Evol, EvolSettings
from suffice.scorers.judge import Judge, JudgeSettings
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.quality import Quality

TESTS = Path(__file__).parents[1]
POOL = Pool.from_examples(
    [
        make_example(chat("Add two and three.", "2 + 3 = 5."), 1),
        make_example((*chat("Who was born in 1871?", "Ada Lane."), *chat("Where?", "By the river.")), 2),
        *(make_example(chat(f"Count to {i}.", " ".join(map(str, range(i)))), i) for i in range(3, 9)),
    ]
)
EXCHANGES = 9


class Hands:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.time, self.slept = 0.0, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        if seconds > 0:
            self.slept.append(seconds)
            self.time += seconds

    def stop(self):
        pass


class Server:
    """The server's address, and what is told to it and learnt from it beside its work."""

    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/v1"

    def will(self, *faults):
        httpx2.post(f"{self.root}/faults", json=list(faults), trust_env=False)

    @property
    def log(self):
        return httpx2.get(f"{self.root}/log", trust_env=False).json()


@pytest.fixture(scope="module")
def rater(tiny_model_folder, tmp_path_factory):
    """The tiny model with larger weights, so that its ratings differ."""
    model, folder = load_model(tiny_model_folder, device="cpu"), tmp_path_factory.mktemp("rater")
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4)
    model.network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return load_model(folder, device="cpu")


@pytest.fixture(scope="module")
def process(rater):
    command = [sys.executable, str(TESTS / "endpoint_server.py"), rater.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        port = int(running.stdout.readline())
        yield port
        running.kill()


@pytest.fixture
def server(process, monkeypatch):
    monkeypatch.delenv("SUFFICE_API_KEY", raising=False)
    server = Server(process)
    server.will()
    return server


@pytest.fixture
def clock(monkeypatch):
    made = Hands()
    monkeypatch.setattr("suffice.models.endpoint.client.RealClock", lambda: made)
    return made


class Spoken(Silent):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def judge(server, **settings):
    return Judge(JudgeSettings(endpoint=server.url, model="tiny", reply_tokens=8, **settings))


def expected_ratings(model, pool=POOL):
    """What the server's model rates, worked out here: the likeliest digit after the prompt, by transformers alone."""
    digits = [model.tokenizer.encode(str(digit))[-1] for digit in range(6)]
    found = []
    for row in pool:
        values, weights = [], []
        for turn in range(0, len(row.messages), 2):
            before = "\n\n".join(f"{m['role']}: {m['content']}" for m in row.messages[:turn])
            asked, answered = (m["content"] for m in row.messages[turn : turn + 2])
            prompt = (
                f"###Instruction:\n{asked}\n\n### Input:\n{before}\n\n### Response:\n{answered}\n\nPlease rate according to "
                "the accuracy of the response to the instruction and the input. Each assistant receives a score on a "
                "scale of 0 to 5, where a higher score indicates higher level of the accuracy. Please first output a "
                "single line containing value indicating the scores. In the subsequent line, please provide a "
                "comprehensive explanation of your evaluation, avoiding any potential bias. \n\n"
            )
            system = (
                "We would like to request your feedback on the performance of AI assistant in response to the instruction "
                "and the given input displayed following."
            )
            turns = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
            ids = model.tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
            with torch.no_grad():
                values.append(int(model.network(torch.tensor([ids])).logits[0, -1, digits].argmax()))
            weights.append(len(answered.split()))
        found.append(np.average(values, weights=weights))
    return found


def test_ratings_of_a_real_model(server, rater, tmp_path):
    scores = judge(server).score(POOL, ScoringContext(tmp_path))
    wanted = expected_ratings(rater)
    assert len(set(wanted)) > 2
    np.testing.assert_allclose(scores.values, wanted, rtol=1e-6)
    assert len(server.log) == EXCHANGES
    assert scores.notes["requests_sent"] == scores.notes["exchanges"] == EXCHANGES
    assert scores.notes["requests_failed"] == scores.notes["exchanges_without_value"] == scores.missing == 0
    assert scores.notes["unit"] == "words"
    assert not (tmp_path / "judge-failures.jsonl").exists()


def test_all_that_can_go_wrong_on_the_way_and_nothing_is_lost(server, clock, rater, tmp_path):
    faults = ["hang", "cut", "garbage", "500", "429 retry-after 7", "503", "429", "408", "cut", "garbage"]
    server.will(*faults)
    scores = judge(server, concurrency=3, timeout=2, tries=30).score(POOL, ScoringContext(tmp_path))
    np.testing.assert_allclose(scores.values, expected_ratings(rater), rtol=1e-6)
    asked = [fault for fault, _, _ in server.log]
    assert asked[:10] == faults
    assert scores.notes["requests_sent"] == len(asked) >= EXCHANGES + 10  # more where this machine is slow
    assert len({json.dumps(body) for fault, body, _ in server.log if fault == "fine"}) == EXCHANGES
    assert scores.notes["requests_failed"] == 0
    assert 7 <= max(clock.slept) < 8  # the server's own wait, with what others had taken of it


def test_what_never_gets_an_answer_is_missing_and_told(server, clock, rater, tmp_path):
    server.will(*["garbage"] * 3, "400", "words")
    settings = {"concurrency": 1, "tries": 3}
    spoken = Spoken()
    scores = judge(server, **settings).score(POOL, ScoringContext(tmp_path, reporter=spoken))
    wanted = expected_ratings(rater)
    assert np.isnan(scores.values[:2]).all()  # the first row, and both turns of the second
    np.testing.assert_allclose(scores.values[2:], wanted[2:], rtol=1e-6)
    assert (scores.notes["requests_failed"], scores.notes["exchanges_without_value"]) == (2, 3)
    path = tmp_path / "judge-failures.jsonl"
    assert spoken.said[-1] == f"2 rows have no score by judge; why stands in {path}"
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["id"], line["line"], line["exchange"]) for line in told] == [
        (POOL.ids[0], 1, 1),
        (POOL.ids[1], 2, 1),
        (POOL.ids[1], 2, 2),
    ]
    assert [line["reason"] for line in told] == [
        "the reply is no completion: <html>502 Bad Gateway</html> (3 tries)",
        "status 400: on purpose: 400",
        "the reply's first line is no score from 0 to 5: 'I would say four.'",
    ]
    again = judge(server, **settings).score(
        POOL, ScoringContext(tmp_path)
    )  # asks for what got no answer, alone
    assert (again.notes["answers_kept"], again.notes["requests_sent"]) == (EXCHANGES - 2, 2)
    assert np.isnan(again.values).tolist() == [False, True] + [False] * 6  # the reply without a score is kept


def test_killed_and_resumed(server, rater, tmp_path):
    """A process of its own is killed by the server in the middle of its work, with what it had on the disk."""
    POOL.write(tmp_path / "pool.parquet")
    code = (
        "import sys; from pathlib import Path; from suffice.data.pool import Pool\n"
        "from suffice.scorers.judge import Judge, JudgeSettings\n"
        "from suffice.scorers.protocol import ScoringContext\n"
        "pool = Pool.read(Path('pool.parquet')); print(flush=True); input()\n"
        f"settings = JudgeSettings(endpoint={server.url!r}, model='tiny', reply_tokens=8, concurrency=1)\n"
        "Judge(settings).score(pool, ScoringContext(Path('.')))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as victim:
        assert victim.stdin
        assert victim.stdout
        victim.stdout.readline()
        server.will(*["fine"] * 5, f"kill {victim.pid}")
        victim.stdin.write("\n")
        victim.stdin.flush()
        assert victim.wait() == -signal.SIGKILL
    assert len(server.log) == 6
    scores = judge(server).score(POOL, ScoringContext(tmp_path))
    np.testing.assert_allclose(scores.values, expected_ratings(rater), rtol=1e-6)
    assert 4 <= scores.notes["answers_kept"] <= 5  # the fifth may not have been on the disk yet
    assert scores.notes["answers_kept"] + scores.notes["requests_sent"] == EXCHANGES


@pytest.mark.parametrize(
    ("cap", "message"),
    [
        (
            {"max_requests": 4},
            (
                "the scorer 'judge' stopped at max_requests = 4: 5 requests remain, 4 were answered and are kept; raise or "
                "leave out max_requests and run the same command again"
            ),
        ),
        (
            {"max_cost": 1e-3, "input_price": 1.0, "output_price": 1.0},
            (
                "the scorer 'judge' stopped at max_cost = 0.001: {left} requests remain, {done} were answered and are kept; "
                "raise or leave out max_cost and run the same command again"
            ),
        ),
    ],
)
def test_a_cap_stops_and_what_was_paid_for_is_kept(cap, message, server, tmp_path):
    with pytest.raises(UserError) as caught:
        judge(server, **cap).score(POOL, ScoringContext(tmp_path))
    done = len(server.log)
    assert 0 < done < EXCHANGES
    assert str(caught.value) == message.format(left=EXCHANGES - done, done=done)
    spoken = Spoken()
    scores = judge(server, input_price=10.0, output_price=1e4).score(
        POOL, ScoringContext(tmp_path, reporter=spoken)
    )
    assert (scores.notes["answers_kept"], scores.notes["requests_sent"]) == (done, EXCHANGES - done)
    assert scores.missing == 0
    cost = scores.notes["tokens_in"] * 1e-5 + scores.notes["tokens_out"] * 1e-2
    assert scores.notes["cost"] == pytest.approx(cost, abs=1e-6)
    words = spoken.said[0].split(": ", 1)
    assert words[0] == (
        f"the scorer 'judge' asks tiny at {server.url} {EXCHANGES - done} times ({done} answers are there)"
    )
    assert words[1].endswith(f"at most {8 * (EXCHANGES - done)} out, at most {words[1].rsplit(' ', 1)[1]}")


def test_with_no_request_allowed_the_cost_is_told_and_nothing_sent(server, tmp_path):
    spoken = Spoken()
    with pytest.raises(UserError, match=f"max_requests = 0: {EXCHANGES} requests remain, 0 were answered"):
        judge(server, max_requests=0, input_price=1.0, output_price=1e5).score(
            POOL, ScoringContext(tmp_path, reporter=spoken)
        )
    assert server.log == []
    assert spoken.said[0].endswith(f"at most {EXCHANGES * 8} out, at most {EXCHANGES * 8 / 10 + 0.002:,.2f}")


def test_twins_are_asked_about_once(server, tmp_path):
    row = make_example(chat("Again?", "Again."), 1)
    scores = judge(server).score(Pool.from_examples([row] * 3), ScoringContext(tmp_path))
    assert len(server.log) == scores.notes["requests_sent"] == 1
    assert len(set(scores.values.tolist())) == 1


@pytest.mark.parametrize("scorer", [Complexity, Quality])
def test_likelihoods_of_digits_are_those_of_the_model_here(scorer, server, rater, tmp_path):
    far = scorer(DeitaSettings(endpoint=server.url, model="tiny")).score(POOL, ScoringContext(tmp_path / "a"))
    here = scorer(DeitaSettings(model=rater.name)).score(POOL, ScoringContext(tmp_path / "b"))
    single = [0, *range(2, 8)]  # answers are measured in words there and in tokens here
    np.testing.assert_allclose(far.values[single], here.values[single], rtol=1e-4)
    total = DeitaSettings(endpoint=server.url, model="tiny", turns="sum")
    summed = scorer(total).score(POOL, ScoringContext(tmp_path / "a"))
    assert summed.notes["requests_sent"] == 0  # the same answers, added up
    here = scorer(DeitaSettings(model=rater.name, turns="sum")).score(POOL, ScoringContext(tmp_path / "b"))
    np.testing.assert_allclose(summed.values, here.values, rtol=1e-4)


def test_the_product_has_one_cap_for_both(server, tmp_path):
    context = ScoringContext(tmp_path)
    settings = EvolSettings(endpoint=server.url, model="tiny", turns="sum", max_requests=EXCHANGES + 2)
    with pytest.raises(
        UserError, match=r"^the scorer 'quality' stopped at max_requests = 2: 7 requests remain, 2 "
    ):
        Evol(settings).score(POOL, context)
    assert len(server.log) == EXCHANGES + 2
    scores = Evol(replace(settings, max_requests=None)).score(POOL, context)
    parts = [
        scorer(replace(settings, max_requests=0)).told(POOL, context) for scorer in (Complexity, Quality)
    ]
    wanted = [
        sum(c * q for c, q in zip(*pair, strict=True))
        for pair in zip(*(p.values for p in parts), strict=True)
    ]
    np.testing.assert_allclose(scores.values, wanted, rtol=1e-6)
    assert (scores.notes["complexity_answers_kept"], scores.notes["quality_answers_kept"]) == (EXCHANGES, 2)


def test_digits_that_are_not_among_the_likeliest_are_missing(server, tmp_path):
    server.will("plain")
    settings = DeitaSettings(endpoint=server.url, model="tiny", concurrency=1)
    scores = Complexity(settings).score(POOL, ScoringContext(tmp_path))
    assert np.isnan(scores.values).tolist() == [True] + [False] * 7
    (line,) = (tmp_path / "complexity-failures.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"].startswith("the likeliest tokens lack 1, 2, 3, 4, 5, 6: ")


@pytest.mark.parametrize("scorer", [Complexity, Quality])
def test_a_chat_model_rates_in_words(scorer, server, tmp_path):
    settings = DeitaSettings(endpoint=server.url, model="tiny", reply="text", reply_tokens=8)
    scores = scorer(settings).score(POOL, ScoringContext(tmp_path))
    known = scores.values[~np.isnan(scores.values)]
    assert all(1 <= value <= 6 for value in known)
    assert scores.missing == len(
        {json.loads(t)["id"] for t in lines(tmp_path / f"{scorer.name}-failures.jsonl")}
    )
    sent = [body["messages"][0]["content"] for _, body, _ in server.log]
    ends = {
        Complexity: "[1] Add two and three.",
        Quality: "#Question#: Add two and three.\n#Response List#:\n[1] 2 + 3 = 5.",
    }
    assert any(text.endswith(ends[scorer]) for text in sent)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("status", ["401", "404", "301"])
def test_a_server_that_will_answer_nothing_stops_it_at_once(status, server, tmp_path):
    server.will("fine", *[status] * 50)
    with pytest.raises(UserError) as caught:
        judge(server, concurrency=1).score(POOL, ScoringContext(tmp_path))
    assert str(caught.value) == (
        f"the endpoint {server.url} does not serve the model 'tiny': status {status}: on purpose: {status}; check the URL, "
        "the model's name and the key in SUFFICE_API_KEY"
    )
    assert len(server.log) < EXCHANGES
    server.will()
    scores = judge(server).score(POOL, ScoringContext(tmp_path))
    assert scores.notes["answers_kept"] == 1
    assert scores.missing == 0


def test_an_endpoint_that_is_dead(tmp_path, clock):
    settings = JudgeSettings(endpoint="http://127.0.0.1:1/v1", model="tiny", tries=2)
    with pytest.raises(UserError) as caught:
        Judge(settings).score(POOL, ScoringContext(tmp_path))
    assert str(caught.value).startswith(
        f"the endpoint http://127.0.0.1:1/v1 answered none of {EXCHANGES} requests; the last: the connection failed: "
    )
    assert str(caught.value).endswith(" (2 tries); check that it is up and takes such requests")


def test_the_key_is_sent_and_stands_nowhere(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SUFFICE_API_KEY", "sk-secret-indeed")
    server.will("words")
    judge(server).score(POOL, ScoringContext(tmp_path))
    assert {key for _, _, key in server.log} == {"Bearer sk-secret-indeed"}
    for path in tmp_path.rglob("*"):
        assert b"sk-secret" not in path.read_bytes()
    client = Client(judge(server)._settings, Meter(JudgeSettings()))
    assert client._clean("Bad key sk-secret-indeed\n given") == "Bad key (the key) given"
    client.close()


def sending(server, clock, *faults, **settings):
    """Sends one request with faults on the way, and returns what the clock slept."""
    server.will(*faults)
    settings = JudgeSettings(endpoint=server.url, model="tiny", **settings)
    client = Client(settings, Meter(settings), clock)
    request = first_token_request(server.url, "tiny", f"{faults}")
    try:
        client.send(request)
    finally:
        client.close()
    return clock.slept


def test_from_the_command_line(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"messages": list(row.messages)} for row in POOL]
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["score", "--pool", "pool.jsonl", "--scorer", "judge", "--out", "out", "--json", "--quiet"]
    options = {"endpoint": server.url, "model": "tiny", "reply_tokens": 8, "per_minute": 1e6, "turns": "sum"}
    server.will("words")
    done = CliRunner().invoke(app, [*words, *(w for k, v in options.items() for w in ("--set", f"{k}={v}"))])
    assert done.exit_code == 0, done.output
    about = json.loads(done.stdout)
    assert about["options"] == options
    assert (about["counts"]["scored"], about["notes"]["exchanges_without_value"]) == (7, 1)
    assert len(lines(Path("out/cache/judge-failures.jsonl"))) == 1


def test_no_answer_in_time(server):
    clock = Hands()
    with pytest.raises(NoAnswerError) as caught:
        sending(server, clock, "hang", "hang", timeout=0.1, tries=2)
    assert str(caught.value) == "no answer within 0.1 seconds (2 tries)"
    assert len(clock.slept) == 1


def test_waits_double_up_to_a_minute(server):
    waits = sending(server, Hands(), *["500"] * 9, tries=10)
    assert len(waits) == 9
    for i, wait in enumerate(waits):
        longest = min(0.5 * 2**i, 60)
        assert longest / 2 <= wait <= longest


def test_the_servers_own_wait_counts(server):
    assert sending(server, Hands(), "429 retry-after 12.5") == [12.5]
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    (wait,) = sending(server, Hands(), f"503 retry-after {date}")
    assert 90 < wait <= 100
    (wait,) = sending(server, Hands(), "500 retry-after soon")
    assert wait <= 0.5
    assert sending(server, Hands(), "429 retry-after Wed, 21 Oct 2015 07:28:00 GMT") == []


def test_a_wait_that_is_too_long_is_a_refusal(server):
    clock = Hands()
    with pytest.raises(NoAnswerError) as caught:
        sending(server, clock, "429 retry-after 3600")
    assert str(caught.value) == "status 429: on purpose: 429, to be tried again after 3,600 seconds"
    assert clock.slept == []


def test_a_pace(server, tmp_path, clock):
    scores = judge(server, per_minute=30).score(POOL, ScoringContext(tmp_path))
    assert scores.missing == 0
    assert clock.time == pytest.approx(2 * (EXCHANGES - 1))


def test_a_reply_that_is_too_large(server, monkeypatch):
    monkeypatch.setattr("suffice.models.endpoint.client._MOST_BYTES", 20)
    with pytest.raises(NoAnswerError) as caught:
        sending(server, Hands(), "garbage", tries=1)
    assert str(caught.value) == "the connection failed: the reply is larger than 4 MiB (1 tries)"
