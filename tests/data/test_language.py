"""The languages of rows."""

from __future__ import annotations

import pytest

from made_data import chat, make_example
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data import language
from suffice.data.pool import Pool

pytest.importorskip("py3langid")

SAID = {
    "The river runs past the old mill and down to the sea.": "en",
    "Der Fluss fließt an der alten Mühle vorbei zum Meer.": "de",
    "La rivière passe devant le vieux moulin et va vers la mer.": "fr",
    "Река течёт мимо старой мельницы к морю.": "ru",
    "2 + 2": "und",
    "": "und",
    "\ud800 Le fleuve coule lentement vers la grande mer du nord.": "fr",
}


def test_texts():
    assert {text: language.language_of(text) for text in SAID} == SAID


def test_rows_of_a_pool_are_told_once(tmp_path, monkeypatch):
    rows = [(text, "x") for text in list(SAID)[:4]]
    pool = Pool.from_examples(
        make_example(chat(asked, said), line) for line, (asked, said) in enumerate(rows, 1)
    )
    found = language.languages_of(pool, tmp_path, Silent())
    assert found == ["en", "de", "fr", "ru"]
    monkeypatch.setattr(language, "language_of", lambda text: "xx")
    assert language.languages_of(pool, tmp_path, Silent()) == found
    assert language.languages_of(pool.take([1]), tmp_path, Silent()) == ["xx"]


@pytest.mark.parametrize("name", ["eng", "German", ""])
def test_codes_that_are_none(name):
    language.check_languages(["en", "de", "und"])
    with pytest.raises(UserError) as caught:
        language.check_languages(["en", name])
    assert str(caught.value) == (
        f"'{name}' is no code of a language that can be told; give codes such as en, de, fr or zh"
    )
