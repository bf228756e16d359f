"""Training by reward: the update against a plain one, groups, missing rewards, resumption, warnings."""

import json
import re
from dataclasses import replace

import pytest
import torch

from suffice.common.draws import stream_key
from suffice.common.errors import UserError
from suffice.lab.measure.reinforced import advantages, policy_loss
from suffice.models import load_model
from suffice.models.generation import continuations
from suffice.rewards.controls import Nothing
from suffice.rewards.judge import Judge
from suffice.training.grpo import train_grpo
from suffice.training.rollouts import Question, Step, Watch
from suffice.training.settings import GRPOSettings, LoRA

PLAIN = GRPOSettings(
    learning_rate=1e-3, steps=1, groups=3, samples=4, temperature=1.0, max_new_tokens=8, kl=0.0, entropy=0.0,
    weight_decay=0.0, max_grad_norm=0.0,
)  # fmt: skip
QUESTIONS = [
    Question(({"role": "user", "content": text},), answer)
    for text, answer in [("Add two and three.", "5"), ("Who was born in 1871?", "Ada"), ("A river?", "yes")]
]


def even(rollouts):
    """Pays for replies of an even number of characters."""
    return [float(len(rollout.reply) % 2 == 0) for rollout in rollouts]


def train(folder, out, settings=PLAIN, reward=even, questions=QUESTIONS, **terms):
    model = load_model(folder, device="cpu")
    seen = []

    def keep(rollouts):
        found = reward(rollouts)
        seen.append((rollouts, found))
        return found

    result = train_grpo(model, questions, keep, settings, seed=3, out=out, reward_key="test", **terms)
    return model, result, seen


def weights(model):
    return {name: value.detach().clone() for name, value in model.network.named_parameters()}


def furthest(some, others):
    return max((some[name] - others[name]).abs().max().item() for name in some)


def mean_distance(some, others):
    return sum((some[name] - others[name]).abs().mean().item() for name in some) / len(some)


@pytest.mark.parametrize("token_budget", [None, 60])
def test_one_update_is_that_of_the_plain_loop(tiny_model_folder, tmp_path, token_budget):
    trained, result, [(rollouts, paid)] = train(
        tiny_model_folder, tmp_path, replace(PLAIN, token_budget=token_budget)
    )
    plain = load_model(tiny_model_folder, device="cpu")
    prompts = [plain.chat.encode_prompt(list(rollout.prompt)) for rollout in rollouts]
    seed = stream_key(3, "rollout", 0) >> 1
    written = continuations(plain, prompts, max_new_tokens=8, temperature=1.0, seed=seed)
    found = advantages(torch.tensor(paid).view(-1, 4)).view(-1)
    assert 0 < sum(paid) < len(paid)
    optimizer = torch.optim.AdamW(plain.network.parameters(), lr=1e-3, weight_decay=0.0)
    plain.network.train()
    policy_loss(plain, prompts, written, found).backward()
    optimizer.step()
    # The first step of Adam is the gradient's sign but where that is next to nothing: means are compared.
    before = weights(load_model(tiny_model_folder, device="cpu"))
    moved = mean_distance(weights(trained), before)
    assert moved > 5e-5
    assert mean_distance(weights(trained), weights(plain)) < 1e-3 * moved
    assert (result.steps, result.rollouts, result.tokens) == (1, 12, sum(map(len, written)))


def test_copies_of_one_example_are_groups_of_their_own(tiny_model_folder, tmp_path):
    _, result, [(rollouts, paid)] = train(tiny_model_folder, tmp_path, questions=QUESTIONS[:1])
    assert len(rollouts) == 12
    assert {rollout.answer for rollout in rollouts} == {"5"}
    groups = [set(paid[i : i + 4]) for i in (0, 4, 8)]
    assert result.history[0].uniform == sum(len(group) == 1 for group in groups) / 3
    assert [rollout.number for rollout in rollouts] == list(range(12))


def test_every_question_is_seen_as_often_group_by_group(tiny_model_folder, tmp_path):
    _, _, seen = train(tiny_model_folder, tmp_path, replace(PLAIN, steps=2))
    for rollouts, _ in seen:
        answers = [rollout.answer for rollout in rollouts]
        assert sorted(set(answers)) == ["5", "Ada", "yes"]
        assert all(len(set(answers[i : i + 4])) == 1 for i in (0, 4, 8))
    assert seen[1][0][0].number == 12


def test_replies_without_a_reward_move_nothing(tiny_model_folder, tmp_path):
    def nothing(rollouts):
        return [None] * len(rollouts)

    trained, result, _ = train(tiny_model_folder, tmp_path, reward=nothing)
    assert furthest(weights(trained), weights(load_model(tiny_model_folder, device="cpu"))) == 0
    step = result.history[0]
    assert (step.reward, step.missing, step.uniform, result.missing) == (None, 12, 1.0, 12)


def test_one_missing_reward_leaves_the_rest_of_its_group(tiny_model_folder, tmp_path):
    def some(rollouts):
        return [None if i == 0 else float(i % 2) for i in range(len(rollouts))]

    _, result, _ = train(tiny_model_folder, tmp_path, reward=some)
    assert result.history[0].missing == 1
    assert result.history[0].reward == pytest.approx(6 / 11)


def test_entropy_alone_raises_entropy(tiny_model_folder, tmp_path):
    settings = replace(PLAIN, steps=4, entropy=0.001)
    with Judge(Nothing()) as judge:
        _, result, _ = train(tiny_model_folder, tmp_path, settings, judge)
    first, *_, last = result.history
    assert last.entropy > first.entropy
    assert last.uniform == 1


def test_the_divergence_from_the_base_is_nothing_at_first(tiny_model_folder, tmp_path):
    _, result, _ = train(tiny_model_folder, tmp_path, replace(PLAIN, steps=2, kl=0.1))
    assert result.history[0].kl == pytest.approx(0, abs=1e-6)
    assert result.history[1].kl > 1e-6


def test_several_updates_of_one_rollout_step(tiny_model_folder, tmp_path):
    steps = []
    settings = replace(PLAIN, steps=2, updates=3)
    _, result, seen = train(tiny_model_folder, tmp_path, settings, on_step=steps.append)
    assert (len(seen), result.steps, [step.step for step in steps]) == (2, 2, [1, 2])
    assert steps == result.history


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_as_if_nothing_had_been(tiny_model_folder, tmp_path):
    settings = replace(PLAIN, steps=4, checkpoint_steps=1)

    def kill(step):
        if step.step == 3:
            raise Killed

    with pytest.raises(Killed):
        train(tiny_model_folder, tmp_path / "killed", settings, on_step=kill)
    assert not (tmp_path / "killed" / "train.json").exists()
    resumed, result, seen = train(tiny_model_folder, tmp_path / "killed", settings)
    whole, other, _ = train(tiny_model_folder, tmp_path / "whole", settings)
    assert len(seen) == 2
    assert furthest(weights(resumed), weights(whole)) < 1e-6
    assert [step.reward for step in result.history] == [step.reward for step in other.history]
    assert json.loads((tmp_path / "killed" / "train.json").read_text())["steps"] == 4
    assert load_model(tmp_path / "killed" / "model", device="cpu").network.num_parameters()


def test_adapters_are_merged(tiny_model_folder, tmp_path):
    trained, _, _ = train(tiny_model_folder, tmp_path, replace(PLAIN, lora=LoRA(r=2), kl=0.01, steps=2))
    again = load_model(tmp_path / "model", device="cpu")
    assert set(weights(again)) == set(weights(trained))
    assert furthest(weights(again), weights(load_model(tiny_model_folder, device="cpu"))) > 0


def test_shares_of_time_are_told(tiny_model_folder, tmp_path):
    _, result, _ = train(tiny_model_folder, tmp_path, save=False)
    step = result.history[0]
    assert min(step.rollout_seconds, step.update_seconds) > 0
    assert 0 < result.rollout_share + result.reward_share < 1
    assert not (tmp_path / "model").exists()


def step(number, reward, uniform, missing=0):
    return Step(number, reward, missing, uniform, 1.0, 8.0, 0.5, None, 80, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("reward", "why"),
    [
        (0.0, " (all 0: the example may be too hard, the replies cut off, or the reward for another format)"),
        (1.0, " (all 1: the example is solved every time)"),
        (0.5, ""),
        (None, " (all are missing: see what the reward raises)"),
    ],
)
def test_a_warning_comes_early_and_once_where_nothing_is_learned(reward, why):
    said = []
    watch = Watch(said.append)
    for number, uniform in enumerate([1, 1, 0.5, 1, 1, 1, 1, 0.5, 1, 1, 1], start=1):
        watch.see(step(number, reward, uniform))
    assert said == [
        "nothing is learned: in 3 rollout steps up to step 6 every group has one and the same reward" + why
    ]


def test_a_step_in_words():
    assert step(1, 0.25, 0.5).words() == "reward 0.25, 50% uniform, entropy 0.50, 8 tokens"
    assert step(1, None, 1.0, 3).words() == "no reward, 100% uniform, entropy 0.50, 8 tokens, 3 missing"


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"samples": 1}, "training by reward needs steps, groups, updates and new tokens of 1 or more, 2 samples or more, and a learning rate and a temperature above zero; mend the settings"),
        ({"updates": 5}, "12 replies cannot be shared out evenly to 5 updates; give a number of updates that divides groups x samples"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit(terms, text):
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        replace(PLAIN, **terms)


def test_a_prompt_without_room(tiny_model_folder, tmp_path):
    with pytest.raises(UserError, match="do not fit into the window of 256 tokens"):
        train(tiny_model_folder, tmp_path, replace(PLAIN, max_new_tokens=250))
