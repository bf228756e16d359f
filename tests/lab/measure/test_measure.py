"""`suffice lab measure` on the shipped base, in a process of its own."""

import json
import subprocess
import sys

from suffice.lab.families import FAMILIES


def measured(folder, *options):
    command = [sys.executable, "-m", "suffice", "lab", "measure", "--quick", "--out", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_one_gate_is_measured_told_and_kept(tmp_path):
    first = measured(tmp_path, "--gate", "zero-shot", "--json")
    assert first.returncode == 0, first.stderr
    gates = json.loads(first.stdout)["gates"]
    assert [gate["id"] for gate in gates] == [f"zero-shot.{name}" for name in ("all", *FAMILIES)]
    assert all(set(gate) == {"id", "target", "value", "low", "high", "seeds", "met"} for gate in gates)
    assert all(gate["met"] for gate in gates)
    assert "1 jobs, 0 kept from before" in first.stderr

    again = measured(tmp_path, "--gate", "zero-shot.all")
    assert again.returncode == 0, again.stderr
    assert "0 jobs, 1 kept from before" in again.stderr
    assert "zero-shot.all" in again.stdout
    assert "zero-shot.fact" not in again.stdout
    assert again.stdout.endswith("1 of 1 conditions are met.\n")


def test_an_unknown_gate_is_named_with_a_guess(tmp_path):
    done = measured(tmp_path, "--gate", "headrom")
    assert done.returncode == 2
    assert "unknown gate 'headrom'; did you mean 'headroom'?" in done.stderr
