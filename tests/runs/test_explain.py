"""Why a row was chosen or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from suffice.cli.main import run
from suffice.common import registry
from suffice.common.errors import UserError
from suffice.common.files import write_json
from suffice.runs.explain import explain
from suffice.runs.folder import RunFolder
from suffice.runs.made_choice import read_choice
from suffice.scorers.protocol import Scores
from suffice.selectors.protocol import SelectionRequest
from tiny_run import BAD_ROWS, pool_rows, target_rows, write_rows

OUT = Path("out")


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(Path("pool.jsonl"), [*pool_rows(30), *BAD_ROWS])
    write_rows(Path("target.jsonl"), target_rows())


def choose(*words, budget=6):
    command = ["select", "--pool", "pool.jsonl", "--out", "out", "--quiet", "--budget", str(budget)]
    assert run([*command, *words]) == 0
    return read_choice(OUT)


def unchosen(made):
    taken = {choice.index for choice in made.choices}
    return [index for index in range(len(made.pool)) if index not in taken]


def lack(made, index):
    return explain(OUT, made.pool.ids[index]).obstacles[-1]


def test_a_row_chosen_for_its_score(pool):
    made = choose("--scorer", "length")
    values = made.scores.values
    for turn, choice in enumerate(made.choices, 1):
        found = explain(OUT, made.pool.ids[choice.index])
        assert (found.status, found.turn, found.chosen, found.rows) == ("chosen", turn, 6, 30)
        assert found.reason == choice.reason
        [score] = found.scores
        own = values[choice.index]
        assert (score.scorer, score.value, score.unit, score.of) == ("length", own, "words", 30)
        assert score.rank == 1 + sum(values > own)
        assert score.percentile == pytest.approx(100 * sum(values <= own) / 30 - 100 / 30)
        others = [one.index for one in made.choices if one.index != choice.index]
        assert found.nearest.id in {made.pool.ids[i] for i in others}
        assert 0 < found.nearest.figures["words"] <= 1
        assert found.gain == found.beat.figures["margin"] == choice.evidence["margin"]
        assert found.obstacles == []


def test_a_row_short_of_the_last_chosen(pool):
    made = choose("--scorer", "length", "--pin", read_choice_ids()[3])
    values, free = made.scores.values, [choice.index for choice in made.choices[1:]]
    for index in unchosen(made)[:9]:
        one = lack(made, index)
        assert one.evidence["needed"] == min(values[free])
        assert one.evidence["short"] == min(values[free]) - values[index]
        assert one.evidence["rank"] == 1 + sum(values > values[index])


def read_choice_ids():
    choose("--scorer", "length")
    return read_choice(OUT).pool.ids


@pytest.mark.parametrize("selector", ["k_center", "facility_location", "graph_cut", "dpp"])
def test_what_a_row_would_have_added_in_the_place_of_the_last(pool, selector):
    made = choose("--scorer", "sentence", "--selector", selector)
    gains = {index: lack(made, index).evidence["gain"] for index in unchosen(made)[:4]}
    last = made.choices[-1].evidence["gain"]
    for index, gain in gains.items():
        assert lack(made, index).evidence["needed"] == last
        assert gain <= last + 1e-6
    if selector == "k_center":  # a gain is the distance to the nearest of the others
        units = made.scores.vectors / np.linalg.norm(made.scores.vectors, axis=1, keepdims=True)
        before = [choice.index for choice in made.choices[:-1]]
        for index, gain in gains.items():
            distance = np.sqrt(max(0, 2 - 2 * max(units[before] @ units[index])))
            assert gain == pytest.approx(distance, abs=1e-4)
            nearest = explain(OUT, made.pool.ids[index]).nearest
            cosines = [float(units[choice.index] @ units[index]) for choice in made.choices]
            assert nearest.figures["cosine"] == pytest.approx(max(cosines), abs=1e-5)
            assert nearest.figures["turn"] == 1 + int(np.argmax(cosines))


def test_a_row_that_no_dev_example_took(pool):
    made = choose("--scorer", "sentence", "--selector", "round_robin", "--target", "target.jsonl")
    affinity = made.scores.affinity
    taken = {
        choice.evidence["dev"]: choice.evidence["score"] for choice in made.choices
    }  # the last of each stays
    for index in unchosen(made)[:9]:
        short = {dev: last - affinity[index, made.scores.queries.index(dev)] for dev, last in taken.items()}
        one = lack(made, index)
        assert one.evidence["dev"] == min(short, key=short.__getitem__)
        assert one.evidence["short"] == pytest.approx(min(short.values()), abs=1e-6)
        found = explain(OUT, made.pool.ids[index]).serves
        assert found.figures["affinity"] == max(affinity[index])
    chosen = explain(OUT, made.pool.ids[made.choices[0].index])
    assert chosen.serves.id == made.choices[0].evidence["dev"]
    assert chosen.serves.figures["task"] in ("add", "sum")


def test_a_row_too_much_like_a_chosen_one(pool):
    words = ("--scorer", "sentence", "--selector", "deita", "--target", "target.jsonl")
    asked = {
        "prompt": "Tell me about the river number 0.",
        "answer": "river",
        "task": "a",
        "split": "dev",
        "id": "d",
    }
    write_rows(Path("target.jsonl"), [asked, *target_rows()[4:]])
    write_rows(Path("pool.jsonl"), [*pool_rows(30), pool_rows(1)[0], pool_rows(1)[0]])
    made = choose(*words, budget=3)
    assert 0 in {choice.index for choice in made.choices}
    for index in (30, 31):
        one = lack(made, index)
        assert one.evidence["cosine"] > 0.9
        assert one.evidence["nearest"] in {made.pool.ids[choice.index] for choice in made.choices}
        assert "too much like" in one.text


@pytest.mark.parametrize("name", registry.names("selectors"))
def test_every_selector_tells_what_was_lacking(pool, name):
    made = choose("--scorer", "sentence", "--selector", name, "--target", "target.jsonl", budget=2)
    request = SelectionRequest(made.pool, made.scores, 2, target=made.target)
    for index in unchosen(made)[:3]:
        selector = registry.load("selectors", name)()
        assert selector.lacked(request, made.choices, index).reason
        found = explain(OUT, made.pool.ids[index])
        assert found.obstacles
        assert json.dumps(found.as_json(), allow_nan=False)
    for choice in made.choices:
        assert json.dumps(explain(OUT, made.pool.ids[choice.index]).as_json(), allow_nan=False)


def kinds(made, index):
    return [one.kind for one in explain(OUT, made.pool.ids[index]).obstacles]


def test_constraints_in_the_way(pool):
    first = choose("--scorer", "length")
    ban, pin = first.pool.ids[first.choices[0].index], first.pool.ids[4]
    made = choose(
        "--scorer", "length", "--ban", ban, "--pin", pin, "--at-most", "even=2", "--at-least", "odd=4",
        "--no-twins", "near@0.6",
    )  # fmt: skip
    assert kinds(made, first.choices[0].index)[0] == "ban"
    full = next(i for i in unchosen(made) if made.pool.sources[i] == "even")
    text = explain(OUT, made.pool.ids[full]).obstacles[0].text
    assert text == 'its source "even" is full: 2 of at most 2'
    cluster, taken = made.constraints.cluster, [choice.index for choice in made.choices]
    twins = [i for i in unchosen(made) if cluster[i] in cluster[taken]]
    for index in twins:
        assert "twin" in kinds(made, index)


def test_a_twin_and_a_language_in_the_way(pool):
    pytest.importorskip("py3langid")
    said = [
        ("Der Fluss fließt an der alten Mühle vorbei zum Meer hinunter.", "de"),
        *[("The river runs past the old mill down to the sea.", "en")] * 2,
    ]
    rows = [
        {
            "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}],
            "source": name,
        }
        for text, name in said
    ]
    write_rows(Path("pool.jsonl"), rows)
    made = choose("--scorer", "length", "--language", "en", "--no-twins", "exact", budget=1)
    german, twin = explain(OUT, "pool.jsonl:1"), explain(OUT, "pool.jsonl:3")
    assert german.obstacles[0].text == "its language is de, and en alone is asked for"
    assert german.obstacles[0].remedy == "allow it: --language en,de"
    assert twin.obstacles[0].kind == "twin"
    assert twin.obstacles[0].evidence == {"id": made.pool.ids[1], "turn": 1}


def test_a_step_in_the_way(pool):
    Path("p.yaml").write_text(
        "- {filter: length, keep: top 50%}\n- {weigh: {random: 1, length: 1}, keep: top 9}\n"
    )
    made = choose("--pipeline", "p.yaml", budget=4)
    first, second = made.combined.trail
    for index in unchosen(made):
        found = explain(OUT, made.pool.ids[index])
        assert [score.scorer for score in found.scores] == ["pipeline", "length", "random"]
        [one] = found.obstacles
        if not first.kept[index]:
            assert one.text.startswith("step 1 (filter length, keep top 50%) left it out: ")
            assert one.evidence["needed"] == min(made.others["length"].values[first.kept])
        elif not second.kept[index]:
            assert one.text.startswith("step 2 (weigh random 1, length 1, keep top 9) left it out: 0.")
        else:
            assert one.kind == "lack"


def test_folders_in_every_state(pool, capsys):
    assert run(["score", "--pool", "pool.jsonl", "--scorer", "length", "--out", "out", "--quiet"]) == 0
    found = explain(OUT, "pool.jsonl:1")
    assert (found.status, found.obstacles, len(found.scores)) == ("scored", [], 1)
    assert run(["explain", "out", "pool.jsonl:1"]) == 0
    assert "Scored; nothing was chosen here yet: suffice select out --budget 1000" in capsys.readouterr().out
    made = choose("--scorer", "length")
    (OUT / "manifest.json").unlink()
    assert explain(OUT, made.pool.ids[0]).status == "scored"


def test_a_rejected_row(pool):
    choose("--scorer", "length")
    found = explain(OUT, "pool.jsonl:31")
    assert (found.status, found.id, found.line) == ("rejected", "", 31)
    [one] = found.obstacles
    assert one.kind == "rule"
    assert one.text.startswith("E1")
    assert one.remedy


def test_a_row_that_was_dropped_when_rows_were_chosen(pool):
    """It is in the pool, and among the rejected for its influence."""
    made = choose("--scorer", "length", budget=3)
    row = made.pool[unchosen(made)[0]]
    entry = {
        "file": row.file,
        "line": row.line,
        "rule": "W000 x",
        "message": "it harms",
        "remedy": "look at it",
    }
    write_rows(OUT / "rejected.jsonl", [entry | {"row": {}}])
    found = explain(OUT, f"pool.jsonl:{row.line}")
    assert (found.status, found.id) == ("not chosen", row.id)
    assert (found.obstacles[0].text, found.obstacles[0].remedy) == ("W000 x: it harms", "look at it")


def test_a_row_without_a_score(pool):
    made = choose("--scorer", "length", budget=3)
    values = made.scores.values.copy()
    index = unchosen(made)[0]
    values[index] = np.nan
    Scores(made.scores.ids, values, notes=made.scores.notes).write(RunFolder(OUT).scores)
    found = explain(OUT, made.pool.ids[index])
    assert found.obstacles[0].text == "it has no score"
    assert (found.scores[0].value, found.scores[0].rank, found.scores[0].of) == (None, None, 29)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zz", "no row of the pool has an id that begins with 'zz'; give an id of selection.jsonl or pool.parquet, or FILE:LINE"),
        ("", "no row of the pool has an id that begins with ''; give an id of selection.jsonl or pool.parquet, or FILE:LINE"),
        ("pool.jsonl:99", "no row was read from pool.jsonl, line 99; its files are pool.jsonl"),
        ("ool.jsonl:1", "no row was read from ool.jsonl, line 1; its files are pool.jsonl"),
    ],
)  # fmt: skip
def test_names_of_no_row(pool, name, text):
    choose("--scorer", "length")
    with pytest.raises(UserError) as caught:
        explain(OUT, name)
    assert str(caught.value) == text


def test_names_of_one_row_and_of_several(pool, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_rows(tmp_path / folder / "x.jsonl", pool_rows(30)[:: 1 if folder == "a" else 3])
    assert run(["select", "--pool", "a/x.jsonl", "--pool", "b/x.jsonl", "--scorer", "length", "--budget", "2",
                "--out", "out", "--quiet"]) == 0  # fmt: skip
    ids = read_choice(OUT).pool.ids
    assert explain(OUT, ids[0]).id == ids[0]  # although the id of its twin begins with it
    assert explain(OUT, f"{ids[0]}-").id == f"{ids[0]}-2"
    assert explain(OUT, "a/x.jsonl:3").id == explain(OUT, str(tmp_path / "a/x.jsonl:3")).id == ids[2]
    with pytest.raises(UserError) as caught:
        explain(OUT, "x.jsonl:1")
    assert str(caught.value) == (
        f"2 rows come from x.jsonl, line 1: a/x.jsonl:1 ({ids[0]}), b/x.jsonl:1 ({ids[0]}-2); "
        "give more of the file's path, or the id"
    )
    first = ids[0][:1]
    several = [one for one in ids if one.startswith(first)]
    with pytest.raises(UserError) as caught:
        explain(OUT, first)
    more = ", …" if len(several) > 3 else ""
    assert str(caught.value) == (
        f"{len(several)} rows have an id that begins with '{first}': {', '.join(several[:3])}{more}; give more of it"
    )


def test_folders_that_hold_nothing(pool):
    with pytest.raises(UserError) as caught:
        explain(Path("nix"), "a")
    assert str(caught.value) == (
        "nix holds no run and no scores; give a run folder, or one that suffice score or suffice select wrote"
    )
    made = choose("--scorer", "length")
    write_rows(OUT / "selection.jsonl", [{"id": "other", "messages": []}])
    write_json(OUT / "manifest.json", json.loads((OUT / "manifest.json").read_text()))
    with pytest.raises(UserError) as caught:
        explain(OUT, made.pool.ids[0])
    assert str(caught.value) == (
        "out/selection.jsonl has rows that are not in the folder's pool; choose again with suffice select"
    )
