"""What a scorer is given and what it returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.common.files import atomic_path
from suffice.common.progress import Reporter, Silent
from suffice.scorers.vectors import blocks, read_vectors, write_vectors

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.target import Target
    from suffice.models.loading import LanguageModel


@dataclass(frozen=True)
class Scores:
    """The scores of a pool's rows, in pool order. Higher is better; NaN means that the row has none.

    Attributes:
        ids: The ids of the rows.
        values: One score a row, float32 [rows].
        affinity: How close each row is to each dev example of the target, float32 [rows, queries]; `None`
            for a scorer that looks at no target. A row without a score is NaN throughout.
        queries: The ids of the dev examples, one for each column of ``affinity``.
        notes: What there is to tell about the scoring, such as how many rows were cut.
        vectors: One vector a row, float32 [rows, width]; `None` for a scorer that makes none. A row without a
            vector is NaN throughout.
    """

    ids: list[str]
    values: NDArray[np.float32]
    affinity: NDArray[np.float32] | None = None
    queries: list[str] = field(default_factory=list)
    notes: dict[str, int | float | str] = field(default_factory=dict)
    vectors: NDArray[np.float32] | None = None

    @property
    def missing(self) -> int:
        """How many rows have no score."""
        return int(np.isnan(self.values).sum())

    def write(self, path: Path) -> None:
        """Writes the scores as a Parquet table with the columns ``id``, ``value`` and ``affinity``.

        A missing score is null; ``queries`` and ``notes`` stand in the table's metadata. Vectors go to a file of
        the same name that ends in ``.npy``.
        """
        columns = {"id": pa.array(self.ids), "value": pa.array(self.values, mask=np.isnan(self.values))}
        if self.affinity is not None:
            flat = pa.array(np.ascontiguousarray(self.affinity).ravel())
            columns["affinity"] = pa.FixedSizeListArray.from_arrays(flat, len(self.queries))
        about = {"queries": json.dumps(self.queries), "notes": json.dumps(self.notes)}
        beside = path.with_suffix(".npy")
        if self.vectors is None:
            beside.unlink(missing_ok=True)
        else:
            write_vectors(beside, len(self.ids), blocks(self.vectors))
            about["width"] = str(self.vectors.shape[1])
        with atomic_path(path) as temporary:
            pq.write_table(pa.table(columns).replace_schema_metadata(about), temporary, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> Scores:
        """Reads what `write` wrote.

        Raises:
            UserError: The file is no table of scores, or the vectors that belong to it are not there.
        """
        try:
            table = pq.read_table(path)
            about = table.schema.metadata or {}
            queries, notes = json.loads(about[b"queries"]), json.loads(about[b"notes"])
            values = table["value"].to_numpy().astype(np.float32)
            ids = table["id"].to_pylist()
            vectors = None
            if b"width" in about:
                vectors = read_vectors(path.with_suffix(".npy"))
                if vectors.shape != (len(ids), int(about[b"width"])):
                    raise ValueError(f"the vectors of {path.with_suffix('.npy').name} are of other rows")
        except (pa.ArrowInvalid, KeyError, OSError, ValueError) as error:
            raise UserError(
                f"{path} holds no scores: {error}", "remove it and run suffice score again"
            ) from error
        affinity = None
        if "affinity" in table.column_names:
            flat = table["affinity"].combine_chunks().flatten().to_numpy()
            affinity = flat.reshape(len(ids), len(queries))
        return cls(ids, values, affinity, queries, notes, vectors)


@dataclass(frozen=True)
class ScoringContext:
    """What a scorer may use beside the pool.

    Attributes:
        folder: Where finished parts are kept, so that a killed run continues.
        model: The model, where one is given.
        target: The target, of which a scorer may look at the dev examples alone.
        reporter: Where progress is told.
        seed: The seed of the run.
        workers: How many processes may work side by side.
    """

    folder: Path
    model: LanguageModel | None = None
    target: Target | None = None
    reporter: Reporter = field(default_factory=Silent)
    seed: int = 0
    workers: int = 1


class Scorer(Protocol):
    """Gives each row of a pool a score.

    Attributes:
        name: The name it is registered under.
        paper: Where it comes from.
        cost: What it costs, in words.
        default_selector: The selector that suits its scores.
        makes: What its scores hold: ``scores``, ``affinities`` (to each dev example), ``vectors``. A scorer that does
            not say may hold any; one that makes more for a target names it in ``makes_for_target``.
        needs_model: Whether it cannot work without a model.
        needs_target: Whether it cannot work without a target.

    A scorer with options has a frozen dataclass of them as its attribute ``Settings``, every field with a default and
    an entry in the docstring, and takes one as its only argument; see `suffice.common.options`.
    """

    name: str
    paper: str
    cost: str
    default_selector: str
    makes: tuple[str, ...]
    needs_model: bool
    needs_target: bool

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        Raises:
            UserError: What it needs is not in ``context``.
        """
