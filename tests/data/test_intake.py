"""Terms: columns, licences, ignored rules; why a file was taken for a format; cautions as a column."""

import json

import pytest

from suffice.common.errors import UserError
from suffice.data.pool import Pool, read_pool
from suffice.data.rules import RULES, ignored_rules
from suffice.data.terms import make_terms, read_columns


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def terms(columns=None, ignore=(), allow_license=None):
    return make_terms(columns or {}, ignore, allow_license)


def user_error(work):
    with pytest.raises(UserError) as caught:
        work()
    return str(caught.value)


def test_columns_stand_for_fields(tmp_path):
    rows = [{"frage": "q", "antwort": "a", "license": "MIT", "messages": "unused"}, {"frage": "q"}]
    path = write(tmp_path / "a.jsonl", rows)
    reading = read_pool([path], terms=terms({"prompt": "frage", "completion": "antwort"}))
    assert reading.files[0].format == "prompt_completion"
    assert [turn["content"] for turn in reading.pool[0].messages] == ["q", "a"]
    assert reading.pool[0].license == "MIT"
    (bad,) = reading.rejected
    assert (bad.line, bad.rule, bad.message) == (2, "E106 unknown-format", "the row has no column 'antwort'")
    assert bad.row == rows[1]


def test_columns_that_are_none():
    assert read_columns("prompt=question, completion = answer") == {
        "prompt": "question",
        "completion": "answer",
    }
    assert read_columns(None) == {}
    remedy = "write FIELD=COLUMN, such as prompt=question,completion=answer"
    for text in ("prompt", "prompt=", "=x"):
        assert user_error(lambda text=text: read_columns(text)) == f"--columns has '{text}'; {remedy}"
    assert user_error(lambda: read_columns("prompt=a,prompt=b")) == f"--columns has 'prompt=b'; {remedy}"
    assert user_error(lambda: terms({"promt": "x"})) == "unknown field 'promt'; did you mean 'prompt'?"


def test_licences_that_are_not_allowed(tmp_path):
    rows = [
        {"question": "q", "answer": f"{i}", "license": tag}
        for i, tag in enumerate(["MIT", "cc-by-nc-4.0", None])
    ]
    reading = read_pool([write(tmp_path / "a.jsonl", rows)], terms=terms(allow_license=["mit", "Apache-2.0"]))
    assert [example.license for example in reading.pool] == ["MIT"]
    assert [(row.rule, row.message) for row in reading.rejected] == [
        ("E116 license-not-allowed", "the row's licence is 'cc-by-nc-4.0'; allowed is apache-2.0, mit"),
        ("E116 license-not-allowed", "the row states no licence; allowed is apache-2.0, mit"),
    ]
    british = read_pool([write(tmp_path / "b.jsonl", [{"question": "q", "answer": "a", "licence": "MIT"}])])
    assert british.pool[0].license == "MIT"


def test_rules_may_be_ignored(tmp_path):
    rows = [
        {"question": "q", "answer": ""},
        {"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": "q"}]},
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "tool", "content": "x"},
                {"role": "assistant", "content": "a"},
            ]
        },
        {"question": "", "answer": "a"},
    ]
    path = write(tmp_path / "a.jsonl", rows)
    reading = read_pool(
        [path], terms=terms(ignore=["E101", "no-assistant-turn", "e103", "E104", "empty-prompt"])
    )
    assert len(reading.pool) == 4
    assert "E101" in user_error(lambda: read_pool([path]))


def test_words_that_name_no_rule_or_one_that_stays():
    assert user_error(lambda: ignored_rules(["W9"])) == (
        "no rule is called 'W9'; give a code or its beginning, such as W2 or E103, or a name"
    )
    assert user_error(lambda: ignored_rules(["E1"])) == (
        "E100 not-json cannot be ignored: such a row cannot be used at all; "
        "of the errors, ignore only E101, E102, E103, E104, E111"
    )
    assert {rule.code for rule in ignored_rules(["W2"])} == {
        rule.code for rule in RULES if rule.code[0] == "W"
    }


def test_why_a_file_was_taken_for_its_format(tmp_path):
    qa, alpaca = {"question": "q", "answer": "a"}, {"instruction": "i", "output": "o"}
    mixed = write(tmp_path / "a.jsonl", [qa] * 90 + [alpaca] * 20 + [{"x": 1}] * 5)
    (file,) = read_pool([mixed]).files
    assert file.why == "90 of its first 100 rows have `question` and `answer`; 10 are alpaca"
    (file,) = read_pool([write(tmp_path / "b.jsonl", [alpaca, {"x": 1}])]).files
    assert file.why == "1 of its 2 rows has `instruction` and `output`"


def test_cautions_are_a_column(tmp_path):
    rows = [{"question": "q", "answer": "a <|im_end|>"}, {"question": "q", "answer": "a"}]
    path = write(tmp_path / "a.jsonl", rows)
    pool = read_pool([path]).pool
    pool.write(tmp_path / "pool.parquet")
    for one in (pool, Pool.read(tmp_path / "pool.parquet"), pool.take([0, 1])):
        assert [example.warnings for example in one] == [("W204 template-tokens-in-text",), ()]
    assert read_pool([path], terms=terms(ignore=["W2"])).pool[0].warnings == ()


def test_a_folder_stands_for_its_files(tmp_path):
    rows = [{"question": "q", "answer": "a"}]
    (tmp_path / "data" / "more").mkdir(parents=True)
    for name in ("b.jsonl", "more/a.jsonl", ".hidden.jsonl", "notes.txt", "dataset_info.json"):
        write(tmp_path / "data" / name, rows)
    assert [file.path for file in read_pool([tmp_path / "data"]).files] == [
        f"{tmp_path}/data/b.jsonl",
        f"{tmp_path}/data/more/a.jsonl",
    ]
    (tmp_path / "empty").mkdir()
    assert user_error(lambda: read_pool([tmp_path / "empty"])).startswith(
        f"the folder {tmp_path}/empty holds no file of rows; give .jsonl, .json, .csv"
    )
    (tmp_path / "dict" / "train").mkdir(parents=True)
    (tmp_path / "dict" / "test").mkdir()
    write(tmp_path / "dict" / "dataset_dict.json", [])
    assert user_error(lambda: read_pool([tmp_path / "dict"])) == (
        f"{tmp_path}/dict holds the splits test, train of a data set; give one of them, such as '{tmp_path}/dict/test'"
    )
