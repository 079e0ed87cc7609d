"""The header of a GGUF file: its values and how many weights of which type. Arrays are counted; only short ones of numbers are kept.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian).
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ModelNotFound

T = TypeVar("T")
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_SHORT = 1024  # members of an array that is kept: one a layer
_NAMES = """
F32 F16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ2_XXS IQ2_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ2_S IQ4_XS
I8 I16 I32 I64 F64 IQ1_M BF16 TQ1_0 TQ2_0 MXFP4
"""
_BLOCKS = {  # weights a block, and its bytes, by type: ggml-common.h
    **dict.fromkeys((2, 20), (32, 18)),
    0: (1, 4),
    1: (1, 2),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
}
_ALIGNMENT = 32
_TYPES = dict(zip((*range(4), *range(6, 31), 34, 35, 39), _NAMES.split(), strict=True))


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """Values by key (an array's value is its length), the number of weights, the type of most of them, short arrays of numbers by key, and how
    many bytes the file has to have."""

    values: dict[str, Any]
    parameters: int
    dtype: str
    arrays: dict[str, tuple[float, ...]] = field(default_factory=dict)
    size: int = 0


def read_header(path: Path) -> GGUFHeader:
    """Read a file's header.

    Raises
    ------
    ModelNotFound
        When the file is no GGUF, or ends too early.
    """
    return _opened(path, _Reader.header)


def _opened(path: Path, read: Callable[[_Reader], T]) -> T:
    try:
        with path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return read(_Reader(data))
    except (ValueError, struct.error, IndexError, KeyError, UnicodeDecodeError, OverflowError) as e:
        raise ModelNotFound(f"{path} is not a usable GGUF file.", f"Its header is damaged or incomplete ({e}).", "Download it again.") from None
    except OSError as e:
        raise ModelNotFound(f"{path} cannot be read.", str(e.strerror), "Check the path and its permissions.") from None


def read_texts(path: Path, key: str, wanted: Collection[int] | None = None) -> dict[int, str]:
    """The members of an array of texts, such as a vocabulary, by their places; all of them, or the ``wanted`` ones.

    Raises
    ------
    ModelNotFound
        When the file is no GGUF, or ends too early.
    """
    return _opened(path, lambda reader: reader.texts(key, wanted))


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def texts(self, key: str, wanted: Collection[int] | None) -> dict[int, str]:
        for _ in range(self.begin()[1]):
            found, kind = self.string(), self.take("I")
            if found != key or kind != _ARRAY:
                self.value(kind)
            elif self.take("I") == _STRING:
                texts = ((i, self.string()) for i in range(self.take("Q")))
                return {i: text for i, text in texts if wanted is None or i in wanted}
            else:
                break
        return {}

    def begin(self) -> tuple[int, int]:
        """How many tensors and values there are."""
        if self.data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self.at = 4
        version = self.take("I")
        if version not in (2, 3):
            raise ValueError(f"version {version}")
        return self.take("Q"), self.take("Q")

    def header(self) -> GGUFHeader:
        tensors, values = self.begin()
        found, arrays = {}, {}
        for _ in range(values):
            key, kind = self.string(), self.take("I")
            if kind == _ARRAY and (numbers := self.numbers()):
                arrays[key] = numbers
            found[key] = self.value(kind)
        counts: Counter[int] = Counter()
        furthest = 0
        for _ in range(tensors):
            self.string()
            shape = [self.take("Q") for _ in range(self.take("I"))]
            kind, weights = self.take("I"), prod(shape)
            counts[kind] += weights
            per, size = _BLOCKS.get(kind, (1, 0))
            furthest = max(furthest, self.take("Q") + weights // per * size)
        aligned = int(found.get("general.alignment") or _ALIGNMENT)
        begun = -(-self.at // aligned) * aligned
        most = max(counts, key=lambda k: counts[k], default=-1)
        return GGUFHeader(found, counts.total(), _TYPES.get(most, ""), arrays, begun + furthest if furthest else self.at)

    def numbers(self) -> tuple[float, ...]:
        """The members of the array that follows, which is not passed over; none of a long one or of one of other things."""
        inner, count = struct.unpack_from("<IQ", self.data, self.at)
        if inner not in _SCALARS or count > _SHORT:
            return ()
        return struct.unpack_from(f"<{count}{_SCALARS[inner]}", self.data, self.at + 12)

    def take(self, code: str) -> Any:
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        size = self.take("Q")
        if self.at + size > len(self.data):
            raise ValueError("a text goes past the end")
        text = self.data[self.at : self.at + size].decode("utf-8", "replace")
        self.at += size
        return text

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.take(_SCALARS[kind])
        inner, count = self.take("I"), self.take("Q")
        if inner in _SCALARS:
            self.at += count * struct.calcsize("<" + _SCALARS[inner])
        elif inner == _STRING:
            for _ in range(count):
                self.at += 8 + struct.unpack_from("<Q", self.data, self.at)[0]
        else:
            for _ in range(count):
                self.value(inner)
        return count
