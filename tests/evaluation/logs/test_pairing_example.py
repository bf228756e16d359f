"""The example where pairing decides is what its page says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from suffice.evaluation.logs.align import align
from suffice.evaluation.logs.arms import load_arms

FOLDER = Path(__file__).parents[3] / "examples/pairing"


def test_the_unpaired_test_misses_what_the_paired_one_finds():
    (found,) = align(load_arms([str(FOLDER / "a.csv"), str(FOLDER / "b.csv")]))
    a, b = found.arms["a"][0], found.arms["b"][0]
    assert (len(found.items), a.sum(), b.sum()) == (220, 122, 140)
    z = (b.mean() - a.mean()) / np.sqrt((a.var() + b.var()) / 220)
    only_a, only_b = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    assert (only_a, only_b) == (12, 30)
    assert 2 * norm.sf(z) == pytest.approx(0.079, abs=5e-4)
    assert binomtest(only_a, 42, 0.5).pvalue == pytest.approx(0.008, abs=5e-4)


def test_the_script_makes_the_files_and_prints_the_numbers(tmp_path):
    done = subprocess.run(
        [sys.executable, FOLDER / "make.py", tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "a 122 right, b 140 right, of 220\nunpaired z test: p = 0.079\nMcNemar's exact test: p = 0.008\n"
    )
    for name in ("a.csv", "b.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
