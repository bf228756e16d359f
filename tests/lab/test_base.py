"""The shipped base: found, checked against the world, and loaded like any other folder."""

import json
import shutil

import pytest

from suffice.common.errors import UserError
from suffice.lab.base import SHIPPED, locate


def test_a_folder_without_a_base_is_refused(tmp_path):
    with pytest.raises(UserError) as caught:
        locate(tmp_path)
    assert str(caught.value) == f"no lab base in {tmp_path}; build one with: suffice lab build --out DIR"


def test_weights_of_another_world_are_refused(tmp_path):
    (tmp_path / "lab.json").write_text(json.dumps({"world": "0123456789abcdef"}))
    with pytest.raises(UserError) as caught:
        locate(tmp_path)
    assert str(caught.value) == (
        f"the lab base in {tmp_path} learned world 0123456789abcdef, but this version generates world "
        "7d8c9171f1981abf; build a base for this world with: suffice lab build --out DIR"
    )


def test_a_copy_with_another_world_is_refused_wherever_it_lies(tmp_path):
    from suffice.models.loading import model_fingerprint

    copy = tmp_path / "copy"
    shutil.copytree(SHIPPED, copy)
    assert model_fingerprint(copy) != ""
    record = json.loads((copy / "lab.json").read_text())
    (copy / "lab.json").write_text(json.dumps(record | {"world": "0123456789abcdef"}))
    with pytest.raises(UserError, match="learned world 0123456789abcdef"):
        model_fingerprint(copy)


def test_the_shipped_base_is_small_and_belongs_to_this_world():
    assert locate() == SHIPPED
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 12_000_000
    assert not {path.suffix for path in SHIPPED.iterdir()} & {".bin", ".pt", ".pkl", ".py"}


def test_the_shipped_base_is_loaded_by_its_name():
    import torch

    from suffice.models import load_model

    model = load_model("lab", device="cpu")
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
    assert sum(parameter.numel() for parameter in model.network.parameters()) == 1_201_536
    assert model.window == 512


def test_the_shipped_base_learned_the_pretraining_text(texts):
    """Its loss on the text is far below that of an untrained network (7.3 nats a token)."""
    import torch

    from suffice.models import load_model

    model = load_model("lab", device="cpu")
    rows = [model.tokenizer(f"<|doc|>{text}", add_special_tokens=False)["input_ids"] for text in texts[-32:]]
    with torch.no_grad():
        losses = [
            float(model.network(input_ids=ids, labels=ids).loss) for ids in map(torch.tensor, zip(rows))
        ]
    assert sum(losses) / len(losses) < 1.5


def test_the_shipped_tokenizer_is_the_one_that_the_corpus_gives(world):
    from suffice.lab.corpus import sample_texts
    from suffice.lab.tokenizer import train_tokenizer

    made = json.loads(train_tokenizer(sample_texts(world)).to_str())
    shipped = json.loads((SHIPPED / "tokenizer.json").read_text())
    assert made["model"] == shipped["model"]
    assert made["pre_tokenizer"] == shipped["pre_tokenizer"]
