"""Featurising killed by ``kill -9`` in the middle of writing a shard goes on to the same store, byte for byte."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from made_data import make_pool
from suffice.gradients import featurise
from suffice.gradients.featurise import PoolFeatures, PoolSettings
from suffice.gradients.per_example import FeatureSettings

SETTINGS = PoolSettings(FeatureSettings(64, 8))
CHILD = """
import sys
from pathlib import Path

import safetensors.numpy

from made_data import make_pool
from suffice.gradients import featurise
from suffice.models import load_model
from test_killed import SETTINGS

save, saved = safetensors.numpy.save_file, []

def stops_in_the_third(arrays, path, metadata):
    saved.append(path)
    if len(saved) == 3:
        path.write_bytes(b"half a shard")
        print("ready", flush=True)
        sys.stdin.read()
    save(arrays, path, metadata)

safetensors.numpy.save_file = stops_in_the_third
featurise.SHARD_ROWS = 8
model = load_model(sys.argv[1], device="cpu")
featurise.PoolFeatures(make_pool(40), model, Path(sys.argv[2]), SETTINGS).compute(1, lambda rows: None)
"""


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_store_killed_in_the_middle_of_a_shard_is_finished_to_the_same_bytes(
    tiny_model, tiny_model_folder, tmp_path, monkeypatch
):
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, tiny_model_folder, tmp_path / "killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(places)},
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
    assert len(list((tmp_path / "killed").rglob("*.safetensors"))) == 2
    monkeypatch.setattr(featurise, "SHARD_ROWS", 8)
    done = []
    for name in ("killed", "whole"):
        computed = []
        features = PoolFeatures(make_pool(40), tiny_model, tmp_path / name, SETTINGS)
        done.append(sum(map(len, features.todo)))
        features.compute(1, computed.append)
        assert sum(computed) == 40
    assert done == [24, 40]
    killed, whole = stored(tmp_path / "killed"), stored(tmp_path / "whole")
    assert {name: killed[name] for name in whole} == whole
    assert all(".tmp" in name for name in set(killed) - set(whole))
