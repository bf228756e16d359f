"""Running the gates on a base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from suffice.common.errors import unknown_name
from suffice.common.progress import Reporter
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates import GATES
from suffice.lab.measure.reading import Reading
from suffice.scale.local import Workers


def measure(
    base: Path,
    folder: Path,
    reporter: Reporter,
    *,
    gates: Sequence[str] = (),
    quick: bool = False,
    workers: int = 2,
) -> Iterator[Reading]:
    """Yields the readings of gates as they are found.

    Args:
        base: The folder of the base.
        folder: Where the results of jobs are kept; a second call with the same folder goes on there.
        reporter: Where to report.
        gates: Names of gates, or ids of single conditions; all gates by default.
        quick: A smaller measure; see `Bench`.
        workers: Worker processes side by side.

    Raises:
        UserError: There is no such gate, or it has no such condition.
    """
    wanted = list(gates) or list(GATES)
    for name in wanted:
        if name.split(".")[0] not in GATES:
            raise unknown_name("gate", name, tuple(GATES))
    folder.mkdir(parents=True, exist_ok=True)
    with Workers(workers) as crew:
        bench = Bench(base, folder, crew, reporter, quick)
        for gate in dict.fromkeys(name.split(".")[0] for name in wanted):
            found = {reading.id: reading for reading in GATES[gate](bench)}
            for name in wanted:
                if name.startswith(f"{gate}.") and name not in found:
                    raise unknown_name("condition", name, found)
            yield from (reading for name, reading in found.items() if gate in wanted or name in wanted)
