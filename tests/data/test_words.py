"""Words and runs of words, against plain Python."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.data.words import distinct, hash_words, runs, words

TEXTS = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40), max_size=8)
WORDY = st.lists(st.text(alphabet="ab +. é日\n", max_size=30), max_size=8)


def slow_words(text):
    """Character by character, by Unicode category."""
    found, word = [], ""
    for letter in f"{unicodedata.normalize('NFKC', text).casefold()} ":
        kind = unicodedata.category(letter)
        if ord(letter) >= 128 and kind == "Cf":
            continue
        alone = kind[0] == "S" or (ord(letter) < 128 and re.match(r"[#%&*/@\\_\-]", letter))
        unspaced = kind[0] in "LMN" and "<" in fold_marks(letter)
        if kind[0] in "LMN" and not unspaced:
            word += letter
            continue
        found += [word] if word else []
        word = ""
        found += [letter] if (alone and letter != "`") or unspaced else []
    return found


def fold_marks(letter):
    """A mark for letters of scripts without blanks, by the names that Unicode gives them."""
    name = unicodedata.name(letter, "")
    return "<" if re.match(r"(CJK UNIFIED|HIRAGANA|KATAKANA|THAI|KHMER|MYANMAR|LAO) ", name) else ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello,  World!", ["hello", "world"]),
        ("5+3 - 2 = ?", ["5", "+", "3", "-", "2", "="]),
        ("ﬁne Straße x² \uff46\uff55ll", ["fine", "strasse", "x2", "full"]),
        ("日本語です。", ["日", "本", "語", "で", "す"]),
        ("don’t «quote» a\u00adb", ["don", "t", "quote", "ab"]),
        ("€5 ≠ $5", ["€", "5", "≠", "$", "5"]),
        ("a\x00b\tc", ["a", "b", "c"]),
        (" ?! … ", []),
        ("", []),
    ],
)
def test_words(text, found):
    assert words(text) == found


@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"], max_codepoint=0x2FF), max_size=60
    )
)
def test_words_are_those_of_a_slow_reference(text):
    assert words(text) == slow_words(text)


@given(st.text(max_size=60))
def test_letter_case_and_blanks_make_no_difference(text):
    assert words(" ".join(words(text))) == words(text)
    if text.isascii():
        assert words(f"  {text.upper()}\n") == words(text)


@given(TEXTS)
def test_words_of_many_texts_are_those_of_each(texts):
    hashed = hash_words(texts)
    assert len(hashed) == len(texts)
    each = [hash_words([text]).values for text in texts]
    np.testing.assert_array_equal(hashed.values, np.concatenate([*each, np.empty(0, np.uint64)]))
    assert np.diff(hashed.offsets).tolist() == [len(words(text)) for text in texts]


@given(WORDY)
def test_words_are_equal_where_their_hashes_are(texts):
    spelt = [word for text in texts for word in words(text)]
    values = hash_words(texts).values.tolist()
    assert len(set(zip(spelt, values, strict=True))) == len(set(spelt)) == len(set(values))


@given(WORDY, st.integers(1, 4), st.booleans())
def test_runs_are_equal_where_their_words_are(texts, size, whole):
    spelt = []
    for text in texts:
        found = words(text)
        if whole and 0 < len(found) < size:
            spelt.append([tuple(found)])
        else:
            spelt.append([tuple(found[at : at + size]) for at in range(len(found) - size + 1)])
    hashed = runs(hash_words(texts), size, whole=whole)
    assert np.diff(hashed.offsets).tolist() == [len(found) for found in spelt]
    flat = [run for found in spelt for run in found]
    assert len(set(zip(flat, hashed.values.tolist(), strict=True))) == len(set(flat))
    assert len(set(hashed.values.tolist())) == len(set(flat))
    hashes, offsets = distinct(hashed)
    assert np.diff(offsets).tolist() == [len(set(found)) for found in spelt]
    for text in range(len(texts)):
        own = hashes[offsets[text] : offsets[text + 1]]
        assert own.tolist() == sorted(set(own.tolist()))


def test_hashes_are_the_same_on_every_machine():
    assert hash_words(["one Two"]).values.tolist() == [REFERENCE[word] for word in ("one", "two")]


def reference(word):
    mask = 2**64 - 1
    value = (
        sum((byte + 1) * pow(0x9E3779B97F4A7C15, at, 2**64) for at, byte in enumerate(word.encode())) & mask
    )
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ value >> 27) * 0x94D049BB133111EB & mask
    return value ^ value >> 31


REFERENCE = {word: reference(word) for word in ("one", "two")}


def test_a_lone_surrogate_is_no_mistake():
    assert words("a \ud800 b") == ["a", "b"]
