"""Targets: layouts, the draw of dev, and everything that must not be in one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.data.target import Target, TargetItem, read_target


def write(path, rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def item(number, **more):
    return {"prompt": f"p{number}", "answer": f"a{number}", **more}


def user(text):
    return {"role": "user", "content": text}


def error_of(rows, tmp_path, dev=None, seed=0):
    path = write(tmp_path / "t.jsonl", rows)
    dev_path = write(tmp_path / "d.jsonl", dev) if dev is not None else None
    with pytest.raises(UserError) as caught:
        read_target(path, dev_path, seed=seed)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_all_fields(tmp_path):
    path = write(
        tmp_path / "t.jsonl",
        [
            item(1, id="x", task="fact", split="test", cluster="c"),
            {
                "messages": [{"role": "system", "content": "s"}, user("p2")],
                "answer": 7,
                "split": "dev",
                "id": 5,
            },
            {"prompt": [user("p3")], "answer": "a3", "split": "test"},
            {"question": "p4", "answer": "six\n#### 6", "split": "test"},
        ],
    )
    target = read_target(path)
    assert target.items == (
        TargetItem("x", (user("p1"),), "a1", "fact", "test", "c"),
        TargetItem("5", ({"role": "system", "content": "s"}, user("p2")), "7", "all", "dev", "5"),
        TargetItem("t-3", (user("p3"),), "a3", "all", "test", "t-3"),
        TargetItem("t-4", (user("p4"),), "six\n#### 6", "all", "test", "t-4"),
    )
    assert [i.id for i in target.dev] == ["5"]
    assert [i.id for i in target.test] == ["x", "t-3", "t-4"]
    assert target.families == ["fact", "all"]
    assert target.items[0].conversation == (user("p1"), {"role": "assistant", "content": "a1"})


def test_an_answer_may_be_a_number(tmp_path):
    rows = [item(n, split="test") | {"answer": value} for n, value in enumerate([7, -0.5, 10**400])]
    target = read_target(write(tmp_path / "t.jsonl", rows))
    assert [i.answer for i in target.items] == ["7", "-0.5", "1" + "0" * 400]


def test_a_tenth_of_each_family_is_dev(tmp_path):
    rows = [item(f"{task}{n}", task=task) for n in range(40) for task in ("x", "y")] + [
        item("z1", task="z"),
        item("z2", task="z"),
    ]
    target = read_target(write(tmp_path / "t.jsonl", rows))
    assert [sum(i.task == task for i in target.dev) for task in ("x", "y", "z")] == [4, 4, 1]
    assert len(target.test) == 82 - 9


def test_the_draw_depends_on_the_seed_alone(tmp_path):
    rows = [item(n) for n in range(100)]
    path = write(tmp_path / "t.jsonl", rows)

    def drawn(**options):
        return [i.id for i in read_target(path, **options).dev]

    assert drawn() == drawn(seed=0) != drawn(seed=1)
    # The same items on every machine and Python version.
    assert drawn() == ["t-8", "t-39", "t-40", "t-47", "t-53", "t-65", "t-73", "t-80", "t-92", "t-100"]


def test_rows_that_ask_the_same_are_one_cluster(tmp_path):
    rows = [item(n) for n in range(20)] + [{"prompt": f" P{n} ", "answer": "other"} for n in range(20)]
    for seed in range(5):
        target = read_target(write(tmp_path / "t.jsonl", rows), seed=seed)
        assert [i.cluster for i in target.items[20:]] == [i.id for i in target.items[:20]]
        assert [i.split for i in target.items[20:]] == [i.split for i in target.items[:20]]


def test_a_row_without_a_split_follows_its_cluster(tmp_path):
    rows = [item(1, cluster="c", split="test"), item(2, cluster="c"), item(3, split="dev")]
    assert [i.split for i in read_target(write(tmp_path / "t.jsonl", rows)).items] == ["test", "test", "dev"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 9)), min_size=1, max_size=40),
    seed=st.integers(0, 3),
)
def test_clusters_never_straddle(tmp_path_factory, rows, seed):
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    write(path, [item(n, task=task, cluster=f"{task}{c}") for n, (task, c) in enumerate(rows)])
    clusters = {task: {c for t, c in rows if t == task} for task, _ in rows}
    if all(len(found) == 1 for found in clusters.values()):
        with pytest.raises(UserError, match="has no test items"):
            read_target(path, seed=seed)
        return
    target = read_target(path, seed=seed)
    assert not {i.cluster for i in target.dev} & {i.cluster for i in target.test}
    assert {i.task for i in target.dev} == {task for task, _ in rows}


def test_a_dev_file(tmp_path):
    path = write(tmp_path / "t.jsonl", [item(1), item(2, split="dev"), item(3)])
    dev = write(tmp_path / "d.jsonl", [item(4), item(5, split="dev")])
    target = read_target(path, dev)
    assert [(i.id, i.split) for i in target.items] == [
        ("t-1", "test"),
        ("t-2", "dev"),
        ("t-3", "test"),
        ("d-1", "dev"),
        ("d-2", "dev"),
    ]


def test_a_target_may_have_no_dev_items(tmp_path):
    target = read_target(write(tmp_path / "t.jsonl", [item(1, split="test")]))
    assert target.dev == []


def test_dev_and_test_must_not_overlap(tmp_path):
    remedy = "; remove one of the two or give both the same split"
    assert (
        error_of(
            [item(1, split="dev"), item(2, split="dev"), {"prompt": "P1\n", "answer": "x", "split": "test"}],
            tmp_path,
        )
        == f"dev and test overlap: t.jsonl, line 1 (dev) and t.jsonl, line 3 (test) ask the same{remedy}"
    )
    assert (
        error_of([item(1, split="test", id="x"), item(2, split="dev", id="x")], tmp_path)
        == f"dev and test overlap: t.jsonl, line 1 (test) and t.jsonl, line 2 (dev) have the same id 'x'{remedy}"
    )
    assert (
        error_of([item(1, split="test", cluster="c"), item(2, split="dev", cluster="c")], tmp_path)
        == f"dev and test overlap: t.jsonl, line 1 (test) and t.jsonl, line 2 (dev) are of one cluster 'c'{remedy}"
    )
    assert (
        error_of([item(1), item(2)], tmp_path, dev=[item(2)])
        == f"dev and test overlap: t.jsonl, line 2 (test) and d.jsonl, line 1 (dev) ask the same{remedy}"
    )


def test_the_file_itself_as_dev_file_is_refused(tmp_path):
    path = write(tmp_path / "t.jsonl", [item(1)])
    with pytest.raises(UserError, match=r"^dev and test overlap: .* have the same id 't-1'"):
        read_target(path, path)


def test_ids_must_differ(tmp_path):
    assert error_of([item(1, split="test", id="x"), item(2, split="test", id="x")], tmp_path) == (
        "t.jsonl, line 1 and t.jsonl, line 2 have the same id 'x'; give each row an id of its own"
    )


BAD = [
    (
        "{",
        "t.jsonl, line 2: the line is no JSON: Expecting property name enclosed in double quotes (column 2); write one JSON object a line, as UTF-8",
    ),
    ("[1]", "t.jsonl, line 2: the row is no object; write one JSON object a row"),
    ({"answer": "a"}, "t.jsonl, line 2: the row has no `prompt`; give prompt, messages or question"),
    (
        {"prompt": " ", "answer": "a"},
        "t.jsonl, line 2: turn 1, of the user, has no text; fill in the question or remove the row",
    ),
    (
        {"prompt": 7, "answer": "a"},
        "t.jsonl, line 2: `prompt` is no list of turns; write a list of objects with role and content",
    ),
    (
        {"prompt": [], "answer": "a"},
        "t.jsonl, line 2: `prompt` does not end with a user turn; end it before the reply, which belongs in answer",
    ),
    (
        {"messages": [user("q"), {"role": "assistant", "content": "a"}], "answer": "a"},
        "t.jsonl, line 2: `messages` does not end with a user turn; end it before the reply, which belongs in answer",
    ),
    ({"prompt": "q"}, "t.jsonl, line 2: the row has no `answer`; give the reference reply as text"),
    (
        {"prompt": "q", "answer": ""},
        "t.jsonl, line 2: the row has no `answer`; give the reference reply as text",
    ),
    (
        {"prompt": "q", "answer": True},
        "t.jsonl, line 2: the row has no `answer`; give the reference reply as text",
    ),
    (
        {"prompt": "q", "answer": 1e999},
        "t.jsonl, line 2: the row has no `answer`; give the reference reply as text",
    ),
    (item(2, split="train"), "t.jsonl, line 2: `split` is 'train'; write dev or test, or leave it out"),
    (item(2, task=["x"]), "t.jsonl, line 2: `task` is no text; write it as text or leave it out"),
    (item(2, id=""), "t.jsonl, line 2: `id` is no text; write it as text or leave it out"),
    (item(2, cluster={}), "t.jsonl, line 2: `cluster` is no text; write it as text or leave it out"),
    (
        '{"prompt": "\\ud800", "answer": "a"}',
        "t.jsonl, line 2: the text holds bytes or escapes that are no valid Unicode; write the file as UTF-8",
    ),
    (
        '{"prompt": "q", "answer": NaN}',
        "t.jsonl, line 2: the row has no `answer`; give the reference reply as text",
    ),
]


@pytest.mark.parametrize(("row", "text"), BAD)
def test_a_target_must_be_whole(tmp_path, row, text):
    assert error_of([item(1), row, item(3)], tmp_path) == text


def test_nothing_to_judge_by(tmp_path):
    remedy = "add rows, or give some the split test"
    assert error_of([], tmp_path) == f"t.jsonl has no test items; {remedy}"
    assert error_of([item(1)], tmp_path) == f"t.jsonl has no test items; {remedy}"
    assert error_of([item(1, split="dev")], tmp_path) == f"t.jsonl has no test items; {remedy}"


def test_files_that_are_not_one_target(tmp_path):
    assert error_of([item(1)], tmp_path, dev=[item(2, split="test")]) == (
        "d.jsonl, line 1: the dev file has a row of the split test; move it to the target file"
    )
    write(tmp_path / "target.jsonl", [item(1)])
    with pytest.raises(UserError) as caught:
        read_target(tmp_path / "tarket.jsonl")
    assert str(caught.value) == f"no file {tmp_path}/tarket.jsonl; did you mean '{tmp_path}/target.jsonl'?"
    with pytest.raises(UserError) as caught:
        read_target(f"{tmp_path}/t*.jsonl")
    assert (
        str(caught.value) == f"'{tmp_path}/t*.jsonl' matches 2 files, and a target is one; name one of them"
    )


def test_a_target_on_disk_is_the_same_target(tmp_path):
    target = read_target(write(tmp_path / "t.jsonl", [item(n, task=f"ü{n % 2}") for n in range(9)]))
    target.write(tmp_path / "target.parquet")
    again = Target.read(tmp_path / "target.parquet")
    assert again == target
    assert again.fingerprint == target.fingerprint != target.first(1).fingerprint


def test_a_target_file_that_is_none(tmp_path):
    path = tmp_path / "target.parquet"
    with pytest.raises(UserError, match=r"no target file .*; read the target first"):
        Target.read(path)
    path.write_bytes(b"no")
    with pytest.raises(
        UserError, match=r"is no Parquet file or damaged; remove it and read the target again"
    ):
        Target.read(path)


def test_first_keeps_dev_and_the_first_test_items_of_each_family(tmp_path):
    rows = [item(n, task="xy"[n % 2], split="dev" if n in (0, 7) else "test") for n in range(8)]
    target = read_target(write(tmp_path / "t.jsonl", rows))
    assert [i.id for i in target.first(2).items] == ["t-1", "t-2", "t-3", "t-4", "t-5", "t-8"]
