from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from suffice.common.errors import UserError
from suffice.common.files import write_json
from suffice.gradients.codes import KINDS, Queries, code_norms, decode, encode
from suffice.gradients.rows import Reason
from suffice.gradients.store import Store

SETTINGS = {"model": "m", "seed": 0, "size": 64, "bits": "int8"}
IDS = [f"row-{i}" for i in range(40)]


@pytest.fixture
def features():
    return (
        torch.randn(40, 64, generator=torch.Generator().manual_seed(0)) * torch.logspace(-8, 8, 40)[:, None]
    )


@pytest.fixture
def queries():
    return torch.randn(5, 64, generator=torch.Generator().manual_seed(1)) * 1e-6


def brute_force(rows, queries):
    """Cosines in float64, one pair at a time."""
    found = np.empty((len(rows), len(queries)))
    for i, row in enumerate(rows.astype(np.float64)):
        for j, query in enumerate(queries.astype(np.float64)):
            found[i, j] = row @ query / np.sqrt((row @ row) * (query @ query))
    return found


def met(queries, codes, bits):
    return queries.cosines(codes, code_norms(codes, bits), bits)


@pytest.mark.parametrize("vnni", [True, False])
@pytest.mark.parametrize("bits", KINDS)
@pytest.mark.parametrize("rows", [1, 16, 17, 40])
def test_cosines_of_codes_are_those_of_a_brute_force(bits, rows, vnni, features, queries, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: vnni)
    codes = encode(features[:rows], bits)
    rounded = queries.numpy() if bits == "fp16" else encode(queries, "int8")
    wanted = brute_force(decode(codes, bits), rounded)
    np.testing.assert_allclose(met(Queries(queries), codes, bits), wanted, atol=1e-6)


@pytest.mark.parametrize("bits", ["int8", "1bit"])
def test_both_ways_to_multiply_give_the_same_bits(bits, monkeypatch):
    generator = torch.Generator().manual_seed(4)
    rows, queries = torch.randn(50, 7168, generator=generator), torch.ones(3, 7168)
    rows[0] = 1  # the largest sums
    found = []
    for vnni in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda vnni=vnni: vnni)
        found.append(met(Queries(queries), encode(rows, bits), bits))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(("bits", "error"), [("fp16", 1e-3), ("int8", 0.02), ("1bit", 0.45)])
def test_codes_keep_the_cosines(bits, error, features, queries):
    found = met(Queries(queries), encode(features, bits), bits)
    assert np.abs(found - brute_force(features.numpy(), queries.numpy())).max() < error


def test_codes_by_hand():
    row = torch.tensor([[0.5, -1.0, 0.25, 0.0, 1e-9, -1e-9, 0.004, 0.0039]])
    assert encode(row, "int8").tolist() == [[64, -127, 32, 0, 0, 0, 1, 0]]
    assert encode(row, "1bit").tolist() == [[0b10111011]]
    assert encode(2 * row, "fp16").tolist() == row.half().tolist()
    assert decode(encode(row, "1bit"), "1bit").tolist() == [[1, -1, 1, 1, 1, -1, 1, 1]]


def test_the_bytes_of_a_row():
    row = torch.ones(1, 7168)
    assert [encode(row, bits).nbytes for bits in ("fp16", "int8", "1bit")] == [14336, 7168, 896]


def test_the_largest_products_do_not_overflow():
    row = torch.ones(1, 7168)
    for bits in KINDS:
        codes = encode(row, bits)
        assert met(Queries(row), codes, bits)[0, 0] == pytest.approx(1, abs=1e-5)
        assert met(Queries(-row), codes, bits)[0, 0] == pytest.approx(-1, abs=1e-5)


def test_a_row_without_features_has_no_cosine(tmp_path, features, queries):
    for bits in KINDS:
        store = Store(tmp_path, SETTINGS | {"bits": bits})
        features[3] = torch.nan
        reasons = [Reason.LONG if i == 3 else Reason.NONE for i in range(40)]
        store.write(IDS, features, reasons)
        ((cosines, why),) = store.cosines([IDS], Queries(queries))
        assert np.isnan(cosines).all(axis=1).nonzero()[0].tolist() == [3]
        assert why[3] == Reason.LONG


def test_a_store_of_another_seed_is_another_folder(tmp_path, features):
    store, other = Store(tmp_path, SETTINGS), Store(tmp_path, SETTINGS | {"seed": 1})
    store.write(IDS, features, [Reason.NONE] * 40)
    assert store.folder != other.folder
    assert store.has(IDS)
    assert not other.has(IDS)


def test_features_of_other_settings_under_this_name_are_refused_with_what_differs(tmp_path):
    store = Store(tmp_path, SETTINGS)
    write_json(store.folder / "settings.json", SETTINGS | {"seed": 1, "model": "other"})
    with pytest.raises(UserError) as caught:
        Store(tmp_path, SETTINGS)
    assert str(caught.value) == (
        f'the features in {store.folder} were made with model "other" instead of "m", seed 1 instead of 0, and cannot '
        "be compared; score anew, or with the settings they were made with"
    )


@pytest.mark.parametrize("text", ["", "[]", "3", "{"])
def test_settings_that_cannot_be_read_are_refused(tmp_path, text):
    store = Store(tmp_path, SETTINGS)
    (store.folder / "settings.json").write_text(text)
    with pytest.raises(UserError, match=r"does not say what the features beside it are; remove the folder"):
        Store(tmp_path, SETTINGS)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text", "header", "other arrays", "no checksum"])
def test_a_damaged_shard_is_noticed_and_made_anew(tmp_path, features, harm):
    store = Store(tmp_path, SETTINGS)
    store.write(IDS, features, [Reason.NONE] * 40)
    path = store.path(IDS)
    whole = bytearray(path.read_bytes())
    if harm == "flip":
        whole[len(whole) // 2] ^= 1
    arrays = {name: np.zeros(40, np.uint8) for name in ("codes", "norms", "reasons")}
    damaged = {
        "cut": whole[:900],
        "flip": whole,
        "empty": b"",
        "text": b"no features",
        "header": b"\xff" * 16,
        "other arrays": save({"codes": arrays["codes"]}, {"checksum": "0"}),
        "no checksum": save(arrays),
    }
    path.write_bytes(damaged[harm])
    with pytest.raises(UserError) as caught:
        store.read(IDS)
    assert str(caught.value) == f"the features in {path} are damaged; remove the file and run again"
    assert not store.has(IDS)
    assert not path.exists()


def test_a_shard_of_other_rows_is_not_taken(tmp_path, features):
    store = Store(tmp_path, SETTINGS)
    store.write(IDS, features, [Reason.NONE] * 40)
    assert not store.has(IDS[:39])
    store.path(IDS).rename(store.path(IDS[:39]))
    assert not store.has(IDS[:39])


def test_an_unknown_kind_is_refused(features):
    with pytest.raises(UserError, match=r"unknown kind of store 'int4'; did you mean 'int8'"):
        encode(features, "int4")
