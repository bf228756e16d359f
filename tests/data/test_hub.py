"""Data sets of the hub, with the hub played by functions of this file: which files are asked for, and what they are called."""

import types

import pytest

from suffice.common.errors import UserError
from suffice.data import paths
from suffice.data.hub import fetch
from suffice.data.paths import shown_path
from suffice.data.pool import read_pool

datasets = pytest.importorskip("datasets")
huggingface_hub = pytest.importorskip("huggingface_hub")
ROW = '{"question": "q", "answer": "a"}\n'


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A cache with the snapshot ``c0ffee`` of the data set ``owner/name``."""
    folder = tmp_path / "datasets--owner--name" / "snapshots" / "c0ffee"
    for name in ("data/train-0.jsonl", "data/train-1.jsonl", "data/test.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(ROW)
    urls = [f"hf://datasets/owner/name@c0ffee/data/train-{i}.jsonl" for i in range(2)]
    splits = {"train": urls, "test": ["hf://datasets/owner/name@c0ffee/data/test.jsonl"]}
    asked = []

    def builder(repo, revision=None):
        asked.append((repo, revision))
        return types.SimpleNamespace(config=types.SimpleNamespace(data_files=splits))

    def download(repo, file, repo_type, revision):
        assert (repo, repo_type, revision) == ("owner/name", "dataset", "c0ffee")
        return str(folder / file)

    def snapshot(repo, repo_type, revision, allow_patterns):
        asked.append((repo, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(datasets, "load_dataset_builder", builder)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    return types.SimpleNamespace(folder=folder, asked=asked, splits=splits)


def names(found):
    return [path.name for path in found]


def test_the_files_of_a_split(hub):
    assert names(fetch("hf://owner/name")) == ["train-0.jsonl", "train-1.jsonl"]
    assert names(fetch("hf://datasets/owner/name@main:test")) == ["test.jsonl"]
    assert hub.asked == [("owner/name", None), ("owner/name", "main")]
    del hub.splits["train"]
    assert names(fetch("hf://owner/name")) == ["test.jsonl"]


def test_files_by_name(hub):
    assert names(fetch("hf://owner/name@v1/data/train-*.jsonl")) == ["train-0.jsonl", "train-1.jsonl"]
    assert hub.asked == [("owner/name", "v1", ["data/train-*.jsonl"])]


def test_rows_say_where_on_the_hub_they_are_from(hub):
    reading = read_pool(["hf://owner/name:test"])
    assert reading.pool[0].file == "hf://owner/name@c0ffee/data/test.jsonl"
    assert shown_path(hub.folder / "data/test.jsonl") == reading.files[0].path


def test_addresses_that_lead_nowhere(hub, monkeypatch):
    def error(address):
        with pytest.raises(UserError) as caught:
            paths.expand([address])
        return str(caught.value)

    form = "write hf://owner/name, and where need be @revision, /path/to/*.parquet or :split"
    assert error("hf://name") == f"'hf://name' is no address of a data set on the hub; {form}"
    assert error("hf://owner/name/no.jsonl") == f"no file of 'hf://owner/name/no.jsonl' has that name; {form}"
    assert error("hf://owner/name:dev") == (
        "the data set owner/name has no split 'dev'; give one of its splits, such as hf://owner/name:train"
    )

    def offline(*args, **kwargs):
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset_builder", offline)
    assert error("hf://owner/name") == (
        "'hf://owner/name' cannot be fetched: no network; check the name and the network, or give a file"
    )
