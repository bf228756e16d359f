"""The coverage study: what it simulates, how it counts, and that it runs."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from suffice.proof.intervals import Interval

SCRIPT = Path(__file__).parents[2] / "validation" / "coverage.py"


@pytest.fixture(scope="module")
def study():
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("validation_coverage", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(SCRIPT.parent))
    for name in (spec.name, "families", "tables"):
        del sys.modules[name]


@pytest.mark.parametrize("kind", ["graded", "right or wrong"])
@pytest.mark.parametrize("difference", [0, -20, 20])
def test_the_true_difference_is_as_given(study, kind, difference):
    # Items dominate: a study's difference has a standard deviation of at most 6 points.
    rng = np.random.default_rng(0)
    cell = study.Cell(kind, "items", 3)
    found = [a.mean() - b.mean() for a, b in (study.simulate(cell, difference, rng) for _ in range(2000))]
    assert np.std(found) < 6
    assert np.mean(found) == pytest.approx(difference, abs=3 * 6 / 2000**0.5)


def test_spreads_are_as_given(study):
    cell = study.Cell("graded", "runs", 10)
    rng = np.random.default_rng(0)
    runs = [arm.mean(axis=1).var(ddof=1) for _ in range(300) for arm in study.simulate(cell, 0, rng)]
    assert np.mean(runs) == pytest.approx(16 + 1 / 100, rel=0.1)


@pytest.mark.parametrize(
    ("difference", "wide", "narrow", "calls"),
    [
        (0, (1, 3), (1, 3), ["superior at 0"]),
        (0, (-1, 3), (0, 2), []),
        (-1, (-4, 1), (-3, 0), ["non-inferior at -margin", "equivalent at -margin"]),
        (-1, (-6, 1), (-4, 0), ["equivalent at -margin"]),
        (-1, (-9, -6), (-8, -7), ["inferior at -margin"]),
        (1, (-1, 6), (0, 4), ["equivalent at +margin"]),
        (1, (6, 9), (6, 8), []),
    ],
)
def test_wrong_calls_by_hand(study, difference, wide, narrow, calls):
    assert list(study.wrong_calls(difference, Interval(0, *wide), Interval(0, *narrow), 5)) == calls


def test_a_target_is_missed_beyond_so_many_standard_errors(study):
    # At 95 % of 1,900 studies the standard error is 0.5 points.
    assert not study.misses(0.9401, 0.95, 1, 1900, 2)
    assert study.misses(0.9399, 0.95, 1, 1900, 2)
    assert study.misses(0.9601, 0, 0.95, 1900, 2)
    assert study.percent(0.95, 1900, True) == "95.0 ± 0.5 *"


def test_items_alone_are_the_paired_t_interval_and_fail_where_runs_dominate(study):
    rng = np.random.default_rng(0)
    cell = study.Cell("graded", "runs", 3)
    pairs = [study.simulate(cell, 0, rng) for _ in range(60)]
    counts = study.rivals_covered(cell, pairs, 0, 200)
    held = [stats.ttest_rel(a.mean(axis=0), b.mean(axis=0)).pvalue >= 0.05 for a, b in pairs]
    assert counts["items only, t"] == sum(held) < 20
    assert counts["items x runs, percentile"] <= counts["the same, stretched"]


def test_the_quick_study_prints_its_tables():
    run = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, check=True)
    rows = re.findall(r"^\| (?:graded|right or wrong) \|.*\|$", run.stdout, flags=re.MULTILINE)
    assert len(rows) == 36
    assert re.findall(r"^## .*$", run.stdout, flags=re.MULTILINE) == [
        "## Coverage of 95 % intervals, in %",
        "## Wrong calls at the edge of their null, in %",
        "## Wrong claims of families and against yardsticks, in %",
    ]
