"""Families of claims and picked yardsticks in the coverage study: what is simulated, and how it is judged."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "validation"


@pytest.fixture(scope="module")
def families():
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("validation_families", FOLDER / "families.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))
    del sys.modules[spec.name], sys.modules["tables"]


@pytest.mark.parametrize("binary", [False, True])
def test_the_true_differences_are_as_given(families, binary):
    rng = np.random.default_rng(0)
    true = np.array([0.0, -20, 20])
    studies = [[arm.mean() for arm in families.scores(true, rng, binary=binary)] for _ in range(800)]
    found = np.mean(studies, axis=0)
    assert np.diff(found) == pytest.approx(np.diff(true), abs=0.7)
    assert found[0] == pytest.approx(50, abs=0.7)


def test_a_wrong_claim_is_counted_where_it_is_made(families):
    far = np.full(families.ARMS, 45.0)
    rng = np.random.default_rng(1)
    assert families.family({"superior"}, far, 0, binary=False)(rng)
    assert not families.family({"inferior"}, far, 0, binary=False)(rng)
    only_last = np.array([0, 0, 0, 0, 45.0])
    assert not families.family({"superior"}, only_last, 0, binary=True, nulls=4)(rng)


def test_every_cell_has_a_name_of_its_own_and_only_the_known_exception_promises_nothing(families):
    names = [cell.name for cell in families.CELLS]
    assert len(set(names)) == len(names) == 16
    free = [cell.name for cell in families.CELLS if cell.level is None]
    assert free == ["`not sufficient` at -margin, best of four as yardstick"]


def test_a_star_marks_what_is_above_its_promise(families):
    count = len(families.CELLS)
    rates = [0.5] * count
    told = families.rates_table(rates, 1000).splitlines()
    rows = [line for line in told if "50.0 ± 1.6" in line]
    assert len(rows) == count
    assert sum("*" in row for row in rows) == count - 1
    assert not families.met(rates, 1000)
    assert families.met([0.0] * count, 1000)
