"""The score of LESS as its public code has it, written out without Suffice's features, projection or store.

``collect_grad_reps.py``: one backward pass an example, Γ with ε inside the root and no bias correction on the pool's
side, the plain gradient on the target's. ``matching.py``: rows scaled to norm 1, products, weighted by the mean learning
rates over their sum, ``reshape(N, sub-tasks, -1).mean(-1).max(-1)``.
"""

from __future__ import annotations

import numpy as np
import peft
import pytest
import torch
from scipy.stats import spearmanr

from made_data import make_pool, make_target
from suffice.gradients.adam import Moments
from suffice.gradients.checkpoints import write_checkpoint
from suffice.gradients.rows import encode
from suffice.models import load_model
from suffice.scorers.influence import Influence
from suffice.scorers.influence_settings import InfluenceSettings
from suffice.scorers.protocol import ScoringContext

RATES = (3e-4, 1e-4)


@pytest.fixture(scope="module")
def warmed(tiny_model_folder, tmp_path_factory):
    """Two checkpoints with random adapters and moments: networks, moments by name, and their folder."""
    folder, made = tmp_path_factory.mktemp("warm-up"), []
    for i, rate in enumerate(RATES):
        generator = torch.Generator().manual_seed(i)
        wrapped = peft.get_peft_model(
            load_model(tiny_model_folder, device="cpu").network,
            peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"]),
        ).eval()
        moments = {}
        for name, parameter in wrapped.named_parameters():
            if parameter.requires_grad:
                parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)
                first = 1e-2 * torch.randn(parameter.shape, generator=generator)
                moments[name] = Moments(first, 1e-3 * torch.rand(parameter.shape, generator=generator), 5 + i)
        write_checkpoint(wrapped, moments, folder / f"epoch-{i}", rate, (0.9, 0.999))
        made.append((wrapped, moments))
    return made, folder


def gradient(network, row):
    network.zero_grad()
    labels = torch.full((1, len(row.ids)), -100)
    labels[0, row.places] = torch.tensor(row.ids)[row.places]
    network(input_ids=torch.tensor([row.ids]), labels=labels).loss.backward()
    return {name: p.grad.double() for name, p in network.named_parameters() if p.requires_grad}


def adam(name, g, moments):
    m, v = moments[name].first.double(), moments[name].second.double()
    updated_avg, updated_avg_sq = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return updated_avg / torch.sqrt(updated_avg_sq + 1e-8)


def literal(warmed, model, pool, dev, subtasks):
    """The influence score of each row [rows]; dev examples stand sub-task by sub-task, as many of each."""
    train = encode(model, [(row.messages, None) for row in pool])
    validation = encode(model, [(item.conversation, None) for item in dev])
    weights = np.array(RATES) / sum(RATES)
    total = 0
    for weight, (network, moments) in zip(weights, warmed, strict=True):
        sides = []
        for rows, transform in ((train, lambda n, g, m=moments: adam(n, g, m)), (validation, lambda n, g: g)):
            found = torch.stack(
                [
                    torch.cat([transform(name, g).flatten() for name, g in gradient(network, row).items()])
                    for row in rows
                ]
            )
            sides.append(found / found.norm(dim=1, keepdim=True))
        total = total + weight * (sides[0] @ sides[1].T).numpy()
    return total.reshape(len(pool), subtasks, -1).mean(-1).max(-1)


@pytest.mark.parametrize(("bits", "agreement"), [("fp16", 0.99), ("int8", 0.97)])  # int8, the default, rounds
def test_scores_rank_as_the_literal_code_of_less_does(bits, agreement, warmed, tiny_model, tmp_path):
    made, folder = warmed
    pool, target = make_pool(60), make_target(["fact", "fact", "sum", "sum", "list", "list"])
    settings = InfluenceSettings(checkpoints=folder, bits=bits)
    scores = Influence(settings).score(pool, ScoringContext(tmp_path, tiny_model, target))
    wanted = literal(made, tiny_model, pool, target.dev, subtasks=3)
    assert spearmanr(scores.values, wanted).statistic > agreement
    np.testing.assert_allclose(scores.values, wanted, atol=0.01)
