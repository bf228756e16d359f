"""The language of each row, by py3langid: naive Bayes over byte n-grams, trained on 139 languages, no network.

py3langid (BSD; Lui and Baldwin, "langid.py: an off-the-shelf language identification tool", ACL 2012, kept up by
Barbaresi) brings its model along, 4.5 MB that are no pickle. It looks at the first `LOOKED_AT` characters of all that is
said in a row. Where it gives its best guess a probability below `SURE`, as for ``2 + 2`` or a list of names, the language is
`UNTOLD`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.tables import read_table, write_table
from suffice.data.twins.exact import said

LOOKED_AT = 500
SURE = 0.5
UNTOLD = "und"
"""The code of ISO 639 for a language that cannot be told."""
_SCHEMA = pa.schema([("language", pa.string())])


def check_languages(names: Iterable[str]) -> None:
    """Refuses names that are no code of a language that can be told.

    Raises:
        UserError: Naming the first; or py3langid is not installed.
    """
    for name in names:
        if name not in {*_identifier().labels, UNTOLD}:
            raise UserError(
                f"'{name}' is no code of a language that can be told", "give codes such as en, de, fr or zh"
            )


def language_of(text: str) -> str:
    """Returns the code of a text's language, such as ``en``; `UNTOLD` where it cannot be told."""
    code, probability = _identifier().classify(text[:LOOKED_AT])
    return str(code) if probability >= SURE else UNTOLD


def languages_of(pool: Pool, folder: Path, reporter: Reporter) -> list[str]:
    """Returns the language of every row, in order.

    Args:
        pool: The rows.
        folder: Where the answer is kept, to be looked up the next time.
        reporter: Where progress is told.

    Raises:
        UserError: py3langid is not installed.
    """
    path = folder / f"languages-{digest([pool.fingerprint, LOOKED_AT, SURE])[:16]}.parquet"
    if path.exists():
        return list(read_table(path, _SCHEMA, "list of languages")["language"].to_pylist())
    found = []
    with reporter.track("language", len(pool), "rows") as task:
        for row in pool:
            found.append(language_of(said(row)))
            task.advance()
        told = ", ".join(f"{count:,} {code}" for code, count in Counter(found).most_common(4))
        task.result(f"{told}{', …' if len(set(found)) > 4 else ''}")
    write_table(path, pa.table({"language": pa.array(found, pa.string())}, schema=_SCHEMA))
    return found


@cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise UserError("telling languages needs py3langid", "pip install 'suffice[pools]'") from error
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
