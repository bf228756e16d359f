"""Files read by all cores of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from suffice.common.progress import Reporter
from suffice.data.pool import ANY, PoolReading, read_pool
from suffice.data.terms import Terms
from suffice.scale.local import Workers, cores


def read_files(patterns: Sequence[str], reporter: Reporter, *, terms: Terms = ANY) -> PoolReading:
    """Reads files of training rows, large ones in worker processes; see `read_pool`.

    Raises:
        UserError: A file is missing, or no row can be used.
    """
    with Workers(cores()) as crew:
        return read_pool(patterns, terms=terms, reporter=reporter, spread=crew.stream)
