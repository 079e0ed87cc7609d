"""Arrays as files: pictures as PNG, sounds as WAV. numpy comes when an array does. Knows no model and reads no file."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from ..errors import DataError


def samples_of(values: Any) -> tuple[bytes, int]:
    """16-bit samples and the number of channels, of an array or nested list."""
    import numpy as np

    array = np.asarray(values)
    if array.dtype == object or array.ndim not in (1, 2) or not array.size or array.dtype.kind not in "fiub":
        raise DataError(
            "The samples of a sound have to be numbers.", f"Their shape is {array.shape}, their type {array.dtype}.", "Give an array of shape (n,)."
        )
    if array.ndim == 2 and array.shape[0] < array.shape[1] and array.shape[0] <= 8:
        array = array.T
    if array.dtype.kind == "f":
        array = np.nan_to_num(np.clip(array, -1.0, 1.0)) * 32767
    elif array.dtype == np.uint8:
        array = (array.astype(np.int32) - 128) * 256
    elif array.dtype.itemsize > 2:
        array = array >> (8 * array.dtype.itemsize - 16) if np.abs(array.astype(np.int64)).max() > 32767 else array
    return array.astype("<i2").tobytes(), 1 if array.ndim == 1 else array.shape[1]


def wav(samples: bytes, channels: int, rate: int) -> bytes:
    """16-bit little-endian samples as a WAV file (https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html)."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(samples),
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate,
        rate * channels * 2,
        channels * 2,
        16,
        b"data",
        len(samples),
    )
    return head + samples


def png(values: Any) -> bytes:
    """A picture's array as a PNG file (https://www.w3.org/TR/png-3/)."""
    import numpy as np

    array = np.asarray(values)
    colour = {2: 0, 3: {1: 0, 2: 4, 3: 2, 4: 6}.get(array.shape[-1])}.get(array.ndim)
    if colour is None or not array.size or array.dtype.kind not in "fiub":
        raise DataError(
            "An array of this form is no picture.",
            f"Its shape is {array.shape}, its type {array.dtype}.",
            "Give (height, width) or (height, width, 3), or for a sound (samples, samples a second).",
        )
    if array.dtype.kind == "f":
        array = np.nan_to_num(np.clip(array, 0.0, 1.0)) * 255 + 0.5
    elif array.dtype.kind == "b":
        array = array.astype(np.uint8) * 255
    array = np.clip(array, 0, 255).astype(np.uint8)
    rows = array.reshape(array.shape[0], -1)
    raw = np.concatenate([np.zeros((rows.shape[0], 1), np.uint8), rows], axis=1).tobytes()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 6)) + chunk(b"IEND", b"")
