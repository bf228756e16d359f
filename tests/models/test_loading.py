from __future__ import annotations

import shutil

import pytest
import torch

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.models import load_model


@pytest.fixture
def folder(tiny_model_folder, tmp_path):
    return shutil.copytree(tiny_model_folder, tmp_path / "model")


def message(spec, **settings):
    with pytest.raises(UserError) as caught:
        load_model(spec, device="cpu", **settings)
    return str(caught.value)


def test_a_folder(tiny_model, tiny_model_folder):
    assert (tiny_model.window, tiny_model.device, tiny_model.name) == (256, "cpu", str(tiny_model_folder))
    assert not tiny_model.network.training
    assert tiny_model.source.load().fingerprint == tiny_model.fingerprint


@pytest.mark.parametrize("dtype", ["auto", "bfloat16"])
def test_a_cpu_always_computes_in_float32(folder, dtype):
    model = load_model(folder, device="cpu")
    model.network.to(torch.bfloat16).save_pretrained(folder)
    assert load_model(folder, device="cpu", dtype=dtype).network.dtype == torch.float32


def test_the_fingerprint_follows_weights_configuration_and_template(folder):
    before = load_model(folder, device="cpu").fingerprint
    assert load_model(folder, device="cpu").fingerprint == before
    (folder / "README.md").write_text("words do not count")
    assert load_model(folder, device="cpu").fingerprint == before
    other = load_model(folder, device="cpu", chat_template="{{ messages[0].content }}").fingerprint
    model = load_model(folder, device="cpu")
    with torch.no_grad():
        model.network.model.norm.weight[3] += 1
    model.network.save_pretrained(folder)
    found = {before, other, load_model(folder, device="cpu").fingerprint}
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }} {# as transformers 5 keeps it #}")
    assert len(found | {load_model(folder, device="cpu").fingerprint}) == 4


def test_of_large_weights_the_ends_count(folder, monkeypatch):
    monkeypatch.setattr("suffice.models.loading._WHOLE", 0)
    before = load_model(folder, device="cpu").fingerprint
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    assert load_model(folder, device="cpu").fingerprint != before


def test_no_configuration(folder):
    (folder / "config.json").unlink()
    assert message(folder) == (
        f"the model folder {folder} has no config.json; give a folder in the transformers format"
    )


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    assert message(folder) == (
        f"the model folder {folder} has no weights (*.safetensors); save the model with save_pretrained, which "
        "writes safetensors"
    )
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert message(folder) == (
        f"the model folder {folder} has only pickled weights, which can run code; save the model with "
        "save_pretrained, which writes safetensors"
    )


def test_no_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    assert message(folder).startswith(f"the model folder {folder} has no tokenizer (tokenizer.json, ")


def test_weights_that_lack_a_tensor_are_not_made_up(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert message(folder) == (
        f"the weights in {folder} lack 1 tensors that its config.json asks for, first model.norm.weight; fetch or "
        "save the folder again"
    )


def test_broken_weights_end_in_one_line(folder):
    (folder / "model.safetensors").write_bytes(b"not a tensor in sight")
    assert message(folder).startswith(f"the model in {folder} cannot be loaded: ")
    assert "\n" not in message(folder)


def test_an_unknown_name_and_a_missing_folder(tmp_path):
    assert message("labb").startswith(
        "no model 'labb': it is neither a folder nor a registered name nor a hub id; give a folder with config.json"
    )
    assert message(tmp_path / "none").startswith(f"no model '{tmp_path / 'none'}': it is neither a folder")


def test_a_registered_name(tiny_model_folder, monkeypatch):
    monkeypatch.setattr(registry, "names", lambda kind: ["organism"])
    monkeypatch.setattr(registry, "load", lambda kind, name: lambda: tiny_model_folder)
    model = load_model("organism", device="cpu")
    assert (model.name, model.source.spec) == ("organism", str(tiny_model_folder))


def test_what_follows_a_registered_name_is_its_revision(folder, tiny_model_folder, monkeypatch):
    monkeypatch.setattr(registry, "names", lambda kind: ["organism"])
    monkeypatch.setattr(registry, "load", lambda kind, name: lambda revision: folder / revision)
    shutil.copytree(tiny_model_folder, folder / "50")
    model = load_model("organism@50", device="cpu")
    assert (model.name, model.source.spec) == ("organism@50", str(folder / "50"))
    assert message("labb@50").startswith("no model 'labb@50': it is neither a folder nor a registered name")


def test_the_hub_out_of_reach(monkeypatch):
    import huggingface_hub

    def offline(*args, **settings):
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection\nand many more words")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    assert message("owner/name") == (
        "the model 'owner/name' is no folder here and cannot be fetched from the hub: no connection; check the "
        "name and the network, or give a folder"
    )


def test_unknown_settings(tiny_model_folder):
    assert message(tiny_model_folder, dtype="bfloat") == "unknown dtype 'bfloat'; did you mean 'bfloat16'?"
    with pytest.raises(UserError, match="unknown device 'gpu'"):
        load_model(tiny_model_folder, device="gpu")
    assert message(tiny_model_folder, chat_template="none.jinja") == (
        "the chat template 'none.jinja' cannot be read: No such file or directory; give a Jinja file or the "
        "template itself"
    )


def test_a_template_from_a_file(tiny_model_folder, tmp_path):
    path = tmp_path / "chat.jinja"
    path.write_text("{{ messages[0].content }}!")
    model = load_model(tiny_model_folder, device="cpu", chat_template=str(path))
    assert model.chat.render([{"role": "user", "content": "Hi"}]) == "Hi!"
