"""The shipped base: found, checked against the world, and loaded like any other folder."""

import json
import shutil

import pytest

from suffice.common.errors import UserError
from suffice.lab.base import SHIPPED, locate
from suffice.lab.world import build_world


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
        f"{build_world().hash}; build a base for this world with: suffice lab build --out DIR"
    )


def record_of(folder, **more):
    folder.mkdir(exist_ok=True)
    (folder / "lab.json").write_text(json.dumps({"world": build_world().hash} | more))


def test_a_stage_is_a_folder_in_the_base_and_the_last_is_the_base_itself(tmp_path):
    record_of(tmp_path, stages={"25": 6, "50": 12})
    record_of(tmp_path / "50", stage=50)
    assert locate(tmp_path, revision="50") == locate(tmp_path / "50") == tmp_path / "50"
    assert locate(tmp_path, revision="100") == locate(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["60", "", "../50"])
def test_an_unknown_stage_is_refused_with_those_there_are(tmp_path, name):
    record_of(tmp_path, stages={"25": 6, "50": 12, "75": 18})
    with pytest.raises(UserError) as caught:
        locate(tmp_path, revision=name)
    assert str(caught.value) == (
        f"the lab base in {tmp_path} has no stage '{name}'; give one of: 25, 50, 75, 100 (percent of its training)"
    )


def test_a_stage_of_another_world_is_refused(tmp_path):
    record_of(tmp_path, stages={"50": 12})
    record_of(tmp_path / "50", world="0123456789abcdef")
    with pytest.raises(UserError, match="learned world 0123456789abcdef"):
        locate(tmp_path, revision="50")


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
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) <= 12_000_000
    assert not {path.suffix for path in SHIPPED.rglob("*")} & {".bin", ".pt", ".pkl", ".py"}


def test_the_shipped_base_is_loaded_by_its_name():
    import torch

    from suffice.models import load_model

    model = load_model("lab", device="cpu")
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
    assert sum(parameter.numel() for parameter in model.network.parameters()) == 1_201_536
    assert model.window == 512


def loss_on(texts, name):
    """The mean loss of a model on pretraining text in nats a token."""
    import torch

    from suffice.models import load_model

    model = load_model(name, device="cpu")
    rows = [model.tokenizer(f"<|doc|>{text}", add_special_tokens=False)["input_ids"] for text in texts]
    with torch.no_grad():
        losses = [
            float(model.network(input_ids=ids, labels=ids).loss) for ids in map(torch.tensor, zip(rows))
        ]
    return sum(losses) / len(losses)


def test_the_shipped_base_learned_the_pretraining_text_step_by_step(texts):
    """Its loss on the text is far below that of an untrained network (7.3 nats a token), and fell all the way."""
    losses = [loss_on(texts[-32:], f"lab@{share}") for share in (25, 50, 75, 100)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == loss_on(texts[-32:], "lab") < 1.5


def test_the_shipped_tokenizer_is_the_one_that_the_corpus_gives(world):
    from suffice.lab.corpus import sample_texts
    from suffice.lab.tokenizer import train_tokenizer

    made = json.loads(train_tokenizer(sample_texts(world)).to_str())
    shipped = json.loads((SHIPPED / "tokenizer.json").read_text())
    assert made["model"] == shipped["model"]
    assert made["pre_tokenizer"] == shipped["pre_tokenizer"]
