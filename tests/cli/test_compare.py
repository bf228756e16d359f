"""``suffice compare`` and ``suffice prove --arm``: other tools' scores in, one table or JSON object out."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from suffice.cli.main import run

COLUMNS = ["--columns", "item=id,score=acc"]


def write(path, scores, **more):
    """A CSV of one run: an id, a score, and where wanted further columns."""
    with Path(path).open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "acc", *more])
        table.writerows([place, score, *more.values()] for place, score in enumerate(scores))


def right(count, items=60):
    return [int(place < count) for place in range(items)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.csv", right(20))
    write("b.csv", right(40))
    write("short.csv", right(20, 59))
    for number, count in enumerate([30, 31, 29, 50, 51, 52]):
        write(f"run{number}.csv", right(count))
    return tmp_path


def asked(capsys, *words):
    """The JSON object of a command."""
    assert run([*words, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_two_models(here, capsys):
    found = asked(capsys, "compare", "a.csv", "b.csv", *COLUMNS)
    [one] = found["comparisons"]
    assert (one["a"], one["b"], one["metric"], one["items"], one["inference"]) == (
        "a",
        "b",
        "acc",
        60,
        "models",
    )
    assert (one["verdict"], one["kind"], one["level"]) == ("superior", "superiority", 0.95)
    assert one["p"] == pytest.approx(2 * 0.5**20)


def test_runs_of_methods(here, capsys):
    arms = ["old=run0.csv,run1.csv,run2.csv", "new=run3.csv,run4.csv,run5.csv"]
    [one] = asked(capsys, "compare", *arms, *COLUMNS, "--margin", "0.02")["comparisons"]
    assert (one["a"], one["b"], one["runs_a"], one["runs_b"]) == ("old", "new", 3, 3)
    assert (one["inference"], one["kind"], one["verdict"]) == ("procedure", "non-inferiority", "superior")


def test_less_is_better_and_bounds(here, capsys):
    words = ["compare", "a.csv", "b.csv", *COLUMNS, "--lower-is-better", "--bounds", "0,10"]
    [one] = asked(capsys, *words)["comparisons"]
    assert (one["verdict"], one["lower_is_better"]) == ("inferior", True)
    assert one["difference"] == pytest.approx(1 / 3)
    assert one["test"] == "sign-flips and t interval over items"


def test_the_words(here, capsys):
    assert run(["compare", "a.csv", "b.csv", *COLUMNS]) == 0
    told = capsys.readouterr().out
    assert told.startswith("b is better than a: difference +0.3333 (95 %: ")
    assert told.endswith("over 60 items, for these two models and not for the methods that made them.\n")
    assert run(["compare", "a.csv", "b.csv", "run0.csv", *COLUMNS]) == 0
    told = capsys.readouterr().out
    assert "2 claims: 2 superior. Intervals and p-values are those of the whole family (Holm)." in told
    assert told.splitlines()[0].split() == ["arm", "difference", "low", "high", "p", "adj.", "verdict"]


def test_averages_of_runs_say_what_they_cannot_show(here, capsys):
    rows = "method,seed,acc\n" + "".join(f"{m},{s},{v}\n" for m, v0 in (("x", 50), ("y", 60)) for s, v in
                                          enumerate([v0, v0 + 1, v0 - 1]))  # fmt: skip
    Path("averages.csv").write_text(rows)
    words = ["compare", "averages.csv", "--columns", "arm=method,run=seed,score=acc"]
    [one] = asked(capsys, *words)["comparisons"]
    assert (one["items"], one["test"], one["verdict"]) == (None, "Welch's t over runs", "superior")
    assert one["notes"][0].startswith("These are averages of whole runs: ")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["compare", "a.csv", *COLUMNS],
            "there is one arm; give two logs or more: suffice compare A B",
        ),
        (
            ["compare", "a.csv", "b.csv", *COLUMNS, "--bounds", "1,0"],
            "the bounds are '1,0'; give the least and the greatest score, such as --bounds 0,100",
        ),
        (
            ["compare", "a.csv", "b.csv", *COLUMNS, "--metric", "ac"],
            "unknown metric 'ac'; did you mean 'acc'?",
        ),
        (
            ["compare", "a.csv", "b.csv", *COLUMNS, "--margin", "-1"],
            "the margin is -1.0; give a margin of 0 or more, in the unit of the scores",
        ),
        (
            ["compare", "old=run0.csv,run1.csv", "new=run3.csv,run4.csv", *COLUMNS],
            (
                "'old' has 2 runs, which show next to nothing of how much runs vary; give 3 runs or more for a claim "
                "about a method, or one run for one about a model"
            ),
        ),
        (
            ["prove"],
            "prove takes a run folder or arms trained elsewhere; give RUN, or --arm KIND=LOG for each arm",
        ),
        (
            ["prove", "run", "--margin", "1"],
            "run holds no run; begin one with: suffice run lima … --out run",
        ),
        (
            ["prove", "--arm", "selectd=a.csv", "--arm", "base=b.csv", *COLUMNS],
            "unknown kind of arm 'selectd'; did you mean 'selected'?",
        ),
    ],
)
def test_mistakes(here, capsys, words, text):
    assert run(words) == 2
    assert capsys.readouterr() == ("", f"suffice: {text}\n")


def test_other_items_are_refused_with_the_list(here, capsys):
    assert run(["compare", "a.csv", "short.csv", *COLUMNS]) == 2
    assert "59" in capsys.readouterr().err


def test_arms_trained_elsewhere(here, capsys):
    words = ["prove", "--arm", "base=a.csv", "--arm", "selected=run3.csv,run4.csv,run5.csv"]
    words += ["--arm", "full=run0.csv,run1.csv,run2.csv", *COLUMNS]
    found = asked(capsys, *words)
    assert list(found) == ["verdict", "arms", "spreads", "new_draw", "notes"]
    assert found["verdict"]["outcome"] == "sufficient"
    assert {arm["name"]: len(arm["runs"]) for arm in found["arms"]} == {"base": 1, "selected": 3, "full": 3}
    assert run(words) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split() == ["arm", "score", "95", "%", "interval", "runs"]
    assert told.splitlines()[-1].startswith(
        "The chosen rows are enough (85.0 % against 50.0 % for all; margin 2)"
    )


def test_in_a_process_of_its_own(here):
    suffice = Path(sys.executable).with_name("suffice")
    done = subprocess.run(
        [suffice, "compare", "a.csv", "b.csv", *COLUMNS, "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["comparisons"][0]["verdict"] == "superior"


def test_names_are_shown_as_they_are(here, capsys):
    assert run(["compare", "m[/b]=a.csv", "n[red]=b.csv", *COLUMNS]) == 0
    assert capsys.readouterr().out.startswith("n[red] is better than m[/b]: ")


def test_the_level_is_told(here, capsys):
    words = ["prove", "--arm", "base=a.csv", "--arm", "selected=run3.csv,run4.csv,run5.csv", "--alpha", "0.3"]
    assert run([*words, *COLUMNS]) == 0
    assert "70 % interval" in capsys.readouterr().out.splitlines()[0]


def test_the_items_are_written_side_by_side(here, capsys):
    rows = {"one": [("x", 1, "yes"), ("y", 0, "no")], "two": [("x", 1, "yes"), ("y", 1, "maybe")]}
    for name, values in rows.items():
        lines = [
            {"item": item, "score": score, "reply": reply, "prompt": f"{item}?", "answer": "a"}
            for item, score, reply in values
        ]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked(capsys, "compare", "one.jsonl", "two.jsonl", "--items", "out/items.jsonl")
    [first, second] = map(json.loads, Path("out/items.jsonl").read_text().splitlines())
    assert first == {
        "task": "", "metric": "score", "filter": "", "item": "y", "cluster": "y", "prompt": "y?", "answer": "a",
        "scores": {"one": 0, "two": 1}, "replies": {"one": "no", "two": "maybe"},
    }  # fmt: skip
    assert second["item"] == "x"


def test_looks_by_item(here, capsys):
    words = ["compare", "a.csv", "b.csv", *COLUMNS, "--looks"]
    [one] = asked(capsys, *words, "60,120")["comparisons"]
    assert one["notes"][0].startswith("This is look 1 of 2, at 60 of 120 items")
    assert (one["verdict"], one["alpha"]) == ("superior", 0.05)
    assert one["level"] > 0.99
    assert run([*words, "60,all"]) == 2
    assert capsys.readouterr().err == (
        "suffice: the looks are '60,all'; give whole numbers, such as --looks 200,500,1000\n"
    )
