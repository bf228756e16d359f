"""Selection files: written, read back, taken from elsewhere, and loaded by TRL."""

import json

import pytest

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.example import Example, content_id
from suffice.data.pool import Pool
from suffice.runs.selection import choices_from, read_selection, write_selection
from suffice.selectors.protocol import Choice
from tiny_run import write_rows

POOL = make_pool(12)
CHOICES = [Choice(i, f"score {i}", {"score": float(i), "beat": POOL.ids[i - 1]}) for i in (7, 2, 5)]


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "selection.jsonl"


def refused(rows, tmp_path):
    path = write_rows(tmp_path / "mine.jsonl", rows)
    with pytest.raises(UserError) as caught:
        choices_from(path, POOL)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_rows_come_back_in_the_order_chosen(path):
    write_selection(path, POOL, CHOICES)
    rows = read_selection(path)
    assert [list(row) for row in rows] == [
        ["id", "messages", "source", "license", "file", "line", "reason", "evidence"]
    ] * 3
    assert [row["id"] for row in rows] == [POOL.ids[i] for i in (7, 2, 5)]
    assert rows[0] == {
        "id": POOL[7].id,
        "messages": list(POOL[7].messages),
        "source": "made",
        "license": None,
        "file": "made.jsonl",
        "line": 8,
        "reason": "score 7",
        "evidence": {"score": 7.0, "beat": POOL.ids[6]},
    }


@pytest.mark.parametrize("fields", [["id"], ["messages"], ["id", "messages", "reason"]])
def test_a_choice_made_elsewhere_names_rows_by_id_or_by_what_they_say(path, fields):
    write_selection(path, POOL, CHOICES)
    mine = write_rows(
        path.with_name("mine.jsonl"), [{f: row[f] for f in fields} for row in read_selection(path)]
    )
    found = choices_from(mine, POOL)
    assert [choice.index for choice in found] == [7, 2, 5]
    assert found[1] == Choice(2, "chosen elsewhere (mine.jsonl, line 2)", {"file": "mine.jsonl", "line": 2})


def test_lines_may_hold_unicode_line_ends(path):
    pool = Pool.from_examples([make_example(chat("a\u2028b", "c\x85d"), 1)])
    write_selection(path, pool, [Choice(0, "one\u2029line", {})])
    [row] = read_selection(path)
    assert row["messages"][0]["content"] == "a\u2028b"
    assert [choice.index for choice in choices_from(path, pool)] == [0]


def test_rows_with_tools_are_found_by_what_they_say(path):
    tools = ({"type": "function", "function": {"name": "add", "parameters": {}}},)
    messages = chat("Add.", "2")
    rows = [Example(f"{n}", messages, t, "made", None, "f", n) for n, t in ((1, tools), (2, None))]
    pool = Pool.from_examples([Example(content_id(r.messages, r.tools), *_rest(r)) for r in rows])
    write_selection(path, pool, [Choice(1, "r", {}), Choice(0, "r", {})])
    found = read_selection(path)
    assert [row["tools"] for row in found] == [[], list(tools)]
    mine = write_rows(
        path.with_name("mine.jsonl"), [{"messages": r["messages"], "tools": r["tools"]} for r in found]
    )
    assert [choice.index for choice in choices_from(mine, pool)] == [1, 0]


def _rest(row):
    return row.messages, row.tools, row.source, row.license, row.file, row.line


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([{"id": POOL.ids[0]}, {"id": "no such"}], "mine.jsonl, line 2: the row is not in the pool; give the pool that it was chosen from"),
        ([{"messages": [{"role": "user", "content": "x"}]}], "mine.jsonl, line 1: the row is not in the pool; give the pool that it was chosen from"),
        ([{}], "mine.jsonl, line 1: the row is not in the pool; give the pool that it was chosen from"),
        (
            [{"id": POOL.ids[3]}, {"id": POOL.ids[4]}, {"messages": list(POOL[3].messages)}],
            "mine.jsonl, line 3: the row stands in line 1 already; remove one of the two",
        ),
        ([{"id": POOL.ids[3]}, 5], "mine.jsonl, line 2: this is no JSON object; write one row a line"),
        ([], "mine.jsonl chooses no row; write one row a line"),
    ],
)  # fmt: skip
def test_what_is_no_choice_of_this_pool_is_refused(rows, text, tmp_path):
    assert refused(rows, tmp_path) == text


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError) as caught:
        read_selection(tmp_path / "none.jsonl")
    assert str(caught.value) == f"no selection file {tmp_path / 'none.jsonl'}; check the path"


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(json.dumps({"id": POOL.ids[0]}).encode() + b"\n\xff\n")
    with pytest.raises(UserError, match=r"mine\.jsonl, line 2: this is no JSON object; write one row a line"):
        choices_from(tmp_path / "mine.jsonl", POOL)


def test_the_file_goes_straight_into_trl(path, tiny_model):
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    write_selection(path, POOL, CHOICES)
    cache = str(path.with_name("cache"))
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=cache)
    assert rows["id"] == [POOL.ids[i] for i in (7, 2, 5)]
    config = SFTConfig(
        output_dir=str(path.with_name("out")), max_steps=1, per_device_train_batch_size=3, use_cpu=True,
        bf16=False, gradient_checkpointing=False, report_to="none", dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=tiny_model.network, args=config, train_dataset=rows, processing_class=tiny_model.tokenizer
    )
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["input_ids"].shape[0] == 3
    texts = tiny_model.tokenizer.batch_decode(batch["input_ids"])
    assert any(POOL[7].messages[0]["content"] in text for text in texts)
