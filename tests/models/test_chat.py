from __future__ import annotations

import pytest

from suffice.common.errors import UserError
from suffice.models import load_model
from suffice.models.chat import Chat

TWO_TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Pâris é"},
    {"role": "user", "content": "More"},
    {"role": "assistant", "content": "5"},
]
# Ends a turn with a line break after the special token, as Zephyr's and Qwen's templates do.
LINES = (
    "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
MARKED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>"
    "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
    "{% else %}<|user|>{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FORGETFUL = (  # an earlier answer is shortened once a later turn stands behind it
    "{% for m in messages %}{{ '<|' + m.role + '|>' }}"
    "{% if m.role == 'assistant' and not loop.last %}(left out){% else %}{{ m.content }}{% endif %}"
    "{{ '<|end|>' }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def trained_text(model, encoded):
    """The trained tokens as text, with a bar where others stand between them."""
    groups, group = [], []
    for token, trained in zip(encoded.ids, encoded.trained, strict=True):
        if trained:
            group.append(token)
        elif group:
            groups.append(group)
            group = []
    return "|".join(model.tokenizer.decode(g) for g in [*groups, group] if g)


def with_template(folder, template):
    return load_model(folder, device="cpu", chat_template=template)


def test_tokens_are_those_of_the_rendered_text(tiny_model):
    encoded = tiny_model.chat.encode(TWO_TURNS)
    text = "<|user|>Hi<|assistant|>Pâris é<|end|><|user|>More<|assistant|>5<|end|>"
    assert tiny_model.chat.render(TWO_TURNS) == text
    assert encoded.ids == tiny_model.tokenizer(text, add_special_tokens=False)["input_ids"]


def test_trained_are_the_answers_and_the_tokens_that_end_them(tiny_model):
    encoded = tiny_model.chat.encode(TWO_TURNS)
    assert trained_text(tiny_model, encoded) == "Pâris é<|end|>|5<|end|>"


def test_what_follows_the_end_of_a_turn_is_not_trained(tiny_model_folder):
    model = with_template(tiny_model_folder, LINES)
    assert trained_text(model, model.chat.encode(TWO_TURNS)) == "Pâris é<|end|>|5<|end|>"


def test_generation_marks_give_the_same_mask(tiny_model, tiny_model_folder):
    model = with_template(tiny_model_folder, MARKED)
    assert model.chat.encode(TWO_TURNS) == tiny_model.chat.encode(TWO_TURNS)
    assert model.chat.encode_many([(TWO_TURNS, None)]) == tiny_model.chat.encode_many([(TWO_TURNS, None)])


def test_a_template_without_an_end_token_trains_the_answer(tiny_model_folder):
    plain = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    model = with_template(
        tiny_model_folder, plain + "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
    )
    assert trained_text(model, model.chat.encode(TWO_TURNS)) == " Pâris é\n| 5\n"


def test_a_prefix_that_renders_otherwise_is_refused(tiny_model_folder):
    model = with_template(tiny_model_folder, FORGETFUL)
    assert trained_text(model, model.chat.encode(TWO_TURNS[:2])) == "Pâris é<|end|>"
    with pytest.raises(UserError) as caught:
        model.chat.encode(TWO_TURNS)
    assert str(caught.value) == (
        "the chat template renders the first 2 messages otherwise alone than within the whole conversation, so "
        "the assistant's tokens cannot be told apart; give a template that marks them with {% generation %} by "
        "--chat-template"
    )


def test_many_at_once_give_what_each_gives_alone(tiny_model, monkeypatch):
    monkeypatch.setattr("suffice.models.chat._BATCH", 2)
    rows = [(TWO_TURNS, None), (TWO_TURNS[:2], None), (TWO_TURNS[2:], None)]
    assert tiny_model.chat.encode_many(rows) == [tiny_model.chat.encode(*row) for row in rows]
    assert tiny_model.chat.token_ids(rows) == [tiny_model.chat.encode(*row).ids for row in rows]
    assert tiny_model.chat.encode_many([]) == tiny_model.chat.token_ids([]) == []


def test_a_conversation_that_the_template_refuses(tiny_model_folder):
    strict = (
        "{{ raise_exception('roles must alternate') if messages|length > 1 and messages[1].role == 'user' }}"
    )
    model = with_template(tiny_model_folder, strict + LINES)
    bad = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    with pytest.raises(UserError) as caught:
        model.chat.encode(bad)
    assert str(caught.value) == (
        "the chat template refuses a conversation of user, user: roles must alternate; mend the conversation or "
        "give another template with --chat-template"
    )
    rows = [(bad, None), (TWO_TURNS, None)]
    assert [row is None for row in model.chat.encode_many(rows)] == [True, False]
    assert [row is None for row in model.chat.token_ids(rows)] == [True, False]


def test_a_prompt_ends_with_what_opens_the_reply(tiny_model):
    ids = tiny_model.chat.encode_prompt(TWO_TURNS[:1])
    assert tiny_model.tokenizer.decode(ids) == "<|user|>Hi<|assistant|>"


def test_stop_ids_are_end_of_text_and_the_end_of_a_turn(tiny_model, tiny_model_folder):
    tokenizer = tiny_model.tokenizer
    assert tiny_model.chat.stop_ids == {tokenizer.convert_tokens_to_ids("<|end|>")}
    other = load_model(tiny_model_folder, device="cpu").tokenizer
    other.chat_template = "{% for m in messages %}{{ m.content + '<|user|>\n' }}{% endfor %}"
    ends = {"<|end|>", "<|user|>"}
    assert Chat(other).stop_ids == set(tokenizer.convert_tokens_to_ids(sorted(ends)))


def test_tools_reach_the_template(tiny_model_folder):
    model = with_template(tiny_model_folder, "{% if tools %}{{ tools[0].name }}{% endif %}" + LINES)
    assert model.chat.render(TWO_TURNS, [{"name": "look_up"}]).startswith("look_up<|user|>")


def test_the_default_template(tiny_model_folder, tmp_path):
    bare = load_model(tiny_model_folder, device="cpu")
    bare.tokenizer.chat_template = None
    bare.tokenizer.save_pretrained(tmp_path)
    bare.network.save_pretrained(tmp_path)
    model = load_model(tmp_path, device="cpu")
    assert model.chat.render(TWO_TURNS[:2]) == "<|user|>\nHi\n<|assistant|>\nPâris é<|end|>\n"
    assert trained_text(model, model.chat.encode(TWO_TURNS)) == "Pâris é<|end|>|5<|end|>"
    call = {"role": "assistant", "content": "", "tool_calls": [{"name": "look", "arguments": {}}]}
    assert model.chat.render([TWO_TURNS[0], call], [{"name": "look"}]) == (
        '<|tools|>\n[{"name": "look"}]\n<|user|>\nHi\n<|assistant|>\n\n{"name": "look", "arguments": {}}<|end|>\n'
    )
    assert model.tokenizer.chat_template == model.chat.template  # goes with the model when it is saved
