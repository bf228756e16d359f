"""What judges say in annotations of AlpacaEval, and ``suffice judge``."""

import json

import numpy as np
import pytest

from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.proof.judging.judges import agreement, order_bias, swapped, win_rate
from suffice.proof.judging.length_control import SIMPLIFIED, WITH_DIFFICULTY, length_controlled
from suffice.proof.judging.logged import judge_logs

COUNT = 80


def annotation(number, preference, **more):
    return {
        "instruction": f"Say {number}.",
        "output_1": "r" * 20,
        "generator_1": "gpt4",
        "output_2": "m" * (10 + 7 * (number % 5)),
        "generator_2": "mine",
        "annotator": "judge",
        "preference": preference,
    } | more


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def of(name, rows):
        (tmp_path / name).write_text(json.dumps(rows))
        return name

    return of


def drawn(seed, choices=(1, 1.5, 2)):
    return np.random.default_rng(seed).choice(np.array(choices, dtype=float), COUNT)


def test_the_win_rate_and_that_at_equal_lengths(write):
    preferences = drawn(0)
    [one] = judge_logs([write("a.json", [annotation(i, p) for i, p in enumerate(preferences)])]).judged
    assert (one.model, one.reference, one.judge) == ("mine", "gpt4", "judge")
    names = [str(place) for place in range(COUNT)]
    assert one.wins == win_rate(preferences - 1, names)
    gaps = [7 * (place % 5) - 10 for place in range(COUNT)]
    assert one.controlled == length_controlled(preferences - 1, gaps, names)
    assert one.controlled.model == SIMPLIFIED
    assert (one.uncontrolled, one.position) == ("", None)


def test_difficulties_in_every_row_are_used(write):
    rows = [annotation(i, p, instruction_difficulty=i % 3) for i, p in enumerate(drawn(1))]
    [one] = judge_logs([write("a.json", rows)]).judged
    assert one.controlled.model == WITH_DIFFICULTY
    del rows[0]["instruction_difficulty"]
    [one] = judge_logs([write("a.json", rows)]).judged
    assert one.controlled.model == SIMPLIFIED


def test_replies_of_one_length_leave_the_plain_win_rate(write):
    rows = [annotation(i, p, output_2="same") for i, p in enumerate(drawn(2))]
    [one] = judge_logs([write("a.json", rows)]).judged
    assert one.controlled is None
    assert one.uncontrolled.startswith("the length difference (or the difficulty) is the same for all pairs")


def test_both_orders_are_one_pair_won_only_where_both_say_so(write):
    first, second = drawn(3), drawn(4)
    rows = [annotation(i, p, is_switched_outputs=True) for i, p in enumerate(first)]
    rows += [annotation(i, p, is_switched_outputs=False) for i, p in enumerate(second)]
    names = [str(place) for place in range(COUNT)]
    expected = swapped(first - 1, second - 1, names)
    for files in (
        [write("both.json", rows)],
        [write("one.json", rows[:COUNT]), write("two.json", rows[COUNT:])],
    ):
        [one] = judge_logs(files).judged
        assert one.wins == expected.wins
        assert (one.position.bias, one.position.consistency) == (expected.bias, expected.consistency)


def test_an_order_drawn_for_each_pair_shows_the_position_bias(write):
    first, second = drawn(5, (1, 2, 2, 2)), drawn(6, (1, 1, 1, 2))
    rows = [annotation(i, p, is_switched_outputs=True) for i, p in enumerate(first)]
    rows += [annotation(COUNT + i, p, is_switched_outputs=False) for i, p in enumerate(second)]
    [one] = judge_logs([write("a.json", rows)]).judged
    assert one.position.consistency is None
    assert one.position.bias == order_bias(first - 1, second - 1)
    assert one.position.bias.estimate == pytest.approx((first.mean() - second.mean()) / 2)
    assert one.position.bias.low > 0


def test_the_bias_of_one_order_each_is_welchs():
    rng = np.random.default_rng(7)
    u, v = rng.random(30), rng.random(50)
    found = order_bias(u, v)
    error = (u.var(ddof=1) / 30 + v.var(ddof=1) / 50) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(2.0 * error / 2, rel=0.01)  # t of about 65 df
    assert order_bias(np.ones(30), v) is None
    assert order_bias([], v) is None


def test_judges_agree_on_the_side_that_their_weights_lean_to(write):
    ours, theirs = drawn(8, (1, 1.3, 1.5, 1.9)), drawn(9)
    rows = [annotation(i, p) for i, p in enumerate(ours)]
    rows += [annotation(i, p, annotator="other") for i, p in enumerate(theirs)]
    found = judge_logs([write("a.json", rows)])
    assert [one.judge for one in found.judged] == ["judge", "other"]
    [one] = found.agreements
    sides = np.where(ours < 1.5, 0.0, np.where(ours > 1.5, 1.0, 0.5))
    assert (one.a, one.b, one.rate) == ("judge", "other", agreement(sides, theirs - 1, [str(i) for i in range(COUNT)]))  # fmt: skip


def refused(files):
    with pytest.raises(UserError) as caught:
        judge_logs(files)
    return str(caught.value)


def test_a_verdict_twice_is_refused(write):
    rows = [annotation(i, p) for i, p in enumerate(drawn(10))]
    text = (
        "'judge' judges 'mine' twice on 'Say 0.', and not one pair of replies in both orders; give every annotation once; "
        "several runs of a method are compared by suffice compare"
    )
    assert refused([write("a.json", rows), write("b.json", rows)]) == text
    first = [row | {"is_switched_outputs": True} for row in rows]
    assert refused([write("a.json", rows), write("b.json", first)]) == text
    assert refused([write("a.json", first), write("b.json", rows)]) == text
    others = [row | {"is_switched_outputs": False, "output_2": "of another run"} for row in rows]
    assert refused([write("a.json", first), write("b.json", others)]) == text


def test_judges_of_other_replies_do_not_agree_or_disagree(write):
    rows = [annotation(i, p) for i, p in enumerate(drawn(14))]
    others = [row | {"annotator": "other", "output_2": f"of another run {i}"} for i, row in enumerate(rows)]
    assert judge_logs([write("a.json", rows), write("b.json", others)]).agreements == []


def test_scores_are_no_preferences(write, tmp_path):
    (tmp_path / "a.csv").write_text("item,score\nx,1\ny,0\n")
    assert refused(["a.csv"]) == (
        "a.csv holds no judge's preferences between two replies; give annotations of AlpacaEval, or suffice compare for "
        "scores"
    )


def test_one_prompt_is_refused(write):
    assert refused([write("a.json", [annotation(0, 1)])]) == (
        "1 pairs in 1 cluster cannot show how much prompts vary; give two independent clusters of pairs or more"
    )


def test_the_words_and_the_json(write, capsys):
    rows = [annotation(i, p, is_switched_outputs=True) for i, p in enumerate(drawn(11))]
    rows += [annotation(i, p, is_switched_outputs=False) for i, p in enumerate(drawn(12))]
    rows += [annotation(i, p, annotator="other") for i, p in enumerate(drawn(13))]
    name = write("a.json", rows)
    assert run(["judge", name]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split()[:4] == ["model", "against", "judge", "pairs"]
    assert (
        "At equal lengths: length-controlled, simplified model without item difficulties, no penalty." in told
    )
    assert "judge on mine: the reply shown first is preferred " in told
    assert "pairs get the same verdict in both orders." in told
    assert "judge and other agree on mine in " in told
    assert run(["judge", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["judged", "agreements", "notes"]
    assert list(found["judged"][0]) == [
        "model", "reference", "judge", "wins", "controlled", "uncontrolled", "position",
    ]  # fmt: skip
    assert found["judged"][1]["position"] is None
