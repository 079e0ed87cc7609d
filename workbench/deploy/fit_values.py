"""What a fit check is about: devices, and its result. Calculates nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..core.sizes import size


@dataclass(frozen=True, slots=True)
class Device:
    """Memory that a model can be loaded into: a GPU, or the machine's. Bytes."""

    name: str
    total: int
    free: int
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """What a deployment takes of its fullest device, in bytes.

    Attributes
    ----------
    weights, overhead : int
        The model, and what the engine needs beside it (estimated from measured small models).
    kv_per_token, kv : int
        The cache for one more token, and for ``tokens``; 0 where the model's form is not known.
    tokens : int
        The length that must have room.
    need, free : int
        What must be free on ``device``, and what is. Engines that take a part of a device whole need that part.
    device : str
        Such as ``GPU 0`` or ``memory``.
    fits : bool
    fix : str
        The argument that makes it fit, such as ``max_model_len=11264``, or two where one is not enough; empty where none does or none is needed.
    """

    weights: int
    kv_per_token: int
    kv: int
    overhead: int
    need: int
    free: int
    device: str
    fits: bool
    fix: str = ""
    tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        helps = f"; {self.fix} would" if self.fix else ""
        word = "fits" if self.fits else f"does not fit{helps}"
        return f"{word}: needs {size(self.need)} of {size(self.free)} free {_place(self.device)} ({self.parts})"

    @property
    def parts(self) -> str:
        """What the need is made of, for people."""
        cache = f", cache {size(self.kv)} for {self.tokens:,} tokens ({size(self.kv_per_token)} each)" if self.kv else ""
        return f"weights {size(self.weights)}{cache}, about {size(self.overhead)} beside"


def _place(device: str) -> str:
    return "in the machine's memory" if device == "memory" else f"on {device}" if device.startswith("GPU") else f"in {device}"
