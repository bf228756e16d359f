"""The jobs: tool tasks acted out turn by turn, rows and trajectories that training takes."""

import pytest

from suffice.common.draws import Draws
from suffice.lab.measure import tuned
from suffice.lab.measure.tuned import act, trajectory_rows
from suffice.lab.tool.task import TURNS, draw_task
from suffice.models.generation import Reply

TASKS = [draw_task(Draws(seed, "act"), target=True) for seed in range(60)]


class Talker:
    """Stands for a model: its prompts are the talks themselves."""

    class chat:
        @staticmethod
        def encode_prompt(messages):
            return list(messages)


@pytest.fixture
def speak(monkeypatch):
    """Lets replies be given by a function of the talk, and counts the rounds."""
    rounds = []

    def install(reply, *, stopped=True):
        def generate(model, prompts, max_new_tokens):
            rounds.append(len(prompts))
            return [Reply(reply(prompt), 1, stopped, 0) for prompt in prompts]

        monkeypatch.setattr(tuned, "generate", generate)
        return rounds

    return install


def by_the_book(talk):
    """The next turn of the right solution."""
    task = next(task for task in TASKS if task.order == talk[0]["content"])
    return task.solution()[len(talk)][1]


def test_whoever_acts_by_the_book_solves_every_task(speak):
    rounds = speak(by_the_book)
    assert act(Talker(), TASKS) == [100.0] * len(TASKS)
    assert rounds == sorted(rounds, reverse=True)
    assert max(rounds) == len(TASKS)


def test_a_claim_without_a_call_solves_only_what_needs_to_know_nothing(speak):
    def claim(talk):
        return next(task for task in TASKS if task.order == talk[0]["content"]).closing()

    speak(claim)
    scores = act(Talker(), TASKS)
    assert {task.skill for task, score in zip(TASKS, scores, strict=True) if score} <= {"get", "pair", "sum"}


def test_the_right_deeds_without_the_asked_line_do_not_count(speak):
    speak(lambda talk: by_the_book(talk).replace("Answer:", "So:"))
    assert act(Talker(), TASKS) == [0.0] * len(TASKS)


def test_a_reply_that_did_not_stop_ends_the_task(speak):
    rounds = speak(by_the_book, stopped=False)
    assert act(Talker(), TASKS) == [0.0] * len(TASKS)
    assert len(rounds) == 1


def test_one_that_never_comes_to_an_end_is_given_up(speak):
    rounds = speak(lambda talk: "call get Z9Z9")
    assert act(Talker(), TASKS[:3]) == [0.0] * 3
    assert len(rounds) == TURNS


def test_trajectories_are_whole_solutions_and_other_ones_for_every_seed():
    rows = trajectory_rows(7, 78, 0)
    assert len(rows) == 78
    assert rows[:20] == trajectory_rows(7, 20, 0)
    assert rows != trajectory_rows(7, 78, 1)
    for row in rows:
        roles = [turn["role"] for turn in row["messages"]]
        assert roles[0] == "user"
        assert roles[-1] == "assistant"
        assert "Answer: " in row["messages"][-1]["content"]
