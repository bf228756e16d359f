"""Clusters and the rows that stay, against a union-find and the rule spelt out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suffice.data.twins.clusters import cluster
from suffice.data.twins.pairs import KINDS, Pairs


def made(rows):
    """Pairs from (first, second, similarity, kind)."""
    parts = [
        Pairs.of(kind, np.array([one]), np.array([other]), np.array([similarity], np.float32))
        for one, other, similarity, kind in rows
    ]
    return Pairs.joined(parts)


def union_find(edges):
    parent = {row: row for edge in edges for row in edge}

    def head(row):
        while parent[row] != row:
            row = parent[row]
        return row

    for one, other in edges:
        parent[max(head(one), head(other))] = min(head(one), head(other))
    return {row: head(row) for row in parent}


GRAPHS = st.dictionaries(
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted).map(tuple).filter(lambda p: p[0] < p[1]),
    st.sampled_from([0.6, 0.7, 0.8, 0.9]),
    max_size=25,
)


@given(GRAPHS, st.sampled_from([0.6, 0.7, 0.8, 0.9, 1.0]))
def test_clusters_and_survivors(graph, threshold):
    found = cluster(made([(*pair, close, "near") for pair, close in graph.items()]), threshold)
    edges = {pair: close for pair, close in graph.items() if close >= threshold}
    assert dict(zip(found.rows.tolist(), found.cluster.tolist(), strict=True)) == union_find(edges)
    stays, twin = set(), {}
    for row in sorted({row for edge in edges for row in edge}):
        close = [(-edges[other, row], other) for other in stays if (other, row) in edges]
        if close:
            twin[row] = min(close)
        else:
            stays.add(row)
    assert set(found.removed.tolist()) == set(twin)
    for row, kept, similarity in zip(found.rows, found.twin, found.similarity, strict=True):
        expected = twin.get(row, (-1.0, row))
        assert (np.float32(-expected[0]), expected[1]) == (similarity, kept)


def test_a_chain_keeps_rows_that_are_no_twins_of_each_other():
    found = cluster(made([(0, 1, 0.9, "near"), (1, 2, 0.85, "near"), (2, 3, 0.8, "near")]), 0.8)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.cluster.tolist() == [0, 0, 0, 0]
    assert found.twin.tolist() == [0, 0, 2, 2]
    assert found.removed.tolist() == [1, 3]


def test_what_says_the_same_as_a_removed_row_goes_with_it():
    rows = [(2, 5, 1.0, "exact"), (2, 7, 1.0, "same-words"), (7, 9, 1.0, "exact"), (0, 2, 0.9, "near")]
    found = cluster(made(rows), 0.8)
    assert found.rows.tolist() == [0, 2, 5, 7, 9]
    assert found.twin.tolist() == [0, 0, 0, 0, 0]
    np.testing.assert_array_equal(found.similarity, np.array([1, 0.9, 0.9, 0.9, 0.9], np.float32))
    alone = cluster(made(rows), 1.0)
    assert alone.rows.tolist() == [2, 5, 7, 9]
    assert alone.twin.tolist() == [2, 2, 2, 2]


def test_no_pairs_make_no_clusters():
    found = cluster(Pairs.none(), 0.8)
    assert len(found.rows) == len(found.removed) == 0
    assert KINDS == ("exact", "same-words", "near", "semantic")
