"""Samples to files and files to samples. WAV and bare samples need nothing; other formats go through soundfile, rates through soxr.

Samples are float32 of one channel, from -1 to 1.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .serving_fields import Refusal
else:
    from serving_fields import Refusal

MIMES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm", "flac": "audio/flac", "opus": "audio/ogg"}
_BY_SOUNDFILE = {"mp3": ("MP3", "MPEG_LAYER_III"), "flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS")}
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_UNKNOWN = 0xFFFFFFFF  # the length in the head of a WAV file that is still being made


def mime(form: str, rate: int) -> str:
    """The content type of a format; bare samples say how many there are in a second."""
    return f"audio/pcm;rate={rate}" if form == "pcm" else MIMES[form]


def pcm(samples: Any) -> bytes:
    """16-bit samples, little-endian."""
    import numpy

    return bytes((numpy.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def wav_head(rate: int, size: int | None = None) -> bytes:
    """The head of a WAV file with ``size`` bytes of 16-bit samples of one channel; of unknown length without."""
    length = _UNKNOWN if size is None else size
    whole = _UNKNOWN if size is None else size + 36
    return b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", whole, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", length)


def file_of(samples: Any, rate: int, form: str) -> bytes:
    """A whole sound in one of the formats in `MIMES`.

    Raises
    ------
    Refusal
        When the libraries here cannot write it.
    """
    if form in ("pcm", "wav"):
        data = pcm(samples)
        return data if form == "pcm" else wav_head(rate, len(data)) + data
    import soundfile

    if form == "opus" and rate not in _OPUS_RATES:
        samples, rate = at_rate(samples, rate, 48000), 48000
    kind, subtype = _BY_SOUNDFILE[form]
    held = io.BytesIO()
    try:
        soundfile.write(held, samples, rate, format=kind, subtype=subtype)
    except (ValueError, soundfile.LibsndfileError) as e:
        raise Refusal(f"'response_format' {form!r} cannot be written here ({e}); wav and pcm can.", param="response_format") from None
    return held.getvalue()


def samples_of(data: bytes, rate: int) -> Any:
    """The samples of a sound file, at that rate.

    Raises
    ------
    Refusal
        When it is no sound that can be read.
    """
    import soundfile

    try:
        found, own = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, ValueError, RuntimeError) as e:
        raise Refusal(f"The sound cannot be read ({e}). WAV, FLAC, OGG and MP3 can: convert others, such as M4A and WebM.", param="file") from None
    if not len(found):
        raise Refusal("The sound is empty.", param="file")
    return at_rate(found.mean(axis=1), own, rate)


def at_rate(samples: Any, own: int, rate: int) -> Any:
    """The same sound at another rate."""
    if own == rate:
        return samples
    import soxr

    return soxr.resample(samples, own, rate)
