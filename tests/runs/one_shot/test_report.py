"""The page of a run on one example: what it says, that it is safe and whole, and what it does without optional parts."""

import pytest

from one_shot_folder import ARMS, make_folder
from pages import drawings, loads_nothing, read
from suffice.cli.running import run_stage
from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.runs.one_shot.presenting import report_data, write_report

CHAIN = ("base", "template", "format", "one")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of two tasks with its page."""
    out = make_folder(tmp_path_factory.mktemp("runs") / "run", tasks=("chain", "arith"))
    write_report(out)
    return out


@pytest.fixture
def small(tmp_path):
    """Makes a folder of one task with the arms of the chain."""

    def make(**given):
        arms = {arm: ARMS[arm] for arm in CHAIN}
        return make_folder(tmp_path / "run", **{"arms": arms, "steps": 3, **given})

    return make


def page_of(out):
    return write_report(out).read_text()


def test_the_page_says_the_verdict_of_each_task_before_anything_else(whole):
    page = (whole / "report.html").read_text()
    text = "".join(read(page).text)
    for task in read_json(whole / "verdict.json")["tasks"]:
        for sentence in task["sentences"]:
            assert text.index(sentence) < text.index("What the gain is made of")
    ids = [attributes["id"] for _, attributes in read(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "Of 12 test items one example fixes" in text
    assert "What is 12?" in text  # the example
    assert "Answer: 58" in text
    assert "3 × time" in text
    assert "Updating the weights takes 65\u00a0% of the time of training." in text


def test_the_page_asks_for_nothing_and_has_no_script(whole):
    tags = loads_nothing((whole / "report.html").read_text())
    assert not [tag for tag, _ in tags if tag == "script"]


def test_the_page_and_its_figures_are_the_same_bytes_each_time(whole):
    def written():
        files = [whole / "report.html", *sorted((whole / "figures").iterdir())]
        return {path.name: path.read_bytes() for path in files}

    before = written()
    write_report(whole)
    assert written() == before
    assert {"chain-1.svg", "training-2.svg"} <= set(before)


def test_a_step_of_the_chain_begins_where_the_last_ended(whole):
    data = report_data(whole)
    [greedy, one, _] = data.tasks[0].metrics
    assert (greedy.name, one.name) == ("greedy", "pass@1")
    at = greedy.arm("base").mean.estimate
    for before, after, step in greedy.chain:
        assert at == pytest.approx(greedy.arm(before).mean.estimate)
        at += step.estimate
        assert at == pytest.approx(greedy.arm(after).mean.estimate)
    assert [len(arm.runs) for arm in greedy.arms] == [count for _, count in ARMS.values()]
    mean = greedy.arm("random-one")
    assert sum(mean.runs) / 5 == pytest.approx(mean.mean.estimate)
    tree = drawings((whole / "report.html").read_text())["chain-1-0"]
    bars = [part for part in tree.iter("rect") if part.get("class") == "spread"]
    ends = [float(bar.get("x")[:-1]) + float(bar.get("width")[:-1]) for bar in bars]
    starts = [float(bar.get("x")[:-1]) for bar in bars]
    rising = all(step.estimate >= 0 for _, _, step in greedy.chain)
    assert rising
    assert starts[1:] == pytest.approx(ends[:-1], abs=0.02)


def test_false_rewards_are_drawn_unlike_right_ones(whole):
    found = drawings((whole / "report.html").read_text())
    looks = [found[f"training-1-{place}-reward"].find("g").get("class") for place in range(10)]
    right = ["arm-selected", "arm-random", "arm-random", "arm-other", "arm-other", "arm-full"]
    assert looks == ["arm-false"] * 4 + right


def test_hostile_replies_questions_and_arms_are_text(small):
    nasty = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\ud800"
    arm = "<img src=x onerror=alert(1)>"
    arms = {name: ARMS[name] for name in CHAIN} | {arm: (0.3, 2), "..": (0.1, 0)}
    out = small(arms=arms, reply=nasty + "{}", question=nasty + "{}")
    page = page_of(out)
    loads_nothing(page)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert arm.replace("<", "&lt;").replace(">", "&gt;")[:12] in page
    for figure in (out / "figures").iterdir():
        assert "<script" not in figure.read_text()


def test_no_run_is_looked_for_outside_the_arms(small):
    out = small()
    found = read_json(out / "verdict.json")
    found["tasks"][0]["metrics"][0]["arms"].append(
        {"arm": "../..", "runs": 1, "estimate": 1, "low": 0, "high": 2}
    )
    write_json(out / "verdict.json", found)
    arms = report_data(out).tasks[0].metrics[0].arms
    assert (arms[-1].name, arms[-1].runs) == ("../..", ())


def test_what_is_not_there_is_said(small):
    out = small(items=4)
    for path in [*out.glob("arms/*/*/*.json*"), out / "templates.json", out / "manifest.json"]:
        path.unlink()
    for name in ("examples.jsonl", "target.jsonl"):
        (out.parent / name).unlink()
    found = read_json(out / "verdict.json")
    del found["tasks"][0]["choice"], found["tasks"][0]["time"]
    write_json(out / "verdict.json", found)
    text = "".join(read(page_of(out)).text)
    for says in (
        "The steps of the trainings were not recorded.",
        "How the example was chosen was not recorded.",
        "The replies of base and one are not there to be compared.",
        "Nothing was trained, or the time of it was not recorded.",
        "The run has not ended, so that there is no manifest.",
        "Texts of examples or test items are not shown",
    ):
        assert says in text
    assert "Has the base seen the test?" not in text


def test_texts_are_not_shown_of_another_file(small):
    out = small()
    write_json(out / "manifest.json", {"examples": "another", "target": "another"})
    text = "".join(read(page_of(out)).text)
    assert "What is 1?" not in text
    assert "the file of examples is not there, or no longer the one that was read" in text


def test_contamination_is_told_where_it_was_tested(small):
    out = small()
    found = read_json(out / "verdict.json")
    rates = {"exact": {"estimate": 51.3, "low": 40.0, "high": 62.0}, "rouge_l": None}
    told = {"fraction": 0.6, "test": {"items": 12, **rates}, "sentence": "The base knows <half> of them."}
    gain = {"estimate": 7.25, "low": 1.0, "high": 13.5}
    told["arms"] = {"gains": [{"arm": "one", "fresh": gain, "test": gain, "difference": gain}]}
    found["tasks"][0]["contamination"] = told
    write_json(out / "verdict.json", found)
    page = page_of(out)
    assert page.count("The base knows &lt;half&gt; of them.") == 2
    assert "51.3 [40.0,\u00a062.0]" in page
    assert page.count("7.2 [1.0,\u00a013.5]") == 3
    found["tasks"][0]["sentences"].append(told["sentence"])
    write_json(out / "verdict.json", found)
    assert page_of(out).count("The base knows &lt;half&gt; of them.") == 2  # not said twice over


def test_a_run_without_a_verdict_has_no_page(small):
    out = small()
    (out / "verdict.json").unlink()
    with pytest.raises(UserError) as error:
        write_report(out)
    assert error.value.message == f"no task of {out} has a verdict yet"
    assert error.value.remedy == f"go on with: suffice run {out / 'recipe.yaml'} --out {out}"


def test_suffice_report_draws_the_page_and_other_stages_are_refused(small, capsys):
    out = small()
    run_stage(out, "report", json=False, quiet=True)
    assert capsys.readouterr().out == f"Report: {out / 'report.html'}\n"
    with pytest.raises(UserError) as error:
        run_stage(out, "train", json=False, quiet=True)
    assert error.value.message == f"{out} holds a run of the kind one-shot, which has no stage 'train'"
    assert error.value.remedy == f"go on with: suffice run {out / 'recipe.yaml'} --out {out}"
