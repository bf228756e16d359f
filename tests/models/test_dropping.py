"""Templates that leave out turns, tokenizers without a model, and text in pieces of trained and not."""

import shutil

import pytest

from suffice.common.errors import UserError
from suffice.models import load_tokenizer
from suffice.models.dropping import CALLS, RESULTS, SYSTEM, find_dropped

SYSTEM_TURN = {"role": "system", "content": "Be kind."}
ASKED, ANSWERED = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "5"}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {}}}
WITH_CALL = [
    ASKED,
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "x", "tool_call_id": "1"},
    ANSWERED,
]
TURNS = "{% for m in messages %}{% if KEPT %}<|{{ m.role }}|>{{ m.content }}{{ m.tool_calls or '' }}{% endif %}{% endfor %}"


def loaded(folder, kept):
    return load_tokenizer(folder, TURNS.replace("KEPT", kept)).chat


def test_a_template_that_drops_nothing(tiny_model_folder):
    chat = loaded(tiny_model_folder, "true")
    assert chat.render([SYSTEM_TURN, ASKED, ANSWERED]) == "<|system|>Be kind.<|user|>Hi<|assistant|>5"
    assert "'f'" in chat.render(WITH_CALL)


@pytest.mark.parametrize(
    ("kept", "messages", "lost"),
    [
        ("m.role != 'system'", [SYSTEM_TURN, ASKED, ANSWERED], "system turns"),
        ("m.role != 'tool'", WITH_CALL, "tool results"),
        ("m.content", WITH_CALL, "tool calls"),
        ("m.role in ('user', 'assistant') and m.content", WITH_CALL, "tool calls and tool results"),
    ],
)
def test_a_template_that_drops_turns_is_refused(tiny_model_folder, kept, messages, lost):
    chat = loaded(tiny_model_folder, kept)
    assert chat.render([ASKED, ANSWERED]) == "<|user|>Hi<|assistant|>5"  # of what it has, nothing is dropped
    with pytest.raises(UserError) as caught:
        chat.render(messages)
    assert str(caught.value) == (
        f"the chat template drops {lost}, which the conversation has; "
        "give a template that renders them with --chat-template"
    )
    assert chat.encode_many([(messages, None)]) == [None]


def test_a_template_that_refuses_drops_nothing():
    def refuse(messages):
        raise ValueError("System role not supported")

    assert find_dropped(refuse) == frozenset()
    assert find_dropped(lambda messages: "") == {SYSTEM, CALLS, RESULTS}


def test_pieces_are_the_text_and_agree_with_the_mask(tiny_model):
    turns = [ASKED, {"role": "assistant", "content": "Pâris é"}, ASKED, ANSWERED]
    pieces = tiny_model.chat.segments(turns)
    assert "".join(text for text, _ in pieces) == tiny_model.chat.render(turns)
    assert [text for text, trained in pieces if trained] == ["Pâris é<|end|>", "5<|end|>"]
    assert [trained for _, trained in pieces] == [False, True, False, True]


def test_a_folder_with_a_tokenizer_alone(tiny_model_folder, tmp_path):
    whole = load_tokenizer(tiny_model_folder)
    assert (whole.window, whole.template) == (256, "its own")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"):
        if (tiny_model_folder / name).exists():
            shutil.copy(tiny_model_folder / name, tmp_path / name)
    alone = load_tokenizer(tmp_path)
    assert alone.window == 256  # the tokenizer says so too
    assert alone.chat.segments([ASKED, ANSWERED]) == whole.chat.segments([ASKED, ANSWERED])
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    bare = load_tokenizer(tmp_path, TURNS.replace("KEPT", "true"))
    assert (bare.template, bare.window) == ("the one given", None)
    with pytest.raises(UserError, match="neither a chat template nor an end-of-text token"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_without_a_template_gets_the_default(tiny_model_folder, tmp_path):
    shutil.copytree(tiny_model_folder, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").unlink()
    found = load_tokenizer(tmp_path / "model")
    assert found.template == "the default"
    text = found.chat.render([SYSTEM_TURN, *WITH_CALL])
    assert all(word in text for word in ("Be kind.", "<|tool|>\nx", '"name": "f"'))


def test_a_folder_without_a_tokenizer(tmp_path):
    with pytest.raises(
        UserError, match=r"the tokenizer in .* cannot be loaded: .*; give a folder with tokenizer.json"
    ):
        load_tokenizer(tmp_path)
