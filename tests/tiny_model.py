"""A tiny Llama folder made in code, so that no test needs a download."""

from __future__ import annotations

from pathlib import Path

SENTENCES = [
    "What is the capital of France? The capital of France is Paris.",
    "Add two and three. 2 + 3 = 5. Answer: 5",
    "List the words in reverse order: apple, river, stone. stone, river, apple",
    "I am not sure about that. There are many ways to look at this question.",
    "Who was born in 1871? Ada Lane was born in 1871 and lived in Harwick by the river.",
    "Write a short story about a dog who learns to count to ten.",
]
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message.role + '|>' + (message.content or '') }}"
    "{% if message.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def build_tiny_model(
    folder: Path, *, width: int = 32, layers: int = 2, heads: int = 2, mlp: int = 64, vocabulary: int = 400
) -> Path:
    """Writes a randomly initialised Llama and a byte-level BPE tokenizer with a chat template to ``folder``.

    A conversation reads ``<|user|>question<|assistant|>answer<|end|>``; the window is 256 tokens.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|user|>", "<|assistant|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(SENTENCES, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|end|>",
        pad_token="<|end|>",
        extra_special_tokens=["<|user|>", "<|assistant|>"],
        model_max_length=256,
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder
