"""The statistics on logs: filters, several tasks, and what a verdict cannot be made of."""

import json
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.proof.compare.elsewhere import prove_logs
from suffice.proof.compare.logged import Filters, compare_logs

COLUMNS = {"item": "id", "score": "acc", "task": "task", "metric": "what"}


def write(path, shift, metrics=("em",)):
    rows = [
        {"id": i, "task": task, "what": metric, "acc": float((i * 7 + shift) % 10 < 5)}
        for task in ("sums", "facts")
        for metric in metrics
        for i in range(30)
    ]
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place, shift in enumerate([0, 1, 2]):
        write(f"{place}.jsonl", shift)
        write(f"two{place}.jsonl", shift, ("em", "f1"))
    return tmp_path


def test_every_task_is_a_claim(here):
    found = compare_logs(["0.jsonl", "1.jsonl", "2.jsonl"], COLUMNS)
    assert [(one.task, one.b) for one in found.contrasts] == [
        ("sums", "1"), ("sums", "2"), ("facts", "1"), ("facts", "2"),
    ]  # fmt: skip
    one = compare_logs(["0.jsonl", "1.jsonl"], COLUMNS, filters=Filters(task="facts"))
    assert [found.task for found in one.contrasts] == ["facts"]


def test_a_verdict_pools_the_tasks_as_families(here):
    found = prove_logs(["selected=0.jsonl", "base=1.jsonl", "full=2.jsonl"], COLUMNS)
    verdict = found.verdict
    assert (found.notes, found.spreads, found.new_draw) == ([], [], None)
    assert set(verdict.arms[0].families) == {"sums", "facts"}
    assert verdict.outcome == "inconclusive"  # one run an arm


def refused(specs, **more):
    with pytest.raises(UserError) as caught:
        prove_logs(specs, COLUMNS, **more)
    return str(caught.value)


def test_a_verdict_rests_on_one_measure(here):
    specs = ["selected=two0.jsonl", "base=two1.jsonl"]
    assert refused(specs) == (
        "the logs hold 2 measures (em, f1), and a verdict rests on one; name it with --metric and --filter"
    )
    verdict = prove_logs(specs, COLUMNS, filters=Filters(metric="f1")).verdict
    assert {arm.name for arm in verdict.arms} == {"selected", "base"}


def test_what_passes_no_filter_is_named(here):
    with pytest.raises(UserError) as caught:
        compare_logs(["0.jsonl", "1.jsonl"], COLUMNS, filters=Filters(task="fact"))
    assert str(caught.value) == "unknown task 'fact'; did you mean 'facts'?"


def test_a_verdict_is_made_of_shares(here):
    Path("percent.jsonl").write_text(
        "".join(
            json.dumps({"id": i, "task": t, "what": "em", "acc": 50 + i}) + "\n"
            for t in ("sums", "facts")
            for i in range(30)
        )
    )
    assert refused(["selected=percent.jsonl", "base=0.jsonl"]) == (
        "arm 'selected' has scores from 50 to 79, and a verdict is made of shares; give scores from 0 to 1, such as "
        "percents divided by 100"
    )
