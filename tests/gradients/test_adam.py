"""Γ by cases computed by hand."""

from __future__ import annotations

import pytest
import torch

from suffice.gradients.adam import Adam, Moments, update


def one(definition, g, m, v, step, **settings):
    moments = Moments(torch.tensor([m]), torch.tensor([v]), step)
    return float(update(torch.tensor([[g]]), moments, Adam(definition, **settings))[0, 0])


@pytest.mark.parametrize(
    ("g", "m", "v", "wanted"),
    [
        (1.0, 0.0, 0.0, 0.1 / (0.001 + 1e-8) ** 0.5),  # 3.16226: not 1, as with bias correction
        (-2.0, 0.0, 0.0, -0.2 / (0.004 + 1e-8) ** 0.5),
        (0.0, 0.5, 0.25, 0.45 / (0.24975 + 1e-8) ** 0.5),  # momentum alone moves it
        (1e-6, 0.0, 0.0, 1e-7 / (1e-15 + 1e-8) ** 0.5),  # 0.001: the floor is sqrt(ε), not ε
        (3.0, 1.0, 4.0, 1.2 / (3.996 + 0.009 + 1e-8) ** 0.5),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_as_less_defines_it(g, m, v, wanted):
    for step in (0, 1, 1000):  # no bias correction, so the number of steps is all the same
        assert one("less", g, m, v, step) == pytest.approx(wanted, rel=1e-5)


def test_where_epsilon_stands_is_told_apart():
    """ε inside the root: 3.1622618, and a denominator of 1.0488e-4 at v' = 1e-9; outside 3.1622767 and 3.163e-5."""

    def exactly(g, m, v):
        moments = Moments(*(torch.tensor([x], dtype=torch.float64) for x in (m, v)), 0)
        return float(update(torch.tensor([[g]], dtype=torch.float64), moments, Adam())[0, 0])

    assert exactly(1.0, 0.0, 0.0) == pytest.approx(3.1622618, abs=5e-8)
    assert 0.9 / exactly(0.0, 1.0, 1e-9 / 0.999) == pytest.approx(1.0488e-4, rel=1e-4)


@pytest.mark.parametrize(
    ("g", "m", "v", "step", "wanted"),
    [
        (1.0, 0.0, 0.0, 0, 1 / (1 + 1e-8)),
        (-2.0, 0.0, 0.0, 0, -1.0),
        (1.0, 0.1, 0.001, 1, (0.19 / 0.19) / ((0.001999 / 0.001999) ** 0.5 + 1e-8)),
        (1e-6, 0.0, 0.0, 0, 1e-6 / (1e-6 + 1e-8)),  # 0.99: its floor is ε
    ],
)
def test_as_torch_defines_it(g, m, v, step, wanted):
    assert one("torch", g, m, v, step) == pytest.approx(wanted, rel=1e-4)


def test_the_torch_definition_is_what_torch_does():
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(4, 3, generator=generator))
    optimiser = torch.optim.Adam([weight], lr=1e-3)
    for _ in range(5):
        weight.grad = torch.randn(4, 3, generator=generator)
        optimiser.step()
    state = optimiser.state[weight]
    moments = Moments(state["exp_avg"].clone(), state["exp_avg_sq"].clone(), int(state["step"]))
    gradient, before = torch.randn(4, 3, generator=generator), weight.detach().clone()
    weight.grad = gradient
    optimiser.step()
    wanted = (before - weight.detach()) / 1e-3
    torch.testing.assert_close(
        update(gradient[None], moments, Adam("torch"))[0], wanted, atol=2e-3, rtol=2e-3
    )


def test_rows_do_not_touch_each_other():
    generator = torch.Generator().manual_seed(1)
    moments = Moments(torch.randn(5, generator=generator), torch.rand(5, generator=generator), 3)
    rows = torch.randn(4, 5, generator=generator)
    for adam in (Adam(), Adam("torch", (0.8, 0.99), 1e-6)):
        alone = torch.cat([update(row[None], moments, adam) for row in rows])
        torch.testing.assert_close(update(rows, moments, adam), alone)
