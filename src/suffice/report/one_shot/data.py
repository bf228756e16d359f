"""What the page of a run on one example shows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from suffice.report.data import ItemPair

FALSE = ("format", "random", "wrong", "entropy")
# How an arm is drawn: false rewards all alike and unlike the right ones, other single examples as grey bands.
_LOOKS = dict.fromkeys(FALSE, "false") | {
    "base": "base",
    "template": "template",
    "one": "selected",
    "random-one": "random",
    "alike-one": "random",
    "whole": "full",
}


def look(kind: str) -> str:
    """Returns how an arm of a kind is drawn, as `suffice.report.charts` names it."""
    return _LOOKS.get(kind, "other")


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate in percent or percentage points, with its interval; the ends are None where it has none."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Arm:
    """The score of one arm by one metric.

    Attributes:
        name: Such as ``few-4``.
        kind: As the recipe names it, such as ``few``.
        count: Its runs.
        mean: The mean over items and runs, in percent.
        runs: The score of each run in percent; empty where its outcomes are not there.
    """

    name: str
    kind: str
    count: int
    mean: Estimate
    runs: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole set's gain over the template, and the share of it that is asked for.

    Attributes:
        gain: In percentage points.
        share: The share of it that one example reaches; None where there is no gain.
        asked: The share that is asked for, from 0 to 1.
        beyond: gain(one) − asked × gain(whole), in percentage points.
    """

    gain: Estimate
    share: float | None
    asked: float
    beyond: Estimate


@dataclass(frozen=True, slots=True)
class Metric:
    """All arms by one metric.

    Attributes:
        name: ``greedy`` or ``pass@k``.
        items: Test items.
        dropped: Items left out since their reward is missing in some run.
        arms: In the order of the recipe.
        chain: The steps from arm to arm: from, to, and the difference.
        gain: one − base.
        lifting: The false rewards whose gain over the template lies above zero.
        whole: None where the whole set was not trained on.
    """

    name: str
    items: int
    dropped: int
    arms: Sequence[Arm]
    chain: Sequence[tuple[str, str, Estimate]]
    gain: Estimate
    lifting: Sequence[str] = ()
    whole: Whole | None = None

    @property
    def by(self) -> str:
        """The metric as it reads after "by"."""
        return "greedy replies" if self.name == "greedy" else self.name

    def arm(self, name: str) -> Arm | None:
        """Returns an arm by its name, or None where it was not run."""
        return next((arm for arm in self.arms if arm.name == name), None)


@dataclass(frozen=True, slots=True)
class Steps:
    """The rollout steps of one run, in their order.

    Attributes:
        step: Their numbers.
        reward: The mean reward; None where no reply has one.
        uniform: The share of groups whose rewards are all the same.
        entropy: Of a token, in nats.
        length: Of a reply, in tokens.
    """

    step: Sequence[int]
    reward: Sequence[float | None]
    uniform: Sequence[float | None]
    entropy: Sequence[float | None]
    length: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Training:
    """The trainings of one arm.

    Attributes:
        name: Of the arm.
        kind: Of the arm.
        runs: Its runs.
        missing: Replies without a reward, over all runs.
        rollouts: Replies sampled, over all runs; 0 where it is unknown.
        reasons: How often each reason came up.
    """

    name: str
    kind: str
    runs: Sequence[Steps]
    missing: int = 0
    rollouts: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An example that could have been chosen: its id, and the share of replies that were right."""

    id: str
    rate: float


@dataclass(frozen=True, slots=True)
class Choice:
    """How the example was chosen.

    Attributes:
        id: Of the chosen one.
        rate: The share of replies to it that were right.
        how: The way of choosing, in a sentence.
        band: The pass rates preferred, from and to; None where none were.
        ranking: All candidates, the best first.
        wrong: The wrong label; None where there is none.
        messages: The prompt; empty where the file of examples is no longer what the run read.
        answer: The right answer; None likewise.
    """

    id: str
    rate: float
    how: str
    band: tuple[float, float] | None
    ranking: Sequence[Candidate]
    wrong: str | None
    messages: Sequence[Mapping[str, Any]] = ()
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Contamination:
    """How often the base completes questions that it was shown the beginning of.

    Attributes:
        sentence: What was found.
        fraction: How much of a question is shown, from 0 to 1.
        rows: What was completed, with the exact matches and the ROUGE-L of each in percent.
        gains: Of each arm the gain over the template on fresh problems and on test items, and the difference, in points.
        notes: What to bear in mind, one sentence each.
    """

    sentence: str
    fraction: float
    rows: Sequence[tuple[str, Estimate | None, Estimate | None]]
    gains: Sequence[tuple[str, Estimate, Estimate, Estimate]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task of a run; whatever is empty is said to be missing.

    Attributes:
        name: Empty where there is but one.
        level: Of the intervals, in percent.
        sentences: The verdict.
        template: The prompt template picked on dev.
        templates: Each template with its score on dev in percent; empty where there was nothing to pick.
        metrics: The scores, greedy replies first.
        trainings: The arms that were trained.
        choice: How the example was chosen; None where that is not there.
        pairs: Each test item under ``one`` and ``base``.
        time: The shares of training time in ``rollout``, ``reward`` and ``update``.
        contamination: None where it was not tested.
    """

    name: str
    level: float
    sentences: Sequence[str]
    template: str
    templates: Mapping[str, float]
    metrics: Sequence[Metric]
    trainings: Sequence[Training] = ()
    choice: Choice | None = None
    pairs: Sequence[ItemPair] = ()
    time: Mapping[str, float] = field(default_factory=dict)
    contamination: Contamination | None = None

    @property
    def title(self) -> str:
        """Its name, or words where it has none."""
        return self.name or "The evidence"


@dataclass(frozen=True, slots=True)
class OneShotReport:
    """Everything on the page.

    Attributes:
        title: Names the run.
        subtitle: The model and the data, in a few words.
        created: The day on which the run ended; empty where it has not.
        command: The command that gives the run again.
        tasks: The tasks that have a verdict.
        notes: What was not done, one sentence each.
        manifest: The manifest; empty where the run has not ended.
    """

    title: str
    subtitle: str
    created: str
    command: str
    tasks: Sequence[TaskReport]
    notes: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
