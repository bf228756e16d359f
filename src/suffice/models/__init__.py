"""Language models: loading, chat rendering with the loss mask, batching and greedy generation."""

from suffice.models.chat import Chat, Encoded
from suffice.models.loading import LanguageModel, ModelSource, load_model
from suffice.models.tokenizer import ChatTokenizer, load_tokenizer

__all__ = [
    "Chat",
    "ChatTokenizer",
    "Encoded",
    "LanguageModel",
    "ModelSource",
    "load_model",
    "load_tokenizer",
]
