"""Replies that are JSON of a schema, by jsonschema (MIT)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from suffice.common.errors import UserError
from suffice.rewards.blocks import last_block
from suffice.rewards.protocol import Place, Rollout


@dataclass(frozen=True, slots=True)
class JsonSchemaSettings:
    """Which schema.

    Attributes:
        file: A file with the schema; without one the reference of each item is its schema.
    """

    file: str = ""


class JsonSchema:
    """1 where the reply's last code block, or without one the whole reply, is JSON that the schema allows, else 0."""

    Settings = JsonSchemaSettings
    paper: ClassVar[str] = "JSON Schema"
    place: ClassVar[Place] = "apart"  # a schema may hold regular expressions

    def __init__(self, settings: JsonSchemaSettings | None = None) -> None:
        self.settings = settings or JsonSchemaSettings()

    @cached_property
    def _schema(self) -> str:
        path = Path(self.settings.file)
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the schema {path} cannot be read: {error}", "check the path") from error

    def check(self, answer: str) -> None:
        """Checks that there is a schema.

        Raises:
            UserError: jsonschema is not installed, the schema's file cannot be read, or it is no schema.
        """
        try:
            import jsonschema
        except ImportError as error:
            raise UserError(
                f"the reward 'json_schema' needs jsonschema: {error}", "pip install 'suffice[rlvr]'"
            ) from error
        text = self._schema if self.settings.file else answer
        try:
            _validator(text)
        except (ValueError, RecursionError, jsonschema.SchemaError) as error:
            words = getattr(error, "message", str(error))
            where = self.settings.file or f"the reference {text!r:.80}"
            raise UserError(f"{where} is no JSON schema: {words}", "mend the schema") from error

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where the reply is what the schema allows."""
        validator = _validator(self._schema if self.settings.file else rollout.answer)
        try:
            value = json.loads(last_block(rollout.reply))
        except ValueError:
            return 0.0
        return float(validator.is_valid(value))


def _validator(text: str) -> Any:
    """Returns the validator of a schema, which fetches nothing: references elsewhere are errors."""
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing.jsonschema import EMPTY_REGISTRY

    schema = json.loads(text)
    if not isinstance(schema, dict | bool):
        raise ValueError("a schema is an object")
    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(schema)
    return kind(schema, registry=EMPTY_REGISTRY)
