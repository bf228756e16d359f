"""Which rows a store has, whatever pool they were in.

Beside each shard lies ``NAME.ids.json``, the ids of its rows, written before the shard. So a pool that gained or
lost rows (longer files, another target whose test items are kept out, a prefilter) finds the rows that it shares
with what was computed before, and only the others are computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from suffice.common.files import read_json, write_json
from suffice.gradients.store import Store


def note_ids(store: Store, ids: Sequence[str]) -> None:
    """Writes down the ids of a shard that is about to be computed."""
    path = store.path(ids).with_suffix(".ids.json")
    if not path.exists():
        write_json(path, list(ids))


def known_shards(store: Store) -> list[list[str]]:
    """Returns the ids of the rows of each whole shard of a store, in an order that does not vary."""
    found = []
    for path in sorted(store.folder.glob("*.ids.json")):
        try:
            ids = [str(one) for one in read_json(path)]
        except (ValueError, TypeError):  # cut off or changed: its rows are computed again
            continue
        if store.path(ids).with_suffix(".ids.json") == path and store.has(ids):
            found.append(ids)
    return found


def lay_out(
    ids: Sequence[str], known: Sequence[Sequence[str]], size: int
) -> tuple[list[list[str]], list[list[str]]]:
    """Returns the shards that hold a pool's rows: those that are there, and those to be computed.

    Args:
        ids: The ids of the pool's rows.
        known: The ids of the shards that are there.
        size: The rows of a shard to be computed.
    """
    left = dict.fromkeys(ids)
    used = []
    for shard in known:
        if any(one in left for one in shard):
            used.append(list(shard))
            for one in shard:
                left.pop(one, None)
    missing = list(left)
    return used, [missing[start : start + size] for start in range(0, len(missing), size)]
