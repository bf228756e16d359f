"""The gates on a bench whose jobs are not done but answered, so that each reading can be worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from suffice.common.errors import UserError
from suffice.common.files import write_json
from suffice.common.progress import Silent
from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates import GATES, srlm
from suffice.lab.measure.knowing import Knowing
from suffice.lab.measure.measure import measure
from suffice.lab.measure.reinforced import Reinforced
from suffice.lab.measure.sampled import Continued, Sampled
from suffice.lab.measure.selected import Selected
from suffice.lab.measure.tuned import Acting, Asked
from suffice.lab.tool.skills import SKILLS

# Percent that each arm gets right, by what its jobs are.
LIMI = {0: 1, 20: 60, 78: 90}


class Answered(Bench):
    """A bench on which every job gets the answer that `answer` gives."""

    def run(self, name, jobs):
        return [self.answer(name, job) for job in jobs]

    def run_all(self, name, arms):
        return {arm: self.run(arm, jobs) for arm, jobs in arms.items()}

    def answer(self, name, job):
        match job:
            case Asked():
                return asked(job, rate_of(name, len(job.training.rows)))
            case Acting():
                rate = 3 if "other" in name else LIMI[len(job.training.rows)]
                return scores(rate, [list(SKILLS)[i % 5] for i in range(job.tasks)])
            case Knowing():
                return scores(50 if job.people[0] == self.world.rare[0].name else 97, ["town"] * 100)
            case Sampled():
                return {"replies": [[reply(i)] * job.samples for i, _ in enumerate(job.questions)]}
            case Continued():
                return {"scores": [100.0] * len(job.texts)}
            case Selected():
                return {"rows": [{"messages": [{"role": "user", "content": "q"}]}], "good": 970}
            case Reinforced():
                rates = {"correct": 95, "format": 5, "wrong": 4} if job.family == "chain" else {}
                rate = 97 if job.whole else rates.get(job.reward, 80)
                return scores(rate, [job.family] * len(job.questions))


def scores(rate, families):
    """100 for the first ``rate`` percent of the items, else 0."""
    count = len(families)
    return {
        "scores": [100.0 * (i < rate * count / 100) for i in range(count)],
        "families": list(families),
        "clusters": [str(i) for i in range(count)],
    }


def asked(job, rate):
    found = scores(100, [row["task"] for row in job.items])
    counts: dict[str, int] = {}
    for place, family in enumerate(found["families"]):
        counts[family] = counts.get(family, 0) + 1
        found["scores"][place] = 100.0 * (counts[family] <= rate * 33 / 100)
    return found


def rate_of(name, rows):
    named = {
        "random": 40,
        "full, equal steps": 20,
        "full, equal epochs": 30,
        "chosen, plain": 92,
        "chosen, hard": 70,
        "1000 good, hard pool": 94,
        "new wording": 88,
        "fact alone": 20,
        "arith alone": 10,
        "chain, base": 3,
        "arith, base": 0,
        "zero-shot": 1,
    }
    return named.get(name, {10: 50, 30: 60, 100: 80, 300: 85, 1000: 94, 3000: 95}.get(rows))


def reply(i):
    """In turn a short wrong rationale, a long right one, and none."""
    return (
        {"text": "1 + 2 + 3 = 9\nAnswer: 9", "right": False},
        {"text": "1 + 2 = 3\n3 + 3 = 6\nAnswer: 6", "right": True},
        {"text": "I am not sure about that.", "right": False},
    )[i % 3]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    base = tmp_path_factory.mktemp("base")
    write_json(base / "lab.json", {"stages": {"25": 1, "50": 2}})
    return Answered(base, base / "kept", None, Silent(), quick=True)


def readings(bench, gate):
    return {reading.id: reading for reading in GATES[gate](bench)}


def test_every_condition_has_an_id_of_its_own_and_a_target(bench):
    found = [reading for gate in GATES for reading in GATES[gate](bench)]
    ids = [reading.id for reading in found]
    assert len(ids) == len(set(ids))
    assert {name.split(".")[0] for name in ids} == set(GATES)
    assert all(reading.target for reading in found)
    for gate in ("zero-shot", "headroom"):
        assert {f"{gate}.{family}" for family in FAMILIES} <= set(ids)
    assert {f"lima.good.{family}" for family in FAMILIES} <= set(ids)


def test_lima_bounds_the_full_pool_by_the_good_rows(bench):
    found = readings(bench, "lima")
    good = found["lima.good"].value
    assert good == pytest.approx(100 * 31 / 33)
    assert found["lima.full-steps"].most == pytest.approx(good - 10)
    assert found["lima.full-steps"].least == 5
    assert found["lima.random"].value == pytest.approx(100 * 13 / 33)
    assert (found["lima.random"].least, found["lima.random"].most) == (20, 60)


def test_selection_is_measured_from_the_oracle_down(bench):
    found = readings(bench, "selection")
    assert found["selection.plain"].value == pytest.approx(100 * 1 / 33)
    assert found["selection.hard"].value == pytest.approx(100 * (31 - 23) / 33)


def test_the_budget_rises_where_its_smallest_step_does(bench):
    found = readings(bench, "budget")
    assert found["budget.rising"].value == pytest.approx(100 * 5 / 33)  # from 100 to 1,000 rows
    whole = readings(replace(bench, quick=False), "budget")
    assert whole["budget.rising"].value == pytest.approx(28 - 26)  # of 100 items, from 100 to 300 rows
    assert found["budget.100-to-1000"].value == pytest.approx(100 * (31 - 26) / 33)
    assert found["budget.1000-to-3000"].value == pytest.approx(0)


def test_diversity_leaves_the_narrow_family_out(bench):
    found = readings(bench, "diversity")
    assert found["diversity.fact"].value == pytest.approx(100 * (31 - 6) / 33)


def test_one_example_is_told_in_percent_of_the_whole_sets_gain(bench):
    found = readings(bench, "rlvr-a")
    assert found["rlvr-a.one"].value == pytest.approx(100 * (95 - 1) / (97 - 1), abs=3)
    assert found["rlvr-a.format"].met
    assert readings(bench, "rlvr-b")["rlvr-b.wrong"].met


def test_trajectories_are_compared_with_fewer_and_with_other_rows(bench):
    found = readings(bench, "limi")
    assert {name: round(reading.value) for name, reading in found.items()} == {
        "limi.copying": 100,
        "limi.base": 1,
        "limi.78": 90,
        "limi.other-78": 2,
        "limi.20-to-78": 30,
    }


def test_rationales_are_short_long_or_none(bench):
    assert [srlm.kind(reply(i)["text"]) for i in range(3)] == ["short", "long", "none"]
    found = readings(bench, "srlm")
    assert found["srlm.short"].value == pytest.approx(50)
    assert found["srlm.gap"].value == 100
    assert found["srlm.suffix"].value == pytest.approx(100 / 3, abs=1)


def test_strength_is_the_smallest_step_from_stage_to_stage(bench, tmp_path):
    found = readings(bench, "strength")
    assert set(found) == {"strength.knowledge", "strength.headroom", "strength.lima"}
    assert all(reading.value == 0 and reading.met for reading in found.values())
    write_json(tmp_path / "lab.json", {})
    assert readings(replace(bench, base=tmp_path), "strength") == {}


def test_an_unknown_gate_is_refused_before_anything_is_done():
    with pytest.raises(UserError) as caught:
        list(measure(Path("base"), Path("kept"), Silent(), gates=["limo"]))
    assert str(caught.value) == "unknown gate 'limo'; did you mean 'limi'?"


def test_an_unknown_condition_is_refused_with_a_guess(monkeypatch, bench, tmp_path):
    monkeypatch.setattr("suffice.lab.measure.measure.Bench", lambda *_: bench)
    with pytest.raises(UserError) as caught:
        list(measure(bench.base, tmp_path, Silent(), gates=["srlm.sufix"]))
    assert str(caught.value) == "unknown condition 'srlm.sufix'; did you mean 'srlm.suffix'?"
    [reading] = measure(bench.base, tmp_path, Silent(), gates=["srlm.suffix"])
    assert reading.id == "srlm.suffix"
