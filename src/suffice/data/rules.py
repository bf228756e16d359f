"""The rules a row must keep, in one table: code, name, what it means and how to put it right."""

from __future__ import annotations

from dataclasses import dataclass


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
NOT_AN_OBJECT = Rule(
    "E105", "not-an-object", "The row is JSON but no object with named fields.", "write one JSON object a row"
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
    "A JSON array or a single line is larger than is read at once.",
    "write the file as JSON Lines, one row a line",
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
TEST_LEAK = Rule(
    "E120",
    "test-leak",
    "The row asks what a test item of the target asks.",
    "none is needed: the row is left out so that the test stays a test",
)

RULES = (
    NOT_JSON,
    EMPTY_ANSWER,
    NO_ASSISTANT_TURN,
    ROLES_DO_NOT_ALTERNATE,
    TOOL_RESULT_WITHOUT_CALL,
    NOT_AN_OBJECT,
    UNKNOWN_FORMAT,
    BAD_CONTENT,
    FILE_TOO_LARGE,
    BROKEN_FILE,
    EXACT_TWIN,
    EMPTY_PROMPT,
    UNKNOWN_ROLE,
    BAD_TOOLS,
    TEST_LEAK,
)
