from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from suffice.common.draws import Draws, stream_key
from suffice.gradients import projection
from suffice.gradients.projection import Dense, Sketch, bits, multiplier, side, signs

PINNED = ["a79119b6e18efdf4", "3c741594925f1e2c"]


def test_the_draws_are_those_of_the_project():
    drawn = Draws(7, "a stream", 3)
    wanted = [drawn.bits() for _ in range(50)]
    assert [word % 2**64 for word in bits(stream_key(7, "a stream", 3), 0, 50).tolist()] == wanted


def test_any_part_of_a_stream_is_the_same_as_in_the_whole():
    key = stream_key(0, "x")
    whole = signs(key, 0, 1000)
    assert set(whole.tolist()) == {-1, 1}
    for start, stop in ((0, 1), (63, 65), (64, 128), (1, 1000), (999, 1000), (500, 500)):
        assert torch.equal(signs(key, start, stop), whole[start:stop])


def test_the_signs_are_even_and_do_not_follow_each_other():
    drawn = signs(stream_key(0, "y"), 0, 2**18).double()
    assert abs(drawn.mean()) < 4 / 2**9
    for lag in (1, 2, 63, 64, 65, 128):
        assert abs((drawn[lag:] * drawn[:-lag]).mean()) < 5 / 2**9


@pytest.mark.parametrize("block", [2**24, 64 * 7, 1])
def test_a_dense_matrix_is_the_same_in_blocks_of_any_size(block, monkeypatch):
    values = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    whole = values @ Dense(64, 5).matrix("w", 0, 50).T
    assert set((Dense(64, 5).matrix("w", 0, 50) * 8).unique().tolist()) == {-1.0, 1.0}
    monkeypatch.setattr(projection, "_BLOCK", block)
    features = torch.zeros(3, 64)
    Dense(64, 5).add(features, "w", values)
    torch.testing.assert_close(features, whole)
    parts = [Dense(64, 5).matrix("w", i, i + 1) for i in range(50)]
    assert torch.equal(torch.cat(parts, dim=1), Dense(64, 5).matrix("w", 0, 50))


@pytest.mark.parametrize("numbers", [1, 15, 16, 17, 40, 100])
def test_a_sketch_by_its_definition(numbers):
    """Bucket (place in the piece + shift of the piece) mod size, and a sign, for each number."""
    size, seed = 16, 3
    flips = signs(stream_key(seed, "sketch signs", "w"), 0, numbers)
    draws = Draws(seed, "sketch shifts", "w")
    shifts = [draws.below(size) for _ in range(-(-numbers // size))]
    wanted = torch.zeros(size, numbers)
    for i in range(numbers):
        wanted[(i % size + shifts[i // size]) % size, i] = flips[i]
    assert torch.equal(Sketch(size, seed).matrix("w", numbers), wanted)


@pytest.mark.parametrize("kind", [Dense, Sketch])
def test_inner_products_are_kept_on_average_and_vary_no_more_than_stated(kind):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(2, 300, generator=generator)
    y = 0.5 * x + y
    x, y = x / x.norm(), y / y.norm()
    found = []
    for seed in range(400):
        features = torch.zeros(2, 64)
        projected = kind(64, seed)
        for block in ("a", "b", "c"):
            part = slice(*{"a": (0, 100), "b": (100, 180), "c": (180, 300)}[block])
            projected.add(features, block, torch.stack([x, y])[:, part])
        found.append(float(features[0] @ features[1]))
    assert abs(np.mean(found) - float(x @ y)) < 4 * np.std(found) / 20
    assert np.var(found) < 2 / 64 * 1.3


def test_blocks_do_not_depend_on_each_other():
    values = torch.randn(2, 30, generator=torch.Generator().manual_seed(2))
    for kind in (Dense, Sketch):
        used, fresh = kind(16, 0), kind(16, 0)
        used.add(torch.zeros(2, 16), "other", torch.ones(2, 99))
        a, b = torch.zeros(2, 16), torch.zeros(2, 16)
        used.add(a, "w", values)
        fresh.add(b, "w", values)
        assert torch.equal(a, b)
        third = torch.zeros(2, 16)
        kind(16, 1).add(third, "w", values)
        assert not torch.equal(a, third)


def test_a_side_is_left_as_it_is_where_it_would_not_get_smaller():
    assert side("in", 16, 16, 0) is None
    matrix = side("in", 41, 16, 0)
    assert matrix is not None
    assert torch.equal(matrix, Sketch(16, 0).matrix("side in", 41))
    assert not torch.equal(matrix, side("in", 41, 16, 1))
    assert not torch.equal(matrix, side("out", 41, 16, 0))


@pytest.mark.parametrize("numbers", [17, 32, 41, 100])
@pytest.mark.parametrize("change", ["none", "scaled", "turned", "doubled", "emptied", "mixed"])
def test_a_side_multiplies_as_its_matrix_does_whatever_was_folded_into_it(numbers, change):
    generator = torch.Generator().manual_seed(0)
    matrix, factor = side("in", numbers, 16, 0), torch.randn(numbers, numbers, generator=generator)
    matrix = {
        "none": lambda: matrix,
        "scaled": lambda: matrix * factor[0],
        "turned": lambda: matrix.flip(0).roll(1, 1),
        "doubled": lambda: matrix + matrix.roll(1, 0),
        "emptied": lambda: matrix * (torch.arange(numbers) != 5),
        "mixed": lambda: matrix @ factor,
    }[change]()
    values = torch.randn(3, 5, numbers, generator=generator)
    torch.testing.assert_close(multiplier(matrix)(values), values @ matrix.T, rtol=1e-5, atol=1e-5)


def test_a_sketch_of_a_side_is_a_sum_of_pieces_and_no_product(monkeypatch):
    matrix = side("in", 100, 16, 0) * torch.arange(1, 101)
    multiply, values = multiplier(matrix), torch.ones(2, 100)
    monkeypatch.setattr(torch.Tensor, "__matmul__", None)
    assert torch.equal(multiply(values), matrix.sum(dim=1).expand(2, 16))


def test_the_matrices_are_these_on_every_machine():
    """Pinned, so that a store made elsewhere, or by another version, is known to have the same projection."""
    made = Dense(64, 5).matrix("w", 0, 300), Sketch(64, 5).matrix("w", 300)
    signs_alone = [(matrix.sign().to(torch.int8) + 1).numpy().tobytes() for matrix in made]
    assert [hashlib.sha256(found).hexdigest()[:16] for found in signs_alone] == PINNED


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_draws_the_same_bits():
    key = stream_key(0, "gpu")
    assert torch.equal(bits(key, 5, 10_000, "cuda").cpu(), bits(key, 5, 10_000))
    assert torch.equal(signs(key, 5, 10_000, "cuda").cpu(), signs(key, 5, 10_000))
    assert torch.equal(Dense(64, 0).matrix("w", 3, 99, "cuda").cpu(), Dense(64, 0).matrix("w", 3, 99))
    sketched = torch.zeros(300, 64, device="cuda")
    Sketch(64, 0).add(sketched, "w", torch.eye(300, device="cuda"))
    assert torch.equal(sketched.T.cpu(), Sketch(64, 0).matrix("w", 300))
    matrices = side("in", 300, 64, 0, "cuda"), side("in", 300, 64, 0)
    assert matrices[0] is not None
    assert torch.equal(matrices[0].cpu(), matrices[1])
