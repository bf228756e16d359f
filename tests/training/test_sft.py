"""Training: the loss of TRL is the mean over trained tokens, and a killed run resumes."""

import errno
import json
import os
from math import cos, pi

import pytest
import torch

from suffice.common.errors import UserError
from suffice.data.example import Example
from suffice.models import load_model
from suffice.training import LoRA, SFTSettings, sft, train_sft
from suffice.training.rows import encode_rows, row_order

WORDS = [
    "one",
    "river",
    "a dog counts",
    "Paris",
    "2 + 3 = 5",
    "nobody knows the answer to that question",
    "ten",
]
EXAMPLES = [
    Example(
        f"{i:016x}",
        (
            {"role": "user", "content": f"Say {word} {i}"},
            {"role": "assistant", "content": word * (1 + i % 3)},
        ),
        None,
        "test",
        None,
        "file",
        i + 1,
    )
    for i, word in enumerate(WORDS * 2)
]


def load(folder):
    return load_model(folder, device="cpu")


def mean_loss(network, rows, chosen):
    """The mean cross entropy over the trained tokens of the chosen rows, row by row without padding."""
    total, tokens = 0.0, 0
    for row in chosen:
        ids, labels = torch.tensor([rows.ids[row]]), torch.tensor(rows.labels[row])
        with torch.no_grad():
            chances = network(input_ids=ids).logits[0].log_softmax(-1)
        for place in range(1, len(labels)):
            if labels[place] != -100:
                total -= chances[place - 1, labels[place]].item()
                tokens += 1
    return total / tokens


@pytest.mark.parametrize("token_budget", [10_000, 60])
def test_the_loss_is_the_mean_over_the_trained_tokens_of_a_step(tiny_model_folder, tmp_path, token_budget):
    model = load(tiny_model_folder)
    rows = encode_rows(model, EXAMPLES, model.window)
    order = row_order([len(ids) for ids in rows.ids], 8, 2, seed=3)
    before = mean_loss(model.network, rows, order[:8])
    settings = SFTSettings(learning_rate=1e-3, steps=2, batch_size=8, token_budget=token_budget)
    steps = []
    result = train_sft(model, EXAMPLES, settings, seed=3, out=tmp_path, on_step=steps.append)
    assert result.losses[0] == (1, pytest.approx(before, rel=1e-5))
    assert steps == [1, 2]
    assert result.final_loss == result.losses[-1][1]
    assert result.tokens == sum(len(rows.ids[row]) for row in order)
    assert (result.rows, result.refused, result.dropped, result.cut, result.steps) == (14, 0, 0, 0, 2)
    assert result.epochs == pytest.approx(16 / 14)
    assert result.flops == 6 * model.network.num_parameters() * result.tokens


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_batches_hold_the_rows_in_order_with_their_labels(tiny_model_folder, tmp_path):
    from suffice.training.trainer import build_trainer

    model = load(tiny_model_folder)
    rows = encode_rows(model, EXAMPLES, model.window)
    order = row_order([len(ids) for ids in rows.ids], 4, 3, seed=0)
    settings = SFTSettings(steps=3, batch_size=4)
    trainer = build_trainer(model, rows, order, settings, steps=3, seed=0, folder=tmp_path)
    seen = []
    for batch in trainer.get_train_dataloader():
        for ids, labels, mask in zip(
            batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        ):
            length = int(mask.sum())
            assert (labels[length:] == -100).all()
            seen.append((ids[:length].tolist(), labels[:length].tolist()))
    assert seen == [(rows.ids[row], rows.labels[row]) for row in order]


FALLS = {"linear": lambda done: 1 - done, "cosine": lambda done: (1 + cos(pi * done)) / 2}


@pytest.mark.parametrize("schedule", FALLS)
def test_training_is_that_of_a_plain_loop(tiny_model_folder, tmp_path, schedule):
    model = load(tiny_model_folder)
    settings = SFTSettings(
        learning_rate=5e-3,
        schedule=schedule,
        steps=6,
        batch_size=4,
        warmup_ratio=1 / 3,
        weight_decay=0.1,
        betas=(0.9, 0.95),
    )
    train_sft(model, EXAMPLES, settings, seed=1, out=tmp_path)

    plain = load(tiny_model_folder)
    rows = encode_rows(plain, EXAMPLES, plain.window)
    order = row_order([len(ids) for ids in rows.ids], 4, 6, seed=1)
    matrices = [p for p in plain.network.parameters() if p.ndim > 1]
    norms = [p for p in plain.network.parameters() if p.ndim == 1]
    groups = [{"params": matrices}, {"params": norms, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=5e-3, weight_decay=0.1, betas=(0.9, 0.95))
    for step in range(6):
        for group in optimiser.param_groups:
            group["lr"] = 5e-3 * (step / 2 if step < 2 else FALLS[schedule]((step - 2) / 4))
        optimiser.zero_grad()
        chosen = order[4 * step : 4 * step + 4]
        trained = sum(label != -100 for row in chosen for label in rows.labels[row])
        for row in chosen:
            logits = plain.network(input_ids=torch.tensor([rows.ids[row]])).logits[0, :-1]
            labels = torch.tensor(rows.labels[row][1:])
            (torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / trained).backward()
        torch.nn.utils.clip_grad_norm_(plain.network.parameters(), 1.0)
        optimiser.step()
    saved = load(tmp_path / "model")
    for (name, ours), theirs in zip(
        saved.network.named_parameters(), plain.network.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4, msg=name)


def test_keys_of_linear_trainings_are_those_from_before_there_was_a_schedule():
    assert "schedule" not in SFTSettings(steps=1).as_json()
    assert SFTSettings(steps=1, schedule="cosine").as_json()["schedule"] == "cosine"


def test_the_saved_folder_is_the_trained_model_and_the_result_comes_last(tiny_model_folder, tmp_path, capfd):
    model = load(tiny_model_folder)
    capfd.readouterr()
    result = train_sft(model, EXAMPLES, SFTSettings(epochs=1.5, batch_size=4), seed=0, out=tmp_path)
    assert capfd.readouterr() == ("", "")
    assert result.steps == 6  # 21 rows in batches of 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "train.json"]
    assert json.loads((tmp_path / "train.json").read_text())["losses"] == [
        list(loss) for loss in result.losses
    ]
    saved = load(tmp_path / "model")
    assert saved.chat.template == model.chat.template
    assert saved.chat.stop_ids == model.chat.stop_ids
    ids = torch.tensor([model.chat.encode_prompt([{"role": "user", "content": "Hello"}])])
    with torch.no_grad():
        torch.testing.assert_close(saved.network(input_ids=ids).logits, model.network(input_ids=ids).logits)


def test_lora_is_merged_and_leaves_the_rest_alone(tiny_model_folder, tmp_path):
    settings = SFTSettings(learning_rate=1e-2, steps=3, batch_size=4, lora=LoRA(r=4, alpha=8))
    result = train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=tmp_path)
    base, saved = load(tiny_model_folder).network.state_dict(), load(tmp_path / "model").network.state_dict()
    assert base.keys() == saved.keys()
    assert result.losses[-1][1] < result.losses[0][1]
    change = saved["model.layers.0.mlp.up_proj.weight"] - base["model.layers.0.mlp.up_proj.weight"]
    assert torch.linalg.matrix_rank(change, atol=1e-6) == 4
    assert torch.equal(saved["model.embed_tokens.weight"], base["model.embed_tokens.weight"])


@pytest.mark.parametrize("lora", [None, LoRA(r=4, alpha=8)])
def test_a_run_killed_after_a_checkpoint_resumes(tiny_model_folder, tmp_path, lora):
    settings = SFTSettings(learning_rate=1e-3, steps=7, batch_size=5, checkpoint_steps=2, lora=lora)
    whole = train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=tmp_path / "whole")

    def stop(step):
        if step == 5:
            raise KeyboardInterrupt

    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=out, on_step=stop)
    assert not (out / "train.json").exists()
    torn = out / "checkpoints" / "checkpoint-6"  # a kill in the middle of writing leaves such a one
    torn.mkdir()
    (torn / "trainer_state.json").write_text("{")

    steps = []
    resumed = train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=out, on_step=steps.append)
    assert steps == [5, 6, 7]
    assert [step for step, _ in resumed.losses] == [1, 2, 3, 4, 5, 6, 7]
    assert [loss for _, loss in resumed.losses] == pytest.approx([loss for _, loss in whole.losses], rel=1e-6)
    ours, theirs = (load(tmp_path / name / "model").network.state_dict() for name in ("killed", "whole"))
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name])
    assert not (out / "checkpoints").exists()


def test_a_run_killed_after_its_last_step_has_only_to_be_saved(tiny_model_folder, tmp_path, monkeypatch):
    settings = SFTSettings(learning_rate=1e-3, steps=4, batch_size=4, checkpoint_steps=3)

    def stop(model, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(sft, "save_model", stop)
    with pytest.raises(KeyboardInterrupt):
        train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=tmp_path)
    monkeypatch.undo()
    steps = []
    model = load(tiny_model_folder)
    result = train_sft(model, EXAMPLES, settings, seed=0, out=tmp_path, on_step=steps.append)
    assert steps == []
    assert [step for step, _ in result.losses] == [1, 2, 3, 4]
    rows = encode_rows(model, EXAMPLES, model.window)
    assert mean_loss(load(tmp_path / "model").network, rows, range(14)) < result.losses[0][1]


def test_a_full_disk_is_the_users_to_mend(tiny_model_folder, tmp_path, monkeypatch):
    def full(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    model = load(tiny_model_folder)
    monkeypatch.setattr(model.tokenizer, "save_pretrained", full)
    with pytest.raises(UserError) as caught:
        train_sft(model, EXAMPLES, SFTSettings(steps=1), seed=0, out=tmp_path)
    assert str(caught.value) == (
        f"the trained model cannot be written to {tmp_path / 'model'}: [Errno 28] No space left on device; "
        "free some space and run again"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_the_checkpoint_of_another_training_is_not_gone_on_from(tiny_model_folder, tmp_path):
    settings = SFTSettings(steps=3, batch_size=4, checkpoint_steps=1)

    def stop(step):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=tmp_path, on_step=stop)
    steps = []
    train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=1, out=tmp_path, on_step=steps.append)
    assert steps == [1, 2, 3]


def test_a_network_is_trained_once_only(tiny_model_folder, tmp_path):
    model, settings = load(tiny_model_folder), SFTSettings(steps=1)
    train_sft(model, EXAMPLES, settings, seed=0, out=tmp_path)
    with pytest.raises(ValueError, match="has been trained already; load it anew"):
        train_sft(model, EXAMPLES, settings, seed=0, out=tmp_path)


def test_rows_without_an_answer_are_refused(tiny_model_folder, tmp_path):
    settings = SFTSettings(steps=1, max_length=3)
    with pytest.raises(UserError) as caught:
        train_sft(load(tiny_model_folder), EXAMPLES, settings, seed=0, out=tmp_path)
    assert str(caught.value) == (
        "none of the 14 training rows has an answer within the first 3 tokens; "
        "give shorter rows or a larger max_length"
    )


def test_a_training_that_diverges_is_refused(tiny_model_folder, tmp_path):
    model = load(tiny_model_folder)
    model.network.model.norm.weight.data.fill_(float("inf"))
    with pytest.raises(UserError) as caught:
        train_sft(model, EXAMPLES, SFTSettings(steps=1, learning_rate=0.5), seed=0, out=tmp_path)
    assert caught.value.remedy == "give a learning rate below 0.5"
    assert not (tmp_path / "train.json").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "training needs either steps or epochs; give one of the two"),
        ({"steps": 1, "epochs": 1.0}, "training needs either steps or epochs; give one of the two"),
        (
            {"steps": 0},
            "training cannot run with steps 0, epochs None, batch size 32 and learning rate 1e-05; give numbers above zero",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(given, message):
    with pytest.raises(UserError) as caught:
        SFTSettings(**given)
    assert str(caught.value) == message
