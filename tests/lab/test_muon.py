"""Muon against the singular value decomposition, against torch's own, and against a step by hand."""

import copy

import numpy as np
import pytest
import torch
from torch.optim import _muon as torch_muon

from suffice.lab.muon import Muon, orthogonalize

SHAPES = [(6, 6), (12, 5), (5, 12)]


def matrix(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def with_singular_values(values, rows, columns):
    """Returns a float32 matrix [rows, columns] that has these singular values."""
    u, _, v = np.linalg.svd(matrix(rows, columns).double().numpy(), full_matrices=False)
    return torch.tensor(u * values @ v, dtype=torch.float32)


def by_hand(a):
    """Returns what the iteration gives, from the singular values alone: float64 [rows, columns]."""
    u, s, v = np.linalg.svd(np.asarray(a, dtype=np.float64), full_matrices=False)
    s = s / np.sqrt((s**2).sum())
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u * s @ v


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_the_singular_vectors_stay_and_the_values_come_near_one(rows, columns):
    values = np.geomspace(1, 0.05, min(rows, columns))
    a = with_singular_values(values, rows, columns)
    done = orthogonalize(a[None])[0]
    u, _, v = np.linalg.svd(a.double().numpy(), full_matrices=False)
    turned = u.T @ done.double().numpy() @ v.T
    assert ((np.diag(turned) > 0.6) & (np.diag(turned) < 1.3)).all()
    np.testing.assert_allclose(turned - np.diag(np.diag(turned)), 0, atol=1e-5)
    assert done.shape == (rows, columns)


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_the_singular_values_go_through_the_polynomial(rows, columns):
    a = matrix(rows, columns)
    np.testing.assert_allclose(orthogonalize(a[None])[0].numpy(), by_hand(a), atol=1e-4)
    np.testing.assert_allclose(orthogonalize(1000 * a[None])[0].numpy(), by_hand(a), atol=1e-4)


def test_matrices_go_through_together_as_each_alone():
    stack = torch.stack([matrix(12, 5, seed) for seed in range(4)])
    together = orthogonalize(stack)
    for one, expected in zip(stack, together, strict=True):
        torch.testing.assert_close(orthogonalize(one[None])[0], expected, rtol=1e-5, atol=1e-6)


def test_a_matrix_of_zeros_stays_one():
    assert orthogonalize(torch.zeros(1, 4, 3)).eq(0).all()


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_torch_orthogonalises_alike_within_the_rounding_of_bfloat16(rows, columns):
    a = with_singular_values(np.geomspace(1, 0.2, min(rows, columns)), rows, columns)
    theirs = torch_muon._zeropower_via_newtonschulz(a, (3.4445, -4.7750, 2.0315), 5, 1e-7)
    assert theirs.dtype == torch.bfloat16
    torch.testing.assert_close(orthogonalize(a[None])[0], theirs.float(), rtol=0, atol=0.03)


def stepped(optimizer, parameters, steps, first=0):
    """Takes steps with gradients that follow from the step's number."""
    for step in range(first, first + steps):
        for number, parameter in enumerate(parameters):
            parameter.grad = matrix(*parameter.shape, seed=100 * step + number)
        optimizer.step()


@pytest.mark.parametrize(("rows", "columns", "scale"), [(8, 2, 2.0), (2, 8, 1.0), (4, 4, 1.0)])
def test_two_steps_are_those_of_a_computation_by_hand(rows, columns, scale):
    parameter = torch.nn.Parameter(matrix(rows, columns, seed=9))
    expected, mean = parameter.detach().double().numpy(), np.zeros((rows, columns))
    stepped(Muon([parameter], lr=0.1, weight_decay=0.5), [parameter], 2)
    for step in range(2):
        gradient = matrix(rows, columns, seed=100 * step).double().numpy()
        mean = 0.95 * mean + 0.05 * gradient
        ahead = 0.05 * gradient + 0.95 * mean
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * scale * by_hand(ahead)
    np.testing.assert_allclose(parameter.detach().numpy(), expected, atol=1e-4)


def test_torchs_optimiser_goes_the_same_way():
    ours, theirs = ([torch.nn.Parameter(matrix(*shape, seed=9)) for shape in SHAPES] for _ in range(2))
    stepped(Muon(ours, lr=0.02, weight_decay=0.1), ours, 3)
    stepped(torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1), theirs, 3)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=3 * 0.02 * 0.05 * 2)


def test_the_rate_of_each_group_holds():
    """A group whose rate is nought stays as it is; the rate may change from step to step."""
    still, moved = (torch.nn.Parameter(matrix(4, 3, seed=seed)) for seed in (1, 2))
    before = still.detach().clone()
    optimizer = Muon([{"params": [still], "lr": 0.0}, {"params": [moved]}], lr=0.1, weight_decay=0.1)
    stepped(optimizer, [still, moved], 1)
    assert still.equal(before)
    assert not moved.equal(matrix(4, 3, seed=2))
    optimizer.param_groups[0]["lr"] = 0.1
    stepped(optimizer, [still, moved], 1, first=1)
    assert not still.equal(before)


def test_a_resumed_optimiser_goes_on_as_one_that_was_not_stopped():
    whole = [torch.nn.Parameter(matrix(*shape, seed=9)) for shape in SHAPES]
    optimizer = Muon(whole, lr=0.1, weight_decay=0.1)
    stepped(optimizer, whole, 2)
    state = copy.deepcopy(optimizer.state_dict())
    resumed = [torch.nn.Parameter(parameter.detach().clone()) for parameter in whole]
    again = Muon(resumed, lr=0.1, weight_decay=0.1)
    again.load_state_dict(state)
    for taking, parameters in ((optimizer, whole), (again, resumed)):
        stepped(taking, parameters, 2, first=2)
    assert all(one.equal(other) for one, other in zip(whole, resumed, strict=True))
    assert {key for held in optimizer.state.values() for key in held} == {"momentum_buffer"}
