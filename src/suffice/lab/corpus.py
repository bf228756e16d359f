"""The pretraining text, generated and never stored: document ``i`` follows from (seed, i) alone."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.files import atomic_path
from suffice.common.progress import Reporter
from suffice.lab.documents import document
from suffice.lab.template import DOCUMENT
from suffice.lab.world import World, build_world

BLOCK = 4096  # documents in one unit of work
TOKENIZER_DOCUMENTS = 40_000


def block_text(seed: int, block: int) -> list[str]:
    """Returns the documents of one block."""
    world = build_world(seed)
    return [document(world, index) for index in range(block * BLOCK, (block + 1) * BLOCK)]


def stream(world: World, *, workers: int = 2) -> Generator[list[str], None, None]:
    """Yields the blocks of documents without end, in order, made by ``workers`` processes."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        ahead = [pool.submit(block_text, world.seed, block) for block in range(workers * 2)]
        block = len(ahead)
        try:
            while True:
                texts = ahead.pop(0).result()
                ahead.append(pool.submit(block_text, world.seed, block))
                block += 1
                yield texts
        finally:
            pool.shutdown(cancel_futures=True)


def sample_texts(world: World) -> list[str]:
    """Returns the documents that the tokenizer is trained on: the first of the corpus."""
    return [document(world, index) for index in range(TOKENIZER_DOCUMENTS)]


def write_tokens(world: World, tokenizer: Any, count: int, path: Path, reporter: Reporter) -> str:
    """Writes the first ``count`` tokens of the corpus and returns the hash of the text they come from.

    Args:
        world: The world whose corpus it is.
        tokenizer: A `tokenizers.Tokenizer`.
        count: Tokens to write.
        path: The file: raw unsigned 16-bit integers.
        reporter: Where to report.

    Returns:
        The SHA-256 of the blocks of text that were read, in hexadecimal.
    """
    start = tokenizer.token_to_id(DOCUMENT)
    text_hash, written = hashlib.sha256(), 0
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as file,
        closing(stream(world)) as blocks,
        reporter.track("corpus", count, "tokens") as task,
    ):
        while written < count:
            texts = next(blocks)
            text_hash.update("\x1e".join(texts).encode())
            ids = _flat(tokenizer.encode_batch_fast(texts, add_special_tokens=False), start)
            ids = ids[: count - written]
            file.write(ids.tobytes())
            written += len(ids)
            task.advance(len(ids))
    return text_hash.hexdigest()


def _flat(encodings: list[Any], start: int) -> NDArray[np.uint16]:
    """Returns the documents' tokens in one row, each document after the document token."""
    rows = (part for encoding in encodings for part in ([start], encoding.ids))
    return np.concatenate([np.asarray(row, dtype=np.uint16) for row in rows])


def read_tokens(path: Path) -> NDArray[np.uint16]:
    """Returns the tokens that `write_tokens` wrote, mapped from the file."""
    return np.memmap(path, dtype=np.uint16, mode="r")
