"""Who writes critiques of sampled solutions: a model behind an endpoint, or a function of the user."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from suffice.common.functions import load_function
from suffice.common.progress import Reporter
from suffice.data.rules import RowError
from suffice.data.target import TargetItem
from suffice.models.endpoint.asking import ask
from suffice.models.endpoint.cache import open_cache
from suffice.models.endpoint.settings import EndpointSettings, check_endpoint
from suffice.models.endpoint.wire import Request, chat_request
from suffice.runs.critique.critiques import NO_CRITIQUE
from suffice.runs.critique.recipe import CritiqueSettings

_ASKER = "the recipe critique"
_PART = re.compile(r"\{(question|solution)\}")


def in_words(template: str, question: str, solution: str) -> str:
    """Returns a template with question and solution in their places."""
    return _PART.sub(lambda part: question if part[1] == "question" else solution, template)


def question_in(item: TargetItem) -> str:
    """Returns what the last turn of a prompt asks."""
    return str(item.messages[-1]["content"])


def check_critics(settings: CritiqueSettings) -> None:
    """Checks, before anything is sampled, that critiques can be written.

    Raises:
        UserError: The endpoint or the function is none.
    """
    if settings.teacher:
        check_endpoint(settings.teacher, _ASKER)
    elif settings.function:
        _function(settings.function)


def write_critiques(
    settings: CritiqueSettings, pairs: Sequence[tuple[TargetItem, str]], cache: Path, reporter: Reporter
) -> list[str | RowError]:
    """Returns a critique of each solution, or why there is none.

    Args:
        settings: Who writes them.
        pairs: Problems and the solutions that are criticised.
        cache: The file in which a teacher's answers are kept.
        reporter: Where cost and progress are told; the cost before the first request.

    Raises:
        UserError: The endpoint cannot be used, or a cap was reached; the answers so far are kept.
    """
    if settings.teacher:
        requests = [_request(settings, settings.teacher, item, solution) for item, solution in pairs]
        with open_cache(cache) as answers:
            asked = ask(requests, settings.teacher, answers, _ASKER, reporter)
            told = [answers.get(request.key) for request in requests]
        return [
            RowError(NO_CRITIQUE, asked.failed[request.key]) if answer is None else answer.text
            for request, answer in zip(requests, told, strict=True)
        ]
    return [_called(settings.function or "", item, solution) for item, solution in pairs]


def _request(
    settings: CritiqueSettings, teacher: EndpointSettings, item: TargetItem, solution: str
) -> Request:
    prompt = in_words(settings.prompt, question_in(item), solution)
    turns = [{"role": "user", "content": prompt}]
    limits = teacher.reply_limits(settings.max_tokens)
    return chat_request(teacher.endpoint or "", teacher.model or "", turns, limits)


def _called(name: str, item: TargetItem, solution: str) -> str | RowError:
    function = _function(name)
    try:
        text = function(question=question_in(item), solution=solution, answer=item.answer)
    except Exception as error:  # whatever the user's function raises is one critique lost
        return RowError(NO_CRITIQUE, f"the function raised {type(error).__name__}: {error}")
    return text if isinstance(text, str) else RowError(NO_CRITIQUE, "the function returned no text")


def _function(name: str) -> Callable[..., Any]:
    return load_function(name, "the critic", "name it as module:function")
