"""Which items of a target are dev and which are test, and that the two never meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.conversation import normalise
from suffice.data.example import Message

Split = Literal["dev", "test"]


@dataclass(slots=True)
class TargetRow:
    """A row of a target file, before every row has a cluster and a split.

    The fields that are not listed here are those of `suffice.data.target.TargetItem`.

    Attributes:
        file: The file.
        line: The line in it, from 1.
        split: `None` where the row has none.
        cluster: Empty where the row names none.
    """

    file: str
    line: int
    id: str
    messages: tuple[Message, ...]
    answer: str
    task: str
    split: Split | None
    cluster: str

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"{self.file}, line {self.line}"

    @property
    def prompt(self) -> str:
        """What is asked, for comparing."""
        return "\n".join(f"{turn['role']}: {normalise(turn['content'])}" for turn in self.messages)


def join_clusters(rows: list[TargetRow]) -> None:
    """Puts each row that names no cluster into one with the rows that ask the same."""
    clusters: dict[str, str] = {}
    for row in rows:
        if row.cluster:
            clusters.setdefault(row.prompt, row.cluster)
    for row in rows:
        row.cluster = row.cluster or clusters.setdefault(row.prompt, row.id)


def draw_dev(rows: list[TargetRow], seed: int) -> None:
    """Gives the rows without a split that of their cluster, which is drawn where no row of it has one."""
    split_of = {row.cluster: row.split for row in rows if row.split}
    families: dict[str, dict[str, None]] = {}
    for row in rows:
        families.setdefault(row.task, {})[row.cluster] = None
    for task, clusters in families.items():
        undecided = [cluster for cluster in clusters if cluster not in split_of]
        if undecided:
            dev = set(Draws(seed, "dev", task).sample(undecided, max(1, len(undecided) // 10)))
            split_of |= {cluster: "dev" if cluster in dev else "test" for cluster in undecided}
    for row in rows:
        row.split = row.split or split_of[row.cluster]


def check_overlap(rows: list[TargetRow]) -> None:
    """Checks that ids differ and that no dev row shares its id, prompt or cluster with a test row.

    Raises:
        UserError: Naming the first two rows that do.
    """
    for field, words in (
        ("id", "have the same id"),
        ("prompt", "ask the same"),
        ("cluster", "are of one cluster"),
    ):
        first: dict[str, TargetRow] = {}
        for row in rows:
            other = first.setdefault(getattr(row, field), row)
            if other.split != row.split:
                shown = "" if field == "prompt" else f" '{getattr(row, field)}'"
                raise UserError(
                    f"dev and test overlap: {other.place} ({other.split}) and {row.place} ({row.split}) {words}{shown}",
                    "remove one of the two or give both the same split",
                )
            if field == "id" and other is not row:
                raise UserError(
                    f"{other.place} and {row.place} have the same id '{row.id}'",
                    "give each row an id of its own",
                )
