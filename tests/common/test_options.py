"""Options of plug-ins: words become the types of their settings, and what does not fit is refused by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.common.options import Option, make, options_of, read_options, resolved


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings.

    Attributes:
        size: How many, told
            over two lines.
        how: In which way.
        folder: Where.
    """

    size: int = 3
    how: Literal["this", "that"] = "this"
    folder: Path | None = None


class _Scorer:
    Settings = _Settings

    def __init__(self, settings=None):
        self.settings = settings


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda kind, name: _Scorer if name == "made" else object)


def test_words_become_the_types_of_the_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"size": "5", "how": "that", "folder": "here"}
    assert make("scorers", "made", given).settings == _Settings(5, "that", Path("here"))
    assert resolved("scorers", "made", given) == {"size": 5, "how": "that", "folder": str(tmp_path / "here")}
    assert make("scorers", "made").settings == _Settings()
    assert resolved("scorers", "made", {}) == {}
    assert isinstance(make("scorers", "plain"), object)


def test_options_are_told_with_their_defaults():
    assert options_of("scorers", "made") == [
        Option("size", 3, "How many, told over two lines."),
        Option("how", "this", "In which way."),
        Option("folder", None, "Where."),
    ]
    assert options_of("scorers", "plain") == []


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("made", {"sise": 1}, "unknown option of the scorer made: 'sise'; did you mean 'size'?"),
        (
            "made",
            {"size": "many"},
            (
                "the scorer made: size = 'many': Input should be a valid integer, unable to parse string as an integer; "
                "mend the value"
            ),
        ),
        (
            "made",
            {"how": "so"},
            "the scorer made: how = 'so': Input should be 'this' or 'that'; mend the value",
        ),
        ("plain", {"size": 1}, "the scorer 'plain' has no options; leave out size"),
    ],
)
def test_what_does_not_fit_is_refused(name, given, text):
    with pytest.raises(UserError) as caught:
        make("scorers", name, given)
    assert str(caught.value) == text


def test_options_on_the_command_line():
    assert read_options(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    assert read_options(None) == {}
    for bad in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UserError) as caught:
            read_options(bad)
        assert str(caught.value) == (
            f"--set has '{bad[-1]}'; write NAME=VALUE once for each option, such as --set size=4096"
        )
