"""The rules for rows, in one table: code, name, what it means and how to put it right.

A row that breaks a rule of E is rejected; a rule of W is a caution, which stands beside the row. Rules of leakage and
personal data stand in the same table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from suffice.common.errors import UserError


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: Stable code, such as ``E101``.
        name: Stable name, such as ``empty-answer``.
        meaning: What a row that breaks it is like.
        remedy: How to put such a row right.
    """

    code: str
    name: str
    meaning: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class RowError(Exception):
    """A row breaks a rule; the row is rejected and reading goes on.

    Args:
        rule: The rule.
        message: What is wrong with this row.
        remedy: How to put it right, where the rule's own remedy can be made more exact.
    """

    def __init__(self, rule: Rule, message: str, remedy: str = "") -> None:
        self.rule, self.message, self.remedy = rule, message, remedy or rule.remedy
        super().__init__(f"{rule}: {message}")


NOT_JSON = Rule("E100", "not-json", "The line is not valid JSON.", "write one JSON object a line, as UTF-8")
EMPTY_ANSWER = Rule(
    "E101",
    "empty-answer",
    "An assistant turn has no text and calls no tool.",
    "fill in the answer or remove the row",
)
NO_ASSISTANT_TURN = Rule(
    "E102",
    "no-assistant-turn",
    "Nobody answers in the conversation.",
    "add an assistant turn or remove the row",
)
ROLES_DO_NOT_ALTERNATE = Rule(
    "E103",
    "roles-do-not-alternate",
    "After an optional system turn, user and assistant must take turns; tool results follow the call.",
    "merge neighbouring turns of one role, or split the conversation",
)
TOOL_RESULT_WITHOUT_CALL = Rule(
    "E104",
    "tool-result-without-call",
    "A tool turn follows no assistant turn that called a tool, or names a call that was not made.",
    "add the call (tool_calls) to the assistant turn before it",
)
ARGUMENTS_ARE_NOT_JSON = Rule(
    "E105",
    "arguments-are-not-json",
    "The arguments of a tool call are text that is no JSON.",
    "write the arguments as a JSON object, or as the text of one",
)
UNKNOWN_FORMAT = Rule(
    "E106",
    "unknown-format",
    "The row's fields are those of no known format.",
    "rename its fields to those of a known format, such as messages, or instruction and output",
)
BAD_CONTENT = Rule(
    "E107",
    "bad-content",
    "A field holds something other than the text or turns expected, or text that is no valid Unicode.",
    "write the field as text",
)
FILE_TOO_LARGE = Rule(
    "E108",
    "file-too-large",
    "A single row, or a packed file, is larger than can be read.",
    "split the row, or write the file as JSON Lines, one row a line",
)
BROKEN_FILE = Rule(
    "E109",
    "broken-file",
    "The file is damaged from here on (cut short, wrong checksum, no such container).",
    "fetch or write the file anew",
)
EXACT_TWIN = Rule(
    "E110",
    "exact-twin",
    "The row says exactly what an earlier one says (checked only where asked).",
    "keep one of the two, or allow twins",
)
EMPTY_PROMPT = Rule(
    "E111", "empty-prompt", "A user turn has no text.", "fill in the question or remove the row"
)
UNKNOWN_ROLE = Rule(
    "E112", "unknown-role", "A turn has no known role.", "use the roles system, user, assistant and tool"
)
BAD_TOOLS = Rule(
    "E113",
    "bad-tools",
    "The tools or tool calls are not JSON of the usual form.",
    "write tools as a list of JSON schemas and calls as a name with an object of arguments",
)
NOT_AN_OBJECT = Rule(
    "E114", "not-an-object", "The row is JSON but no object with named fields.", "write one JSON object a row"
)
BAD_TABLE_ROW = Rule(
    "E115",
    "bad-table-row",
    "A row of a CSV file has other columns than its first line, or a stray quotation mark.",
    "quote cells that hold separators, line breaks or quotation marks, and double the marks within",
)
LICENSE_NOT_ALLOWED = Rule(
    "E116",
    "license-not-allowed",
    "The row's licence is not among those allowed, or it states none (checked only where asked).",
    "allow the licence, or leave the row out",
)
TEST_LEAK = Rule(
    "E120",
    "test-leak",
    "The row holds what a test item of the target asks.",
    "none is needed: the row is left out so that the test stays a test",
)
RAISES_THE_LOSS = Rule(
    "E121",
    "raises-the-loss",
    "Training on the row would raise the target's loss, as its influence tells (only where rows are to be dropped).",
    "look at the row; give a smaller drop_worst to keep it",
)

CUT_OFF = Rule(
    "W201",
    "answer-cut-off",
    "The last answer stops in mid-sentence or within a block of code, or the row says that its length ran out.",
    "finish the answer or remove the row; a model learns to stop there too",
)
LANGUAGE_MIX = Rule(
    "W202",
    "language-mix",
    "An answer is partly in a script that nothing before it is in. Languages of one script are not told apart.",
    "remove the stray text, unless a translation is what is asked for",
)
TOO_LONG = Rule(
    "W203",
    "too-long-for-model",
    "The row has more tokens than the model takes (checked only where a model is named).",
    "shorten or split the row; what is over the window is cut off in training",
)
TEMPLATE_TOKENS = Rule(
    "W204",
    "template-tokens-in-text",
    "A turn holds marks of a chat template, such as <|im_start|> or [INST].",
    "write the turns apart and leave the marks to the template",
)
REPEATS_ITSELF = Rule(
    "W205",
    "repeats-itself",
    "The last words of an answer stand in it four times or more.",
    "remove the row, or the repetitions",
)
BROKEN_CHARACTERS = Rule(
    "W206",
    "broken-characters",
    "The text has marks of a wrong decoding (\ufffd, or such as â€™ for ’).",
    "read the source as UTF-8 and write the file anew",
)
REFUSED_BY_TEMPLATE = Rule(
    "W208",
    "refused-by-template",
    "The model's chat template refuses the row, or would drop some of its turns (checked only where a model is named).",
    "give another template with --chat-template; otherwise the row is not trained on",
)
FAILED_ATTEMPT = Rule(
    "W207",
    "failed-attempt",
    "The log of an agent says that its reward is 0 or less.",
    "remove the row, unless failures are wanted",
)

RULES = (
    NOT_JSON,
    EMPTY_ANSWER,
    NO_ASSISTANT_TURN,
    ROLES_DO_NOT_ALTERNATE,
    TOOL_RESULT_WITHOUT_CALL,
    ARGUMENTS_ARE_NOT_JSON,
    UNKNOWN_FORMAT,
    BAD_CONTENT,
    FILE_TOO_LARGE,
    BROKEN_FILE,
    EXACT_TWIN,
    EMPTY_PROMPT,
    UNKNOWN_ROLE,
    BAD_TOOLS,
    NOT_AN_OBJECT,
    BAD_TABLE_ROW,
    LICENSE_NOT_ALLOWED,
    TEST_LEAK,
    RAISES_THE_LOSS,
    CUT_OFF,
    LANGUAGE_MIX,
    TOO_LONG,
    TEMPLATE_TOKENS,
    REPEATS_ITSELF,
    BROKEN_CHARACTERS,
    FAILED_ATTEMPT,
    REFUSED_BY_TEMPLATE,
)
# A row that breaks one of these can be read all the same.
_MAY_BE_IGNORED = (
    EMPTY_ANSWER,
    NO_ASSISTANT_TURN,
    ROLES_DO_NOT_ALTERNATE,
    TOOL_RESULT_WITHOUT_CALL,
    EMPTY_PROMPT,
)


def ignored_rules(words: Iterable[str]) -> frozenset[Rule]:
    """Returns the rules that words such as ``W2``, ``E101`` or ``empty-answer`` name.

    Args:
        words: Beginnings of codes, or names.

    Raises:
        UserError: A word names no rule, or one that cannot be ignored.
    """
    found: set[Rule] = set()
    for word in words:
        named = [rule for rule in RULES if rule.name == word or (word and rule.code.startswith(word.upper()))]
        if not named:
            raise UserError(
                f"no rule is called '{word}'", "give a code or its beginning, such as W2 or E103, or a name"
            )
        for rule in named:
            if rule.code.startswith("E") and rule not in _MAY_BE_IGNORED:
                raise UserError(
                    f"{rule} cannot be ignored: such a row cannot be used at all",
                    f"of the errors, ignore only {', '.join(rule.code for rule in _MAY_BE_IGNORED)}",
                )
        found.update(named)
    return frozenset(found)
