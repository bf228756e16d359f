"""Personal data and secrets: what is found, what is not, and where it stands."""

import sys

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_data import chat, make_example
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.personal import Finding, PersonalData, flag, write_flags
from suffice.data.pool import Pool

SEARCH = PersonalData()
KEY = "AKIA" + "IOSFODNN7ABCDEFG"


def found(text, search=SEARCH):
    example = make_example(chat("Hello", text), 1)
    return [(one.kind, text[one.start : one.end]) for one in search.find(example) if one.turn == 2]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Write to jane.doe+list@mail.acme.co.uk, please.", [("e-mail", "jane.doe+list@mail.acme.co.uk")]),
        ("ask <bob@müller.de>", [("e-mail", "bob@müller.de")]),
        ("call +44 20 7946 0958 now", [("phone", "+44 20 7946 0958")]),
        ("(+1) 650-253-0000", [("phone", "(+1) 650-253-0000")]),
        (f"aws_access_key_id = {KEY}", [("AWS Access Key", KEY)]),
        (f"{KEY} and {KEY}", [("AWS Access Key", KEY)] * 2),
        ("ghp_" + "a1B2" * 9, [("GitHub Token", "ghp_" + "a1B2" * 9)]),
        ("-----BEGIN RSA PRIVATE KEY-----", [("Private Key", "BEGIN RSA PRIVATE KEY")]),
        (
            "curl https://ann:hunter2@acme.com/x",
            [("Basic Auth Credentials", "://ann:hunter2@"), ("e-mail", "hunter2@acme.com")],
        ),
    ],
)
def test_what_is_found(text, what):
    assert found(text) == what


@pytest.mark.parametrize(
    "text",
    [
        "write to user@example.com, a@mail.example.org or b@site.test",
        "@home and x@y are none, nor is a @ b.com",
        "12 + 3456789 = 3456801 and 1 234 567 + 8 is 1 234 575",
        "650-253-0000 has no country code",
        "The server is 8.8.8.8 and the hash d41d8cd98f00b204e9800998ecf8427e is of nothing",
        "password = 'hunter2'",
        "",
    ],
)
def test_what_is_none(text):
    assert found(text) == []


def test_numbers_without_a_country_code_need_a_region():
    assert found("650-253-0000", PersonalData("US")) == [("phone", "650-253-0000")]
    with pytest.raises(UserError) as caught:
        PersonalData("us")
    assert str(caught.value) == "there is no region 'us'; give two capital letters, such as US"


def test_a_place_is_told_by_turn_and_character():
    example = make_example(chat("I am bob@acme.com", f"Use {KEY}"), 1)
    assert SEARCH.find(example) == [Finding("e-mail", 1, 5, 17), Finding("AWS Access Key", 2, 4, 24)]


@given(st.text(alphabet="a1@.+-:/ \n", max_size=80))
def test_places_lie_within_the_text(text):
    for one in SEARCH.find(make_example(chat(text, "x"), 1)):
        assert 0 <= one.start < one.end <= len(text)


def test_the_column_has_every_row_and_the_rows_are_not_changed(tmp_path):
    pool = Pool.from_examples(
        make_example(chat(text, "ok"), 1) for text in ("none", "a@acme.com", f"k {KEY}")
    )
    before = [row.messages for row in pool]
    write_flags(tmp_path / "flags.parquet", pool, flag(pool, SEARCH, Silent()))
    table = pq.read_table(tmp_path / "flags.parquet").to_pydict()
    assert table["id"] == pool.ids
    assert [[one["kind"] for one in own] for own in table["personal"]] == [[], ["e-mail"], ["AWS Access Key"]]
    assert KEY not in str(table)
    assert [row.messages for row in pool] == before


def test_without_the_libraries_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(UserError) as caught:
        PersonalData()
    assert str(caught.value) == (
        "personal data and secrets are looked for with phonenumbers and detect-secrets; "
        "pip install 'suffice[pools]'"
    )
