"""The tokenizer: digits and lone capitals by themselves, nothing lost, and the chat form of the pretraining text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.draws import Draws
from suffice.lab.documents import document
from suffice.lab.template import ASSISTANT, DOCUMENT, END, SPECIAL_TOKENS, USER, chat_text, turns_text
from suffice.lab.tokenizer import VOCABULARY, save_tokenizer
from suffice.lab.tool.task import draw_task
from suffice.lab.world import build_world

WORLD = build_world()


@pytest.fixture(scope="module")
def loaded(tokenizer, tmp_path_factory):
    """The tokenizer as transformers reads it from its folder."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(tokenizer, folder, 512)
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def chat(loaded):
    from suffice.models import Chat

    return Chat(loaded)


def test_special_tokens_come_first_and_are_single(tokenizer):
    assert tokenizer.get_vocab_size() == VOCABULARY == 1536
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4, 5]
    for number, token in enumerate(SPECIAL_TOKENS):
        assert tokenizer.encode(token).ids == [number]


def test_every_digit_is_a_token(tokenizer):
    assert all(len(token) == 1 for token in tokenizer.get_vocab() if any(sign.isdigit() for sign in token))
    assert tokenizer.encode("1887,42.").tokens == ["1", "8", "8", "7", ",", "4", "2", "."]
    assert [len(tokenizer.encode(text).ids) for text in ("7", "42", "1887")] == [1, 2, 4]


def test_every_lone_capital_is_a_token(tokenizer):
    assert tokenizer.encode("K4TX9").tokens == ["K", "4", "T", "X", "9"]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(index=st.integers(0, 10**9))
def test_documents_come_back_whole(tokenizer, index):
    text = document(WORLD, index)
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@settings(derandomize=True, deadline=None, max_examples=200)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_whole(tokenizer, loaded, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text
    assert loaded(text, add_special_tokens=False)["input_ids"] == tokenizer.encode(text).ids


def test_a_conversation_is_encoded_as_the_pretraining_text_has_it(tokenizer, chat):
    question, answer = "Compute 15 + 7 - 4.", "15 + 7 = 22\n22 - 4 = 18\nAnswer: 18"
    user, assistant = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    encoded = chat.encode([user, assistant])
    assert encoded.ids == tokenizer.encode(DOCUMENT + chat_text(question, answer)).ids
    prompt = tokenizer.encode(f"{DOCUMENT}{USER}{question}{ASSISTANT}").ids
    assert chat.encode_prompt([user]) == prompt == encoded.ids[: len(prompt)]
    assert encoded.trained == [False] * len(prompt) + [True] * (len(encoded.ids) - len(prompt))
    assert chat.stop_ids == {tokenizer.token_to_id(END)}


def test_several_turns_are_trained_on_each_answer(tokenizer, chat):
    turns = [("user", "Hello"), ("assistant", "Yes"), ("user", "More"), ("assistant", "No")]
    encoded = chat.encode([{"role": role, "content": text} for role, text in turns])
    trained = [token for token, on in zip(encoded.ids, encoded.trained, strict=True) if on]
    assert tokenizer.decode(trained, skip_special_tokens=False) == f"Yes{END}No{END}"


def test_a_talk_with_tools_is_encoded_as_the_pretraining_text_has_it(tokenizer, chat):
    """What the tool gives is read, never trained on."""
    turns = draw_task(Draws(3, "tokenizer")).solution()
    assert [role for role, _ in turns[:3]] == ["user", "assistant", "tool"]
    encoded = chat.encode([{"role": role, "content": content} for role, content in turns])
    assert encoded.ids == tokenizer.encode(DOCUMENT + turns_text(turns)).ids
    trained = [token for token, on in zip(encoded.ids, encoded.trained, strict=True) if on]
    said = "".join(f"{content}{END}" for role, content in turns if role == "assistant")
    assert tokenizer.decode(trained, skip_special_tokens=False) == said
    before = chat.encode_prompt([{"role": role, "content": content} for role, content in turns[:3]])
    assert before == tokenizer.encode(f"{DOCUMENT}{turns_text(turns[:3])}{ASSISTANT}").ids
