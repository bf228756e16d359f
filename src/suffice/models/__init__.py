"""Language models: loading, chat rendering with the loss mask, batching and greedy generation."""

from suffice.models.chat import Chat, Encoded
from suffice.models.loading import LanguageModel, ModelSource, load_model

__all__ = ["Chat", "Encoded", "LanguageModel", "ModelSource", "load_model"]
