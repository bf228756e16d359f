"""The small GRPO loop: advantages, the policy loss against autograd token by token, and what the rewards pay for."""

import pytest
import torch

from suffice.lab.measure.reinforced import Reinforced, advantages, formed, policy_loss
from suffice.models.generation import Reply


def reply(text, *, stopped=True):
    return Reply(text, 5, stopped, 0)


def test_advantages_are_standard_scores_within_each_group():
    rewards = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    found = advantages(rewards)
    spread = (4 * 0.25 / 3) ** 0.5
    assert found[0].tolist() == pytest.approx(
        [0.5 / spread, -0.5 / spread, -0.5 / spread, 0.5 / spread], rel=1e-4
    )
    assert found[1].tolist() == [0, 0, 0, 0]


def test_an_answer_line_counts_only_at_the_end_and_after_a_clean_stop():
    assert formed(reply("1 + 2 = 3\nAnswer: 3")) == "Answer: 3"
    assert formed(reply("Answer: 3", stopped=False)) is None
    assert formed(reply("Answer: 3\nBye.")) is None
    assert formed(reply("Answer: three")) is None


class OneProblem:
    answer = "12"


@pytest.mark.parametrize(
    ("reward", "paid"),
    [
        ("correct", ["Answer: 12"]),
        ("format", ["Answer: 12", "Answer: 13", "Answer: 9"]),
        ("wrong", ["Answer: 13"]),
    ],
)
def test_each_reward_pays_for_what_it_is_called(reward, paid):
    job = Reinforced("m", "chain", reward, False, 0, (), ())
    texts = ["Answer: 12", "Answer: 13", "Answer: 9", "12", "I am not sure about that."]
    assert [text for text in texts if job._pays(reply(text), OneProblem, "Answer: 13")] == paid


def test_the_policy_loss_is_the_weighted_log_probability_of_the_new_tokens(tiny_model):
    """Against a sum taken one sample and one token at a time, gradients included."""
    prompts = [[5, 6, 7], [8, 9]]
    written = [[10, 11], [12, 13, 14]]
    weights = torch.tensor([1.5, -0.5])
    loss = policy_loss(tiny_model, prompts, written, weights)
    network = tiny_model.network
    expected = torch.zeros(())
    for prompt, new, weight in zip(prompts, written, weights, strict=True):
        logits = network(input_ids=torch.tensor([prompt + new])).logits[0]
        for place, token in enumerate(new):
            expected = expected - weight * torch.log_softmax(logits[len(prompt) + place - 1], -1)[token]
    expected = expected / 5
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    parameter = next(network.parameters())
    [found] = torch.autograd.grad(loss, [parameter])
    [wanted] = torch.autograd.grad(expected, [parameter])
    assert torch.allclose(found, wanted, atol=1e-5)


def test_samples_without_advantage_leave_the_weights_as_they_are(tiny_model):
    loss = policy_loss(tiny_model, [[5, 6]], [[7]], torch.tensor([0.0]))
    assert loss.item() == 0
    gradients = torch.autograd.grad(loss, list(tiny_model.network.parameters()))
    assert not any(gradient.any() for gradient in gradients)
