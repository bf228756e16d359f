"""Recipes: what may stand in one, and what is said of what may not."""

import pytest
import yaml

from suffice.common.errors import UserError
from suffice.runs.fields import recipe_names
from suffice.runs.recipe import read_recipe

GIVEN = {"pool": ["p.jsonl"], "target.file": "t.jsonl"}


def refused(source, overrides=None):
    with pytest.raises(UserError) as caught:
        read_recipe(source, overrides)
    return str(caught.value)


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "my.yaml").write_text(text)
        return "my.yaml"

    return write


def test_the_packaged_recipes_are_whole():
    names = [
        "critique",
        "critique-lab",
        "curve",
        "demo",
        "demo-quick",
        "less",
        "lima",
        "one-shot",
        "one-shot-lab",
    ]
    assert recipe_names() == names
    for name in ("curve", "demo", "demo-quick", "less", "lima"):
        recipe = read_recipe(name, GIVEN)
        assert recipe.name == name
        assert recipe.design.margin == 2.0
        assert recipe.design.arms == ["base", "random", "longest", "selected", "full"]
    assert read_recipe("demo", GIVEN).selection.budget == 1000


def test_overrides_are_laid_over_and_none_overrides_nothing():
    recipe = read_recipe("lima", GIVEN | {"design.draws": 7, "seed": 3, "selection.budget": None})
    assert (recipe.design.draws, recipe.seed, recipe.selection.budget) == (7, 3, 1000)
    assert recipe.design.seeds == 3  # the rest of the section stays
    assert recipe.target.file == "t.jsonl"


def test_a_recipe_comes_back_from_its_file(tmp_path):
    recipe = read_recipe("lima", GIVEN | {"training.learning_rate": 3e-4, "chat_template": "{# é #}\nx"})
    recipe.write(tmp_path / "r.yaml")
    assert read_recipe(tmp_path / "r.yaml") == recipe


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({}, "recipe lima lacks 'pool'; give it with --pool"),
        ({"pool": ["p"]}, "recipe lima lacks 'target'; give it with --target"),
        ({"pool": ["p"], "target.items": 3}, "recipe lima lacks 'target.file'; give it with --target"),
        (
            {"design.margin": -1.0},
            "recipe lima: design.margin = -1.0: Input should be greater than 0; mend the value",
        ),
        (
            {"design.margin": float("inf")},
            "recipe lima: design.margin = inf: Input should be a finite number; mend the value",
        ),
        (
            {"training.match": "tokens"},
            "recipe lima: training.match = 'tokens': Input should be 'steps' or 'epochs'; mend the value",
        ),
        (
            {"design.arms": ["base", "selectd"]},
            (
                "recipe lima: design.arms.1 = 'selectd': "
                "Input should be 'base', 'random', 'longest', 'length-matched', 'compute-matched', 'selected' or 'full'; mend the value"
            ),
        ),
        (
            {"design.arms": ["base", "random"]},
            "recipe lima: design.arms: the arm 'selected' is missing, and it is what a run judges; mend the recipe",
        ),
        (
            {"design.arms": ["base", "selected", "base"]},
            "recipe lima: design.arms: an arm is named twice; mend the recipe",
        ),
        (
            {"training.match": "epochs", "training.steps": 5},
            "recipe lima: training: equal epochs leave no choice of steps; give training.epochs alone; mend the recipe",
        ),
        (
            {"training.rates": [1e-4, 0.0]},
            "recipe lima: training.rates.1 = 0.0: Input should be greater than 0; mend the value",
        ),
        (
            {"selection.scoer": "length"},
            "unknown field of recipe lima: 'selection.scoer'; did you mean 'selection.scorer'?",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(overrides, text):
    given = overrides if "lacks" in text else GIVEN | overrides
    assert refused("lima", given) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("pool: [p\ntarget: {", "my.yaml, line 2: this is not YAML; mend the line"),
        ("- a\n- b\n", "my.yaml holds no recipe; write fields such as model, pool and target"),
        ("", "my.yaml lacks 'pool'; give it with --pool"),
        (
            "traning: {steps: 3}\npool: [p]\ntarget: {file: t}\n",
            "unknown field of my.yaml: 'traning'; did you mean 'training'?",
        ),
        (
            "pool: [p]\ntarget: {file: t}\nbudget: 5\n",
            (
                "unknown field of my.yaml: 'budget'; choose one of: chat_template, design, execution, model, name, pool, "
                "reading, seed, selection, target, training"
            ),
        ),
        (
            "pool: []\ntarget: {file: t}\n",
            "my.yaml: pool = []: List should have at least 1 item after validation, not 0; mend the value",
        ),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(write, content, text):
    assert refused(write(content)) == text


def test_text_that_is_not_utf8_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_bytes(b"name: caf\xe9\n")
    assert refused("my.yaml") == "my.yaml, line 1: this is not YAML; mend the line"


@pytest.mark.parametrize("section", ["target: t.jsonl", "target:"])
def test_an_override_meets_a_section_that_is_none(write, section):
    source = write(f"pool: [p]\n{section}\n")
    if section == "target:":
        assert read_recipe(source, {"target.file": "t"}).target.file == "t"
    else:
        assert refused(source, {"target.items": 3}).startswith(
            "my.yaml: target = 't.jsonl': Input should be a valid dict"
        )


def test_a_recipe_that_is_not_there_gets_a_guess(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused("my.yaml") == "no recipe file my.yaml; check the path"
    assert refused("lema") == "unknown recipe 'lema'; did you mean 'lima'?"


def test_differences_are_told_and_execution_is_none():
    first = read_recipe("lima", GIVEN)
    assert (
        first.differences(read_recipe("lima", GIVEN | {"execution.jobs": 7, "execution.keep_weights": "all"}))
        == []
    )
    assert first.differences(read_recipe("lima", GIVEN | {"design.margin": 1.0, "seed": 4})) == [
        "design.margin is 2.0 there and 1.0 here",
        "seed is 0 there and 4 here",
    ]


@pytest.mark.parametrize(
    ("overrides", "rows", "steps"),
    [
        ({}, 1000, 128),  # ceil(1000 / 32) x 4
        ({}, 15_000, 128),  # equal steps: the pool's size is immaterial
        ({"training.match": "epochs"}, 15_000, 1876),  # ceil(15000 / 32) x 4
        ({"training.epochs": 0.01}, 1000, 1),
        ({"training.steps": 7}, 15_000, 7),
    ],
)
def test_steps(overrides, rows, steps):
    assert read_recipe("lima", GIVEN | overrides).steps(rows, 1000) == steps


def test_yaml_takes_rates_without_a_dot(write):
    source = write(
        yaml.safe_dump({"pool": ["p"], "target": {"file": "t"}}) + "training: {learning_rate: 1e-5}\n"
    )
    assert read_recipe(source).training.rate() == 1e-5


@pytest.mark.parametrize(
    ("overrides", "rates"),
    [
        ({}, []),
        ({"training.rates": [1e-3]}, []),
        ({"training.tune": True, "training.learning_rate": 3e-4}, [1e-4, 3e-4, 9e-4]),
        ({"training.tune": True, "training.lora": True, "training.rates": [2e-3, 1e-3]}, [1e-3, 2e-3]),
    ],
)
def test_rates_to_try(overrides, rates):
    assert read_recipe("lima", GIVEN | overrides).training.rates_to_try() == pytest.approx(rates)


@pytest.mark.parametrize("spelling", ["last line", "last-line", "last_line"])
def test_an_extractor_may_be_spelled_as_people_do(spelling):
    assert read_recipe("lima", GIVEN | {"target.extractor": spelling}).target.extractor == "last_line"
