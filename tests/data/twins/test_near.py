"""Near twins against all pairs by plain sets."""

import itertools
import random

import numpy as np
import pytest

from suffice.data import sets
from suffice.data.twins import near
from suffice.data.twins.clusters import cluster
from suffice.data.twins.near import NearTwins
from suffice.data.twins.pairs import KINDS, Pairs
from suffice.data.words import words


def shingles(text):
    found = words(text)
    if len(found) < near.RUN:
        return {tuple(found)} if found else set()
    return {tuple(found[at : at + near.RUN]) for at in range(len(found) - near.RUN + 1)}


def brute(texts, floor):
    """All pairs of similarity ``floor`` or more; rows of the same shingles are paired with their first alone."""
    sets = [shingles(text) for text in texts]
    heads = [sets.index(own) for own in sets]
    found = {}
    for one, other in itertools.combinations(range(len(sets)), 2):
        if not sets[one] or not sets[other]:
            continue
        if sets[one] == sets[other]:
            if heads[other] == one:
                found[one, other] = (1.0, "same-words")
        elif heads[one] == one and heads[other] == other:
            similarity = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
            if np.float32(similarity) >= floor:
                found[one, other] = (pytest.approx(similarity, abs=1e-6), "near")
    return found


def texts_with_twins(count, seed):
    """Texts of 1 to 40 words, a third of them changed copies of others."""
    rng = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(300)]
    texts = []
    for _ in range(count):
        if texts and rng.random() < 0.35:
            found = rng.choice(texts).split()
            for _ in range(rng.randint(0, 2)):
                found[rng.randrange(len(found))] = rng.choice(vocabulary)
            texts.append((" " if rng.random() < 0.8 else ", ").join(found).title())
        else:
            texts.append(" ".join(rng.choices(vocabulary, k=rng.randint(1, 40))))
    return [*texts, "", " ?! "]


def search(texts, **settings):
    twins = NearTwins(**settings)
    twins.add(range(len(texts)), texts)
    return twins.pairs()


def as_dict(pairs):
    columns = (pairs.first, pairs.second, pairs.similarity, pairs.kind)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    found = {(one, other): (similarity, KINDS[kind]) for one, other, similarity, kind in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_pairs_are_those_of_a_brute_force(seed):
    texts = texts_with_twins(300, seed)
    found, wanted = as_dict(search(texts, seed=seed)), brute(texts, np.float32(0.6))
    assert {pair: found[pair] for pair in found} == {pair: wanted.get(pair) for pair in found}
    certain = {
        pair for pair, (similarity, _) in wanted.items() if float(getattr(similarity, "expected", 1)) >= 0.8
    }
    assert len(certain) > 30
    assert certain <= set(found)
    assert len(found) >= 0.97 * len(wanted)


def test_rows_keep_their_own_numbers_and_batches_make_no_difference(monkeypatch):
    texts = texts_with_twins(200, 7)
    whole = search(texts)
    monkeypatch.setattr(near, "BATCH", 7)
    monkeypatch.setattr(sets, "_AT_ONCE", 50)
    twins = NearTwins()
    for at in range(0, len(texts), 30):
        rows = range(at, min(at + 30, len(texts)))
        twins.add([10 * row for row in rows], texts[at : at + 30])
    parts = twins.pairs()
    assert as_dict(parts) == {(10 * a, 10 * b): value for (a, b), value in as_dict(whole).items()}
    assert parts.second.tolist() == sorted(parts.second.tolist())


def test_the_seed_decides_the_signatures_alone():
    texts = texts_with_twins(200, 3)
    assert as_dict(search(texts, seed=1)) == as_dict(search(texts, seed=1))
    common = as_dict(search(texts, seed=1)).items() & as_dict(search(texts, seed=2)).items()
    assert len(common) > 20


def test_a_crowded_bucket_costs_no_more_than_its_neighbours():
    start = " ".join(f"w{i}" for i in range(60))
    texts = [f"{start} x{i} y{i}" for i in range(300)]
    twins = NearTwins()
    twins.add(range(len(texts)), texts)
    pairs = twins.pairs()
    assert twins.crowded
    assert len(texts) - 1 <= len(pairs) <= (near.CROWD + 1) * len(texts)
    assert cluster(pairs, 0.8).removed.tolist() == list(range(1, 300))  # all but the first


def test_nothing_gives_no_pairs():
    assert len(search([])) == len(search(["", "?"])) == len(search(["one text alone"])) == 0


def test_pairs_come_back_from_their_file(tmp_path):
    pairs = search(texts_with_twins(100, 1))
    pairs.write(tmp_path / "pairs.parquet", "a key")
    again = Pairs.read(tmp_path / "pairs.parquet", "a key")
    assert as_dict(again) == as_dict(pairs)
    assert Pairs.read(tmp_path / "pairs.parquet", "another") is None
    assert Pairs.read(tmp_path / "none.parquet", "a key") is None
    (tmp_path / "pairs.parquet").write_bytes(b"cut short")
    assert Pairs.read(tmp_path / "pairs.parquet", "a key") is None
