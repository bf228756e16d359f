"""Job: a small GRPO loop on one example or on many, under true and false rewards.

Shao et al. 2024 (arXiv 2402.03300), one update for each batch of samples, so without ratio and clipping, and
without a penalty for leaving the base. All samples of one prompt are one group.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from suffice.common.draws import Draws
from suffice.lab.families import draw_problem
from suffice.lab.measure.sampled import last_line, right
from suffice.lab.problem import Problem
from suffice.lab.world import build_world
from suffice.models import LanguageModel, load_model
from suffice.models.batching import pad
from suffice.models.generation import Reply, continuations, generate, reply_of

if TYPE_CHECKING:
    import torch

Reward = Literal["correct", "format", "wrong"]

RATE, STEPS, SAMPLES = 3e-5, 40, 64
WHOLE_PROBLEMS, WHOLE_PROMPTS = 200, 8  # of the whole set, and how many of them a step samples
MAX_NEW_TOKENS = 96
ANSWER = re.compile(r"Answer: \d+")
TRIED_SAMPLES, FAIR = 128, (0.03, 0.5)  # an example is fair game where the base solves it this often
TRIED_EXAMPLES = 20  # after these the last one is taken: some bases solve none as often
AT_ONCE_LINES = 2  # of a reply without worked steps: the expression with its result, and the answer line
NO_ANSWER = "Answer: none"  # the wrong answer of a base that gives none


@dataclass(frozen=True)
class Reinforced:
    """Training by reward, then greedy replies to unseen problems.

    Attributes:
        model: The folder of the base.
        family: ``chain`` or ``arith``.
        reward: ``correct``, ``format`` (an answer line and a clean stop) or ``wrong`` (a
            common wrong answer of the base, `wrong_answer`).
        whole: Whether to train on many problems instead of one.
        seed: Of the problems and the samples.
        questions: The unseen problems.
        answers: Their right last lines.
        steps: Updates.
    """

    model: str
    family: str
    reward: Reward
    whole: bool
    seed: int
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    steps: int = STEPS

    def run(self) -> dict[str, Any]:
        """Returns ``scores`` on the unseen problems, the mean ``rewards`` of each step, and the example."""
        import torch

        torch.manual_seed(self.seed)
        model = load_model(self.model, device="cpu")
        problems, wanted = self._task(model)
        rewards = self._train(model, problems, wanted)
        prompts = [_prompt(model, question) for question in self.questions]
        replies = generate(model, prompts, max_new_tokens=MAX_NEW_TOKENS)
        hits = [right(reply, answer) for reply, answer in zip(replies, self.answers, strict=True)]
        return {
            "scores": [100.0 * hit for hit in hits],
            "families": [self.family] * len(hits),
            "clusters": list(self.questions),
            "rewards": rewards,
            "example": "" if self.whole else problems[0].question,
        }

    def _task(self, model: LanguageModel) -> tuple[list[Problem], str]:
        """Returns the problems to train on, and the wrong answer line of the only one."""
        world, draws = build_world(), Draws(self.seed, "reinforced", self.family)
        if self.whole:
            return [draw_problem(world, self.family, draws) for _ in range(WHOLE_PROBLEMS)], ""
        for _ in range(TRIED_EXAMPLES):
            problem = draw_problem(world, self.family, draws)
            prompt = _prompt(model, problem.question)
            replies = generate(
                model,
                [prompt] * TRIED_SAMPLES,
                max_new_tokens=MAX_NEW_TOKENS,
                temperature=1.0,
                seed=self.seed,
            )
            solved = sum(right(reply, _line(problem)) for reply in replies) / TRIED_SAMPLES
            wrong = wrong_answer(replies, _line(problem))
            if FAIR[0] <= solved <= FAIR[1] and wrong != NO_ANSWER:
                break
        return [problem], wrong

    def _train(self, model: LanguageModel, problems: Sequence[Problem], wrong: str) -> list[float]:
        import torch

        optimizer = torch.optim.AdamW(model.network.parameters(), lr=RATE, weight_decay=0.0)
        draws, means = Draws(self.seed, "order"), []
        for step in range(self.steps):
            chosen = draws.sample(problems, min(WHOLE_PROMPTS, len(problems)))
            each = SAMPLES // len(chosen)
            prompts = [_prompt(model, problem.question) for problem in chosen for _ in range(each)]
            written = continuations(
                model,
                prompts,
                max_new_tokens=MAX_NEW_TOKENS,
                temperature=1.0,
                seed=1_000 * self.seed + step,
            )
            rewards = torch.tensor(
                [
                    float(self._pays(reply_of(model, ids), chosen[i // each], wrong))
                    for i, ids in enumerate(written)
                ]
            )
            means.append(round(float(rewards.mean()), 4))
            loss = policy_loss(model, prompts, written, advantages(rewards.view(-1, each)).view(-1))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
        return means

    def _pays(self, reply: Reply, problem: Problem, wrong: str) -> bool:
        match self.reward:
            case "correct":
                return right(reply, _line(problem))
            case "format":
                return formed(reply) is not None
            case _:
                return right(reply, wrong)


def formed(reply: Reply) -> str | None:
    """Returns the answer line of a reply that ends with one and stopped by itself."""
    last = last_line(reply.text)
    return last if reply.stopped and ANSWER.fullmatch(last) else None


def wrong_answer(replies: Sequence[Reply], line: str) -> str:
    """Returns the commonest wrong answer line, of those that no worked reply led to if there are such.

    A label that a slip in the worked steps can reach rewards working as well, and is no control.
    """
    wrong = [(reply, last) for reply in replies if (last := formed(reply)) and last != line]
    worked = {last for reply, last in wrong if len(reply.text.splitlines()) > AT_ONCE_LINES}
    at_once = [last for _, last in wrong if last not in worked]
    common = Counter(at_once or [last for _, last in wrong]).most_common(1)
    return common[0][0] if common else NO_ANSWER


def advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Returns how far rewards lie above the mean of their group, in its standard deviations [groups, samples]."""
    spread = rewards.std(dim=1, keepdim=True)
    return (rewards - rewards.mean(dim=1, keepdim=True)) / (spread + 1e-6)


def policy_loss(
    model: LanguageModel, prompts: list[list[int]], written: list[list[int]], weights: torch.Tensor
) -> torch.Tensor:
    """Returns minus the mean over new tokens of their log-probability times their sample's advantage.

    Samples without advantage add nothing and are left out of the pass.
    """
    import torch

    total = sum(map(len, written))
    kept = [i for i, weight in enumerate(weights.tolist()) if weight]
    if not kept:
        return sum((p.sum() * 0 for p in model.network.parameters()), torch.zeros(()))
    rows = [prompts[i] + written[i] for i in kept]
    ids, mask = pad(rows)
    new = torch.zeros_like(mask)
    for place, i in enumerate(kept):
        new[place, len(prompts[i]) : len(rows[place])] = 1
    logits = model.network(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    chosen = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return -(chosen * new[:, 1:] * weights[kept, None]).sum() / total


def _prompt(model: LanguageModel, question: str) -> list[int]:
    return model.chat.encode_prompt([{"role": "user", "content": question}])


def _line(problem: Problem) -> str:
    return f"Answer: {problem.answer}"
