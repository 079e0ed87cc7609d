"""Cuts a long recording where it is quiet, for models that hear half a minute at once. Knows no model; needs numpy."""

from __future__ import annotations

from typing import Any

STEP = 0.02  # seconds over which loudness is measured
SEARCH = 1 / 3  # the part of a window, at its end, in which a quiet place is looked for


def windows(samples: Any, rate: int, longest: float) -> list[tuple[int, int]]:
    """Where to cut: (first sample, first sample beyond) of each part, none longer than ``longest`` seconds.

    A cut is made in the middle of the quietest fifth of a second in the last third of a window.
    """
    import numpy

    most, step = int(longest * rate), max(1, int(STEP * rate))
    out: list[tuple[int, int]] = []
    start = 0
    while len(samples) - start > most:
        begin = start + int(most * (1 - SEARCH))
        part = numpy.asarray(samples[begin : start + most], dtype="float64")
        blocks = part[: len(part) // step * step].reshape(-1, step)
        loud = numpy.convolve((blocks**2).mean(axis=1), numpy.ones(min(10, len(blocks))), mode="same")
        cut = begin + (int(loud.argmin()) * step + step // 2 if len(blocks) else most // 3)
        out.append((start, cut))
        start = cut
    return [*out, (start, len(samples))]
