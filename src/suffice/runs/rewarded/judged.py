"""What a model scores on items by the reward that counts: greedily, and by samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common import options
from suffice.data.example import Message
from suffice.data.target import TargetItem
from suffice.models import LanguageModel
from suffice.models.generation import Reply, generate
from suffice.rewards.judge import Judge
from suffice.rewards.protocol import Reward, Rollout
from suffice.runs.rewarded.settings import RewardedRecipe, asked
from suffice.training.rollouts import Question


@dataclass(frozen=True, slots=True)
class Judged:
    """One reply and what it is worth.

    Attributes:
        reply: What the model wrote.
        stopped: Whether it ended by itself.
        value: What it is worth; `None` where that cannot be told.
    """

    reply: str
    stopped: bool
    value: float | None


def make_reward(name: str, given: dict[str, Any], *, unsafe: bool = False) -> Reward:
    """Returns a reward by its name and options.

    Raises:
        UserError: There is no such reward or option, or the system cannot isolate what it runs.
    """
    made: Reward = options.make("rewards", name, given | ({"unsafe": True} if unsafe else {}))
    return made


def right_reward(recipe: RewardedRecipe) -> Reward:
    """Returns the reward for what is right."""
    settings = recipe.reward
    return make_reward(settings.name, settings.options, unsafe=settings.unsafe)


def judge_of(recipe: RewardedRecipe, reward: Reward) -> Judge:
    """Returns a reward at work, by the recipe's terms."""
    return Judge(reward, seconds=recipe.reward.seconds, require_stop=recipe.reward.require_stop)


def in_template(template: str, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns a prompt with its last user turn in a template."""
    last = messages[-1]
    return (*messages[:-1], {**last, "content": asked(template, str(last["content"]))})


def question_of(item: TargetItem, template: str, answer: str | None = None) -> Question:
    """Returns an example as it is trained on, with another answer where one is given."""
    return Question(in_template(template, item.messages), item.answer if answer is None else answer)


def judge_items(
    model: LanguageModel,
    judge: Judge,
    items: Sequence[TargetItem],
    template: str,
    *,
    max_new_tokens: int,
    samples: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[Judged]]:
    """Returns ``samples`` judged replies to each item."""
    prompts = [model.chat.encode_prompt(in_template(template, item.messages)) for item in items]
    replies = generate(
        model,
        [prompt for prompt in prompts for _ in range(samples)],
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
    )
    repeated = [item for item in items for _ in range(samples)]
    values = judge([_rollout(item, reply) for item, reply in zip(repeated, replies, strict=True)])
    flat = [Judged(reply.text, reply.stopped, value) for reply, value in zip(replies, values, strict=True)]
    return [flat[i : i + samples] for i in range(0, len(flat), samples)]


def outcomes_of(
    model: LanguageModel, judge: Judge, recipe: RewardedRecipe, items: Sequence[TargetItem], template: str
) -> list[dict[str, Any]]:
    """Returns for each test item the greedy reply and its worth, and the worth of each sample where it is sampled."""
    settings, new = recipe.evaluation, recipe.max_new_tokens
    greedy = judge_items(model, judge, items, template, max_new_tokens=new)
    sampled = judge_items(
        model,
        judge,
        items[: settings.sampled_items],
        template,
        max_new_tokens=new,
        samples=settings.samples,
        temperature=settings.temperature,
        seed=recipe.seed,
    )
    rows = []
    for place, (item, [reply]) in enumerate(zip(items, greedy, strict=True)):
        samples = [one.value for one in sampled[place]] if place < len(sampled) else None
        row = {"item": item.id, "cluster": item.cluster, "greedy": reply.value, "reply": reply.reply}
        rows.append(row | {"stopped": reply.stopped, "samples": samples})
    return rows


def _rollout(item: TargetItem, reply: Reply) -> Rollout:
    return Rollout(item.messages, reply.text, item.answer, reply.stopped)
