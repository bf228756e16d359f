"""Examples that are trained on by reward."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.data.examples import read_examples

GOOD = {"prompt": "1 + 1?", "answer": "2"}


def write(folder, *rows):
    path = folder / "examples.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_rows_that_are_not_whole_are_put_aside_and_copies_count_once(tmp_path):
    verl = {"prompt": [{"role": "user", "content": "2 + 2?"}], "reward_model": {"ground_truth": "4"}}
    found = read_examples(write(tmp_path, GOOD, {"prompt": "x"}, GOOD, "{", verl))
    assert [(item.id, item.answer) for item in found.items] == [("examples-1", "2"), ("examples-5", "4")]
    assert found.lines == [1, 5]
    told = [(row.line, row.rule, row.message) for row in found.rejected]
    assert told[0] == (2, "E107 bad-content", "the row has no `answer`")
    assert (told[1][0], told[1][1]) == (4, "E100 not-json")
    assert found.rejected[0].row == {"prompt": "x"}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "examples.jsonl has no examples; add rows with prompt and answer"),
        (
            [{"prompt": "x"}],
            "examples.jsonl has no usable examples; line 1: the row has no `answer`; give the reference reply as text",
        ),
    ],
)
def test_a_file_without_examples(tmp_path, monkeypatch, rows, text):
    write(tmp_path, *rows)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        read_examples("examples.jsonl")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)


@given(
    rows=st.lists(
        st.just(GOOD) | st.dictionaries(st.sampled_from(["prompt", "answer", "task"]), JSON), max_size=5
    )
)
def test_every_row_is_kept_rejected_or_a_copy(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("rows"), GOOD, *rows)
    found = read_examples(path)
    kept = set(found.lines) | {row.line for row in found.rejected}
    copies = set(range(1, len(rows) + 2)) - kept
    lines = [GOOD, *rows]
    assert all(lines[line - 1] in [lines[other - 1] for other in found.lines] for line in copies)
