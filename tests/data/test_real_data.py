"""Public data sets as they are; skipped where ../shared/data is absent."""

from collections import Counter
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.data.leakage import without_test_rows
from suffice.data.pool import read_pool
from suffice.data.target import read_target

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")

POOLS = [
    ("pools/alpaca_52k.json.gz", "alpaca", 52_002, {"E101 empty-answer": 49}),
    ("pools/dolly_3k.json", "alpaca", 2_996, {}),
    ("pools/gpteacher_toolformer.json", "instruction_response", 7_673, {}),
    ("pools/gsm8k_train.jsonl", "question_answer", 7_473, {}),
    ("pools/self_instruct_5k.jsonl", "alpaca", 5_000, {}),
    ("trajectories/glaive_toolcall_sharegpt.json", "sharegpt", 300, {}),
    ("trajectories/tau_airline_gpt4o.json", "tau_bench", 200, {}),
    ("trajectories/tau_airline_few_shot.jsonl", "transcript", 19, {"E104 tool-result-without-call": 18}),
]


@pytest.mark.parametrize(("name", "format_", "rows", "rules"), POOLS)
def test_pools_of_the_field(name, format_, rows, rules):
    reading = read_pool([DATA / name])
    (file,) = reading.files
    assert (file.format, file.rows) == (format_, rows)
    assert Counter(row.rule for row in reading.rejected) == rules
    assert len(reading.pool) + len(reading.rejected) == rows
    assert len(set(reading.pool.ids)) == len(reading.pool)


def test_tool_calls_of_glaive():
    pool = read_pool([DATA / "trajectories/glaive_toolcall_sharegpt.json"]).pool
    roles = Counter(turn["role"] for example in pool for turn in example.messages)
    assert roles["tool"] == sum("tool_calls" in turn for example in pool for turn in example.messages)
    assert pool[0].messages[3]["tool_calls"][0]["function"] == {
        "name": "search_recipes",
        "arguments": {"ingredients": ["chicken", "bell peppers", "rice"]},
    }
    assert pool[0].tools[0]["type"] == "function"


@pytest.mark.parametrize(
    "name", ["rlvr/dsr_sub.parquet", "targets/seed_tasks.jsonl", "targets/vicuna_questions.jsonl"]
)
def test_what_is_no_pool_is_said_to_be_none(name):
    with pytest.raises(UserError, match="most often E106 unknown-format"):
        read_pool([DATA / name])


def test_gsm8k_as_target():
    target = read_target(DATA / "targets/gsm8k_test.jsonl")
    assert (len(target.items), len(target.dev), target.families) == (1_319, 131, ["all"])
    assert target.items[0].answer.endswith("#### 18")


def test_gsm8k_train_has_four_passages_of_the_test():
    pool = read_pool([DATA / "pools/gsm8k_train.jsonl"]).pool
    _, removed, _ = without_test_rows(pool, read_target(DATA / "targets/gsm8k_test.jsonl"))
    assert [row.line for row in removed] == [21, 407, 1315, 5163]
    assert all("words in a row of what the test item" in row.message for row in removed)
    itself = read_pool([DATA / "targets/gsm8k_test.jsonl"]).pool
    assert len(without_test_rows(itself, read_target(DATA / "targets/gsm8k_test.jsonl"))[0]) == 130
