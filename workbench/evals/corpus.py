"""Measures whose value over all rows is not the mean of the rows, such as BLEU: computed from counts that rows add up to.

Intervals are the percentile bootstrap over rows, differences are tested by exchanging the models' rows at random: Koehn,
"Statistical significance tests for machine translation evaluation" (2004); Riezler and Maxwell (2005). Knows no measure by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .statistics import LEVEL, Estimate, Paired

Counts = NDArray[np.float64]
Score = Callable[[Sequence[float]], float]
RESAMPLES = 1000
_CELLS = 20_000_000  # random numbers in one computation, which takes about a second


def _rounds(n: int) -> int:
    return min(RESAMPLES, max(200, _CELLS // max(1, n)))


def _scores(score: Score, sums: Counts) -> Counts:
    return np.array([score(row) for row in sums.tolist()])


def _resampled(counts: Counts, rounds: int, seed: int) -> Counts:
    """Sums of the counts over rows drawn with replacement, one line a round."""
    random, n = np.random.default_rng(seed), len(counts)
    block = max(1, 2_000_000 // n)
    drawn = [random.multinomial(n, np.full(n, 1 / n), size=min(block, rounds - done)) @ counts for done in range(0, rounds, block)]
    return np.concatenate(drawn)


def estimate(rows: Sequence[Sequence[float]], score: Score, *, seed: int = 0) -> Estimate:
    """The value over all rows with its interval; infinite from one row."""
    counts = np.asarray(rows, dtype=np.float64)
    value = score(counts.sum(axis=0).tolist())
    if len(counts) < 2:
        return Estimate(value, (-math.inf, math.inf))
    low, high = np.quantile(_scores(score, _resampled(counts, _rounds(len(counts)), seed)), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(value, (float(low), float(high)))


def paired(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], score: Score, *, seed: int = 0) -> Paired:
    """The difference over the same rows, candidate ``b`` minus baseline ``a``."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    n, width = x.shape
    seen = score(y.sum(axis=0).tolist()) - score(x.sum(axis=0).tolist())
    if n < 2:
        return Paired(seen, (-math.inf, math.inf), 1.0, 0.0, n)
    rounds = _rounds(n)
    both = _resampled(np.hstack([x, y]), rounds, seed)
    moved = _scores(score, both[:, width:]) - _scores(score, both[:, :width])
    low, high = np.quantile(moved, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    random, as_extreme = np.random.default_rng(seed + 1), 1
    block = max(1, 2_000_000 // n)
    for done in range(0, rounds, block):
        swap = (random.random((min(block, rounds - done), n)) < 0.5) @ (y - x)
        shuffled = _scores(score, y.sum(axis=0) - swap) - _scores(score, x.sum(axis=0) + swap)
        as_extreme += int((np.abs(shuffled) >= abs(seen) - 1e-12).sum())
    return Paired(seen, (float(low), float(high)), as_extreme / (rounds + 1), float(moved.std(ddof=1)) * math.sqrt(n), n)
