"""Personal data and secrets in the rows of a pool: told where they stand, never changed.

- *e-mail*: an address, other than one of a domain that is kept for examples (RFC 2606);
- *phone*: a number that phonenumbers (Google's libphonenumber) holds valid; without a region, only numbers that are
  written with a country code;
- *secret*: whatever the detectors of detect-secrets that know a secret by its form find (keys of clouds and services,
  tokens, private keys, passwords in addresses). Its guesses by entropy and by neighbouring words are left out, since
  prose and code set them off, and so are its public IP addresses. Nothing is asked of a network.

Names, addresses and other things that only a language model would know are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.progress import Reporter
from suffice.data.example import Example
from suffice.data.pool import Pool
from suffice.data.tables import write_table

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})\b")
_KEPT = re.compile(r"(?:^|\.)example\.(?:com|net|org)$|\.(?:example|test|invalid|localhost)$", re.IGNORECASE)
_DIGITS = re.compile(r"\d(?:[^\d\n]{0,3}\d){6}")
_LEFT_OUT = ("Public IP (ipv4)",)
_FINDING = pa.struct(
    [("kind", pa.string()), ("turn", pa.int32()), ("start", pa.int64()), ("end", pa.int64())]
)
_SCHEMA = pa.schema(
    [("id", pa.string()), ("file", pa.string()), ("line", pa.int64()), ("personal", pa.list_(_FINDING))]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal or secret.

    Attributes:
        kind: ``e-mail``, ``phone`` or the name that detect-secrets gives the secret, such as ``AWS Access Key``.
        turn: The turn it stands in, from 1.
        start: Its first character there, from 0.
        end: The character after its last.
    """

    kind: str
    turn: int
    start: int
    end: int


class PersonalData:
    """Looks for personal data and secrets.

    Args:
        region: Two letters, such as ``US``: whose phone numbers are known without a country code.

    Raises:
        UserError: A library is missing, or there is no such region.
    """

    def __init__(self, region: str | None = None) -> None:
        try:
            import detect_secrets.core.plugins.util as secrets
            import phonenumbers
            from detect_secrets.plugins.base import RegexBasedDetector
        except ImportError as error:
            raise UserError(
                "personal data and secrets are looked for with phonenumbers and detect-secrets",
                "pip install 'suffice[pools]'",
            ) from error
        if region and region not in phonenumbers.SUPPORTED_REGIONS:
            raise UserError(f"there is no region '{region}'", "give two capital letters, such as US")
        self._region, self._phonenumbers = region, phonenumbers
        known = secrets.get_mapping_from_secret_type_to_class()
        self._secrets: dict[str, list[re.Pattern[str]]] = {
            name: list(kind.denylist)
            for name, kind in sorted(known.items())
            if issubclass(kind, RegexBasedDetector) and name not in _LEFT_OUT
        }

    def find(self, example: Example) -> list[Finding]:
        """Returns what stands in the turns of a row, in order, each place once for a kind."""
        found = [
            Finding(kind, turn, start, end)
            for turn, message in enumerate(example.messages, start=1)
            for kind, start, end in self._in(message["content"])
        ]
        return sorted(set(found), key=lambda one: (one.turn, one.start, one.end, one.kind))

    def _in(self, text: str) -> Iterator[tuple[str, int, int]]:
        if "@" in text:
            for match in _EMAIL.finditer(text):
                if not _KEPT.search(match[1]):
                    yield "e-mail", match.start(), match.end()
        if (self._region or "+" in text) and _DIGITS.search(text):
            for number in self._phonenumbers.PhoneNumberMatcher(text, self._region):
                yield "phone", number.start, number.end
        for name, forms in self._secrets.items() if _may_hold_secret(text) else ():
            for form in forms:
                for match in form.finditer(text):
                    yield name, match.start(), match.end()


def _may_hold_secret(text: str) -> bool:
    """Tells quickly of most texts that no detector finds anything: their keys are long and have digits."""
    if "PRIVATE KEY" in text or ("://" in text and "@" in text):
        return True
    long = (word for word in text.split() if len(word) >= 12)
    return any(len(word) >= 24 or not word.strip("\"'(),.:;?!").isalpha() for word in long)


def flag(pool: Pool, search: PersonalData, reporter: Reporter) -> list[list[Finding]]:
    """Returns what each row holds, in pool order."""
    found = []
    with reporter.track("personal", len(pool), "rows") as task:
        for example in pool:
            found.append(search.find(example))
            task.advance()
        task.result(f"{sum(map(bool, found)):,} of {len(pool):,} rows flagged")
    return found


def write_flags(path: Path, pool: Pool, found: Sequence[Sequence[Finding]]) -> None:
    """Writes each row's id, file and line with the column ``personal``, as Parquet, atomically."""
    where = [(example.id, example.file, example.line) for example in pool]
    rows = [
        {"id": name, "file": file, "line": line, "personal": [asdict(one) for one in findings]}
        for (name, file, line), findings in zip(where, found, strict=True)
    ]
    write_table(path, pa.Table.from_pylist(rows, schema=_SCHEMA))
