"""How fast the lab's pretraining text is generated and tokenised, with two processes for the text.

Run with ``python benchmarks/lab_corpus.py [--tokens N]``. Training of the tokenizer is timed apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from suffice.common.progress import Silent
from suffice.lab.corpus import read_tokens, sample_texts, write_tokens
from suffice.lab.template import DOCUMENT
from suffice.lab.tokenizer import train_tokenizer
from suffice.lab.world import build_world


def main() -> None:
    """Prints documents and tokens per second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=2_000_000)
    options = parser.parse_args()
    world = build_world()
    start = time.perf_counter()
    tokenizer = train_tokenizer(sample_texts(world))
    print(f"tokenizer trained in {time.perf_counter() - start:.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.bin"
        start = time.perf_counter()
        write_tokens(world, tokenizer, options.tokens, path, Silent())
        seconds = time.perf_counter() - start
        documents = int((read_tokens(path) == tokenizer.token_to_id(DOCUMENT)).sum())
    print(
        f"{documents:,} documents, {options.tokens:,} tokens in {seconds:.1f} s: "
        f"{documents / seconds:,.0f} documents/s, {options.tokens / seconds:,.0f} tokens/s (start included)"
    )


if __name__ == "__main__":
    main()
