"""Evaluation logs: made by hand, and really written by lm-evaluation-harness and inspect-ai on the lab's base."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.evaluation.logs import read_log

ITEMS = 20


@pytest.fixture(scope="session")
def refused():
    """Returns the text with which `read_log` refuses a path."""

    def read(path, columns=None):
        with pytest.raises(UserError) as error:
            read_log(path, columns)
        assert "\n" not in str(error.value)
        return str(error.value)

    return read


@pytest.fixture(scope="session")
def means():
    """Returns the mean score of a log by task, metric and filter."""

    def of(log):
        groups = defaultdict(list)
        for row in log.rows:
            groups[row.task, row.metric, row.filter].append(row.score)
        return {key: sum(scores) / len(scores) for key, scores in groups.items()}

    return of


@pytest.fixture(scope="session")
def lab():
    """The lab's base, loaded once; not to be changed."""
    from suffice.models import load_model

    return load_model("lab", device="cpu")


@pytest.fixture(scope="session")
def questions():
    """Twenty test items of the lab, five of each of four families."""
    from suffice.lab.target import target_rows
    from suffice.lab.world import build_world

    asked = target_rows(build_world(), test=5)
    rows = [
        row for row in asked if row["split"] == "test" and row["task"] in ("fact", "list", "arith", "chain")
    ]
    assert len(rows) == ITEMS
    return rows


def last_word(text: str) -> str:
    return text.split()[-1].strip(".") if text.split() else ""


def hits(doc, results):
    """The score of every repeat, as a task of lm-eval may give it."""
    replies = results[0] if isinstance(results[0], list) else [results[0]]
    return {"hit": [float(last_word(reply) == doc["answer"]) for reply in replies]}


def mean_of_means(values):
    return sum(sum(value) / len(value) for value in values) / len(values)


def harness_tasks(folder: Path, mc_prompt: str = "{{question}}") -> list[dict]:
    """Three tasks of lm-eval over local files, as configurations.

    The first scores one of two sampled replies under two filters, the second each of two, the third is multiple
    choice with a metric that is no mean, and the fourth measures a likelihood.
    """
    shared = {
        "dataset_path": "json",
        "dataset_kwargs": {
            "data_files": {"test": str(folder / "items.jsonl")},
            "cache_dir": str(folder / "cache"),
        },
        "test_split": "test",
        "metadata": {"version": 1.0},
    }
    sampled = {
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{answer}}",
        "repeats": 2,
        "generation_kwargs": {"until": ["\n\n"], "max_gen_toks": 12, "do_sample": True, "temperature": 1.0},
    }
    first, k = {"function": "take_first"}, {"function": "take_first_k", "k": 2}
    word = {"function": "regex", "regex_pattern": r"(\w+)\.?$"}
    match = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    acc = {"metric": "acc", "aggregation": "mean", "higher_is_better": True}
    return [
        shared
        | sampled
        | {
            "task": "lab_match",
            "filter_list": [
                {"name": "last-word", "filter": [word, first]},
                {"name": "vote", "filter": [word, {"function": "majority_vote"}, first]},
            ],
            "metric_list": [match],
        },
        shared
        | sampled
        | {
            "task": "lab_each",
            "filter_list": [{"name": "both", "filter": [k]}],
            "process_results": hits,
            "metric_list": [{"metric": "hit", "aggregation": mean_of_means, "higher_is_better": True}],
        },
        shared
        | {
            "task": "lab_choice",
            "output_type": "multiple_choice",
            "doc_to_text": mc_prompt,
            "doc_to_choice": "choices",
            "doc_to_target": "gold",
            "metric_list": [
                acc,
                {"metric": "brier_score", "aggregation": "brier_score", "higher_is_better": False},
            ],
        },
        shared
        | {
            "task": "lab_likelihood",
            "output_type": "loglikelihood",
            "doc_to_text": "{{question}}",
            "doc_to_target": " {{answer}}",
            "metric_list": [
                acc,
                {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
            ],
        },
    ]


def noisy(network, seed: int):
    """A copy of the network with a little noise on its weights: another run of the same training, as it were."""
    import torch

    other = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1 * parameter.std())
    return other


def run_harness(lab, network, folder: Path, tasks: list[dict], seed: int) -> None:
    """Evaluates with lm-eval in this process and writes what its command line writes."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    tracker = EvaluationTracker(output_path=str(folder))
    results = simple_evaluate(
        HFLM(pretrained=network, tokenizer=lab.tokenizer, batch_size=ITEMS),
        tasks=tasks,
        task_manager=TaskManager(include_defaults=False),
        evaluation_tracker=tracker,
        log_samples=True,
        bootstrap_iters=0,
        torch_random_seed=seed,
    )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for task in results["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])


@pytest.fixture(scope="session")
def harness_logs(lab, questions, tmp_path_factory):
    """A folder with ``base``, ``noisy-1`` and ``noisy-2``, and ``reworded`` with another prompt for one task."""
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed (pip install lm-eval)")
    folder = tmp_path_factory.mktemp("lm-eval")
    words = [last_word(row["answer"]) for row in questions]
    items = [
        {"question": row["prompt"], "answer": word, "choices": [word, words[i - 5]], "gold": 0}
        for i, (row, word) in enumerate(zip(questions, words, strict=True))
    ]
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # the list of installed packages takes longer than the evaluation
        patch.setattr("torch.utils.collect_env.get_pip_packages", lambda *_: ("pip3", ""))
        for name, network, seed in (
            ("base", lab.network, 0),
            ("noisy-1", noisy(lab.network, 1), 1),
            ("noisy-2", noisy(lab.network, 2), 2),
        ):
            run_harness(lab, network, folder / name, harness_tasks(folder), seed)
        reworded = harness_tasks(folder, mc_prompt="Question: {{question}}\nAnswer:")[2]
        run_harness(lab, lab.network, folder / "reworded", [reworded], 0)
    return folder


@pytest.fixture(scope="session")
def inspect_logs(lab, questions, tmp_path_factory):
    """A folder with ``base.eval``, ``noisy.json``: 20 samples, two epochs, three scorers."""
    pytest.importorskip(
        "inspect_ai", reason="inspect-ai is not installed (pip install 'suffice[evaluators]')"
    )
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import GenerateConfig, get_model
    from inspect_ai.solver import generate

    api, scorers = inspect_parts(lab, questions)
    folder = tmp_path_factory.mktemp("inspect-ai")
    samples = [
        Sample(
            id=row["id"],
            input=row["prompt"],
            target=last_word(row["answer"]),
            metadata={"family": row["task"]},
        )
        for row in questions
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "home"))
        for name, form, network in (("base", "eval", lab.network), ("noisy", "json", noisy(lab.network, 1))):
            api.network = network
            task = inspect_ai.Task(
                dataset=MemoryDataset(samples, name="lab"), solver=generate(), scorer=scorers, name="lab"
            )
            (log,) = inspect_ai.eval(
                task,
                model=get_model(f"suffice_lab/{name}", config=GenerateConfig(max_tokens=12, seed=3)),
                epochs=2,
                log_dir=str(folder / name),
                log_format=form,
                display="none",
            )
            assert log.status == "success", log.error
            Path(log.location).rename(folder / f"{name}.{form}")
    return folder


def inspect_parts(lab, questions):
    """The lab as a model of inspect-ai, which samples two replies for each question in one batch, and scorers."""
    import torch
    from inspect_ai.model import ModelAPI, ModelOutput, modelapi
    from inspect_ai.scorer import Score, includes, mean, scorer

    @modelapi("suffice_lab")
    class Lab(ModelAPI):
        network = None

        def __init__(self, model_name, base_url=None, api_key=None, config=None, **more):
            super().__init__(model_name, base_url, api_key, [], config)
            torch.manual_seed(config.seed)
            turns = [[{"role": "user", "content": row["prompt"]}] for row in questions]
            prompts = [lab.chat.encode_prompt(turn) for turn in turns]
            width = max(map(len, prompts))
            ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
            mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
            out = Lab.network.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                num_return_sequences=2,
                max_new_tokens=config.max_tokens,
            )
            texts = lab.tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
            self.replies = {
                row["prompt"]: texts[2 * place : 2 * place + 2] for place, row in enumerate(questions)
            }

        async def generate(self, input, tools, tool_choice, config):
            return ModelOutput.from_content(self.model_name, self.replies[input[-1].text].pop())

    @scorer(metrics={"words": [mean()], "ended": [mean()]})
    def shape():
        async def score(state, target):
            text = state.output.completion
            return Score(value={"words": len(text.split()), "ended": text.endswith(".")})

        return score

    return Lab, [includes(), shape()]
