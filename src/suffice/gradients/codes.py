"""Features as codes of few bits, and their products with the features of a target.

QLESS (arXiv 2502.01703) stores LESS features in fewer bits: it is directions that count, and a cosine over
thousands of numbers hardly feels how each was rounded.

    fp16:  the row divided by its largest number, 2 bytes a number
    int8:  round(127 x / max |x|), 1 byte a number
    1bit:  whether x >= 0, packed, 1/8 byte a number

A cosine is told of what the codes stand for, so it is divided by their own norm, kept beside them. The target's features are
rounded to int8 in the same way before they meet int8 and 1-bit rows, so that all products are of integers.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from suffice.common.errors import unknown_name

Bits = Literal["fp16", "int8", "1bit"]
KINDS: tuple[Bits, ...] = ("fp16", "int8", "1bit")
_BLOCK = 256  # rows that are unpacked or widened at a time, few enough to stay in a processor's cache
_EXACT = (
    1024  # sums of this many products of 7-bit numbers stay below 2^24, which float32 counts without error
)


def encode(features: torch.Tensor, bits: Bits) -> NDArray[Any]:
    """Returns the codes of features.

    Args:
        features: Features, float32 [rows, size] with a size that is a multiple of 8; a row of NaN is coded as
            zeros and has to be remembered elsewhere.
        bits: The kind of code.

    Returns:
        float16 or int8 [rows, size], or uint8 [rows, size / 8].

    Raises:
        UserError: There is no such kind.
    """
    if bits not in KINDS:
        raise unknown_name("kind of store", bits, KINDS)
    features = features.nan_to_num(0.0)
    if bits == "1bit":
        return np.packbits((features >= 0).numpy(), axis=1)
    scaled = features / features.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    codes = scaled.half() if bits == "fp16" else (127 * scaled).round().to(torch.int8)
    return np.asarray(codes.numpy())


def decode(codes: NDArray[Any], bits: Bits) -> NDArray[np.float32]:
    """Returns the numbers that codes stand for, up to a factor for each row, float32 [rows, size]."""
    if bits == "1bit":
        return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1
    return codes.astype(np.float32)


def code_norms(codes: NDArray[Any], bits: Bits) -> NDArray[np.float32]:
    """Returns the norms of what codes stand for, float32 [rows], for `Queries.cosines`."""
    blocks = range(0, len(codes), _BLOCK)
    parts = [np.linalg.norm(decode(codes[start : start + _BLOCK], bits), axis=1) for start in blocks]
    return np.concatenate([np.zeros(0), *parts]).astype(np.float32)


class Queries:
    """The features of a target, ready to meet codes.

    Args:
        features: Features, float32 [queries, size], none of them zero.
    """

    def __init__(self, features: torch.Tensor) -> None:
        self.count = len(features)
        self._exact = torch.nn.functional.normalize(features.float())
        rounded = torch.from_numpy(encode(features, "int8"))
        self._norms = torch.from_numpy(code_norms(rounded.numpy(), "int8"))
        self._wide = rounded.float().T.contiguous()
        padded = torch.zeros(-(-self.count // 8) * 8, features.shape[1], dtype=torch.int8)
        padded[: self.count] = rounded  # the integer product takes multiples of 8
        self._rounded = padded.T.contiguous().T
        self._sums = rounded.sum(dim=1, dtype=torch.int64)

    def cosines(self, codes: NDArray[Any], norms: NDArray[np.float32], bits: Bits) -> NDArray[np.float32]:
        """Returns the cosine of each row to each query, float32 [rows, queries]; NaN for a row of zeros.

        Args:
            codes: Codes of rows.
            norms: Their `code_norms`.
            bits: Their kind.
        """
        found = np.empty((len(codes), self.count), dtype=np.float32)
        for start in range(0, len(codes), _BLOCK):
            part = torch.from_numpy(np.ascontiguousarray(codes[start : start + _BLOCK]))
            found[start : start + len(part)] = getattr(self, f"_{bits}")(part).numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            return found / norms[:, None]

    def _fp16(self, codes: torch.Tensor) -> torch.Tensor:
        return codes.float() @ self._exact.T

    def _int8(self, codes: torch.Tensor) -> torch.Tensor:
        return self._products(codes).float() / self._norms

    def _1bit(self, codes: torch.Tensor) -> torch.Tensor:
        zero_one = torch.from_numpy(np.unpackbits(codes.numpy(), axis=1).view(np.int8))
        products = 2 * self._products(zero_one).to(torch.int64) - self._sums  # sign = 2 x bit - 1
        return products.float() / self._norms

    def _products(self, codes: torch.Tensor) -> torch.Tensor:
        """Returns codes x queries in integers, int32 [rows, queries]; 127 x 127 x size stays below 2^31.

        A processor without instructions for it (VNNI) is many times slower at the integer product of torch than
        at one of float32, which in short pieces is as exact, so the integers are the same either way.
        """
        if not torch.cpu._is_vnni_supported():
            products = torch.zeros(len(codes), self.count, dtype=torch.int32)
            for start in range(0, codes.shape[1], _EXACT):
                part = slice(start, start + _EXACT)
                products += (codes[:, part].float() @ self._wide[part]).to(torch.int32)
            return products
        rows = len(codes)
        if rows <= 16:  # the integer product asks for more than 16 rows
            codes = torch.cat([codes, codes.new_zeros(17 - rows, codes.shape[1])])
        return torch._int_mm(codes, self._rounded.T)[:rows, : self.count]
