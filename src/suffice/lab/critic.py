"""A critic for the families whose good replies are worked steps: it goes through a solution line by line.

`critique` is what ``suffice run critique-lab`` names as the function that writes critiques. It knows how to work the
problem out, so that it stands for a teacher that makes no mistakes.
"""

from __future__ import annotations

import re

from suffice.lab.families import steps
from suffice.lab.families.arith import FEWER, MORE

_SUM = re.compile(r"\d+(?: [+-] \d+)+")
_SIGNS = {deed.partition(" {k}")[0]: sign for deeds, sign in ((MORE, 1), (FEWER, -1)) for deed in deeds}
_DEED = re.compile(rf"\b({'|'.join(_SIGNS)}) (\d+)")
_STEP = re.compile(r"(\d+(?: [+-] \d+)+) = (\d+)")
_ANSWER = re.compile(r"Answer: (\d+)")


def critique(*, question: str, solution: str, answer: str) -> str:
    """Returns a critique that ends in ``Conclusion: right`` or ``Conclusion: wrong``.

    Each line that states a step, a sum or the answer is said to be right, or what it should be. A solution is right where
    all its lines are and the last one is the answer; a wrong one is followed by the right steps.

    Args:
        question: A problem of the families ``chain`` and ``arith``.
        solution: What is judged.
        answer: Plays no part: the critic works the answer out.

    Raises:
        ValueError: The question is of another family.
    """
    terms = read_terms(question)
    value = str(steps.total(terms))
    worked = steps.worked(terms, value).splitlines()
    lines = [line.strip() for line in solution.splitlines() if line.strip()]
    left, remarks = list(worked), []
    for line in lines:
        if found := _ANSWER.fullmatch(line):
            remarks.append((line, found[1] == value, f"the answer is {value}"))
        elif (found := _STEP.fullmatch(line)) and found[1] == steps.expression(terms):
            remarks.append((line, found[2] == value, f"it is {value}"))
        elif found:
            step = left.pop(0) if left else ""
            remarks.append((line, line == step, f"the step is {step}" if step else "there is no such step"))
    right = all(good for _, good, _ in remarks) and bool(lines) and lines[-1] == f"Answer: {value}"
    said = [f"{line}: right" if good else f"{line}: wrong, {why}" for line, good, why in remarks]
    if not lines or not _ANSWER.fullmatch(lines[-1]):
        said.append("There is no answer line.")
    if not right:
        said += ["Rightly:", *worked, f"Answer: {value}"]
    return "\n".join([*said, f"Conclusion: {'right' if right else 'wrong'}"])


def read_terms(question: str) -> steps.Terms:
    """Returns the signed numbers that a question adds up.

    Raises:
        ValueError: It is of another family.
    """
    if found := _SUM.search(question):
        words = f"+ {found[0]}".split()
        return [
            (1 if sign == "+" else -1, int(number))
            for sign, number in zip(words[::2], words[1::2], strict=True)
        ]
    start, deeds = re.search(r" has (\d+) ", question), _DEED.findall(question)
    if not start or not deeds:
        raise ValueError(f"no problem of running sums: {question[:80]!r}")
    return [(1, int(start[1])), *((_SIGNS[deed], int(number)) for deed, number in deeds)]
