"""One step on a row against the same step written out by hand."""

from __future__ import annotations

import copy

import numpy as np
import torch

from made_data import make_pool
from suffice.gradients.one_step import changes_by_one_step
from suffice.gradients.reference import row_loss
from suffice.gradients.rows import encode
from suffice.models import load_model


def test_changes_are_those_of_a_step_made_by_hand(tiny_model_folder):
    model = load_model(tiny_model_folder, device="cpu")
    rows = encode(model, [(row.messages, None) for row in make_pool(5)])
    rows, judged = rows[:2], rows[2:]
    before = [weight.clone() for weight in model.network.parameters()]
    found = changes_by_one_step(model, rows, judged, length=1e-2)
    assert all(torch.equal(a, b) for a, b in zip(before, model.network.parameters(), strict=True))
    far = 1e-2 * torch.cat([weight.flatten() for weight in before]).norm()
    for place, row in enumerate(rows):
        network = copy.deepcopy(model.network)
        row_loss(network, row).backward()
        gradient = torch.cat([weight.grad.flatten() for weight in network.parameters()])
        losses = [float(row_loss(network, one).detach()) for one in judged]
        with torch.no_grad():
            for weight in network.parameters():
                weight -= far * weight.grad / gradient.norm()
        after = [float(row_loss(network, one).detach()) for one in judged]
        np.testing.assert_allclose(found[place], np.subtract(after, losses), atol=2e-6)


def test_a_step_on_a_row_itself_lowers_its_loss(tiny_model_folder):
    model = load_model(tiny_model_folder, device="cpu")
    rows = encode(model, [(row.messages, None) for row in make_pool(3)])
    assert (np.diag(changes_by_one_step(model, rows, rows)) < 0).all()
