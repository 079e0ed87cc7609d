"""Means with intervals, and paired tests of two models on the same rows. Pure functions on numbers; knows no rows or models.

Needs numpy only; the tests hold every function against scipy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from .values import Verdict

Array = NDArray[np.float64]
Interval = tuple[float, float]
LEVEL = 0.95
POWER = 0.8
FAR = 1_000_000  # more rows than this is no advice


@dataclass(frozen=True, slots=True)
class Estimate:
    """A centre (mean or median) with its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Paired:
    """Candidate minus baseline over the same rows.

    ``spread`` is the standard deviation of one row's difference as seen; ``unseen`` widens the interval for kinds of rows that
    did not turn up, as variance in rows: the interval's half width over n rows is z · sqrt(spread² + unseen / n) / sqrt(n).
    """

    difference: float
    interval: Interval
    p_value: float
    spread: float
    rows: int
    unseen: float = 0.0


def wilson(successes: float, n: int, level: float = LEVEL) -> Interval:
    """Interval of a proportion. Wilson, "Probable inference", JASA 22 (1927), 209-212."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (max(0.0, centre - half), min(1.0, centre + half))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / max(tiny, 1.0 - (a + b) * x / (a + 1.0))
    result = d
    for m in range(1, 300):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / ((1.0 + step * d) or tiny)
            c = (1.0 + step / c) or tiny
            result *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return result


def t_tail(t: float, df: float) -> float:
    """Two-sided tail of Student's t: I_x(df/2, 1/2) with x = df / (df + t²). Abramowitz and Stegun 26.7.1."""
    y = t * t / (df + t * t)  # 1 - x, which itself loses a small t
    x, a, b = df / (df + t * t), df / 2.0, 0.5
    if y <= 0.0 or x <= 0.0:
        return 1.0 if y <= 0.0 else 0.0
    log_x = math.log1p(-y) if y < 0.5 else math.log(x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * log_x + b * math.log(y))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, y) / b


@lru_cache(maxsize=512)
def t_quantile(df: float, level: float = LEVEL) -> float:
    """The t with ``level`` of Student's distribution between -t and t, by bisection of `t_tail`."""
    low, high = 0.0, 2.0
    while t_tail(high, df) > 1 - level:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if t_tail(middle, df) > 1 - level else (low, middle)
    return (low + high) / 2.0


def _numbers(values: Sequence[float] | Array) -> Array:
    return np.asarray(values, dtype=np.float64)


def binary(*groups: Sequence[float] | Array) -> bool:
    """Whether every value is 0 or 1."""
    return all(bool(np.isin(_numbers(g), (0.0, 1.0)).all()) for g in groups)


def mean(values: Sequence[float] | Array, *, bounded: bool = False) -> Estimate:
    """The mean with its interval: Wilson's where every value is 0 or 1, else Student's t.

    With ``bounded``, values are shares of 0 to 1 and so is the interval. One value alone has no spread to judge by: its
    interval is the whole range when bounded, else infinite.
    """
    x = _numbers(values)
    n, centre = len(x), float(x.mean())
    if bounded and binary(x):
        return Estimate(centre, wilson(float(x.sum()), n))
    if n < 2:
        return Estimate(centre, (0.0, 1.0) if bounded else (-math.inf, math.inf))
    half = t_quantile(n - 1) * float(x.std(ddof=1)) / math.sqrt(n)
    low, high = centre - half, centre + half
    return Estimate(centre, (max(0.0, low), min(1.0, high)) if bounded else (low, high))


def median(values: Sequence[float] | Array) -> Estimate:
    """The median with the distribution-free interval of order statistics (Conover, Practical Nonparametric Statistics, 3.2).

    Few values give the widest interval there is, from the smallest to the largest.
    """
    x = np.sort(_numbers(values))
    n = len(x)
    rank = max(0, math.floor((n - NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(n)) / 2.0))
    return Estimate(float(np.median(x)), (float(x[rank]), float(x[n - 1 - rank])))


def mcnemar(improved: int, regressed: int) -> float:
    """Exact two-sided p of McNemar's test: both kinds of change are equally likely when the models are.

    McNemar, Psychometrika 12 (1947), 153-157; the exact form is the binomial test of the changed rows.
    """
    n, k = improved + regressed, min(improved, regressed)
    if n == 0:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2.0) for i in range(k + 1)]
    return min(1.0, 2.0 * math.fsum(math.exp(v) for v in logs))


def paired_proportions(a: Sequence[float] | Array, b: Sequence[float] | Array) -> Paired:
    """Difference of two proportions on the same rows, with McNemar's exact p.

    The interval adds half a row to each of the four kinds of pairs, so that it stays honest where no row changed: Agresti and
    Min, Statistics in Medicine 24 (2005), 729-740.
    """
    x, y = _numbers(a), _numbers(b)
    n = len(x)
    up, down = int(((x == 0) & (y == 1)).sum()), int(((x == 1) & (y == 0)).sum())
    more, less, rows = (up + 0.5), (down + 0.5), n + 2.0
    centre = (more - less) / rows
    spread = math.sqrt(max(0.0, (more + less) / rows - centre * centre))
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * spread / math.sqrt(rows)
    seen = (up - down) / n
    interval = (max(-1.0, centre - half), min(1.0, centre + half))
    return Paired(seen, interval, mcnemar(up, down), math.sqrt(max(0.0, (up + down) / n - seen * seen)), n, 1.0)


def paired_means(a: Sequence[float] | Array, b: Sequence[float] | Array, *, bounded: bool = False) -> Paired:
    """Difference of two means on the same rows by the paired t test (Student, Biometrika 6 (1908), 1-25).

    Where every row has the same difference its spread says nothing; a bounded score then gets the "rule of three": what was not
    seen in n rows happens in at most 3/n of them (Hanley and Lippman-Hand, JAMA 249 (1983), 1743-1745).
    """
    d = _numbers(b) - _numbers(a)
    n, centre, unseen = len(d), float(d.mean()), 0.0
    spread = float(d.std(ddof=1)) if n > 1 else 0.0
    if spread <= 1e-12 * max(1.0, abs(centre)):
        half = min(1.0, 3.0 / n) if bounded else (math.inf if n < 2 else 0.0)
        p = 1.0 if n < 2 or centre == 0.0 else 2.0 ** (1 - n)  # the sign test: n rows that all go one way
        spread, unseen = 0.0, (3.0 / NormalDist().inv_cdf((1 + LEVEL) / 2)) ** 2 if bounded else 0.0
    else:
        half = t_quantile(n - 1) * spread / math.sqrt(n)
        p = t_tail(centre / (spread / math.sqrt(n)), n - 1)
    low, high = centre - half, centre + half
    return Paired(centre, (max(-1.0, low), min(1.0, high)) if bounded else (low, high), p, spread, n, unseen)


def paired_medians(a: Sequence[float] | Array, b: Sequence[float] | Array, *, resamples: int = 2000, seed: int = 0) -> Paired:
    """Difference of two medians on the same rows: bootstrap interval, permutation p.

    The interval is the percentile bootstrap over rows; p comes from exchanging the models' values within rows at random, which
    leaves everything as it was when the models are alike. Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters
    13 and 15. Seeded: the same rows give the same numbers.
    """
    x, y = _numbers(a), _numbers(b)
    n = len(x)
    resamples = min(resamples, max(400, 20_000_000 // n))  # about a second at the most
    difference = float(np.median(y) - np.median(x))
    if n < 2:
        return Paired(difference, (-math.inf, math.inf), 1.0, 0.0, n)
    random = np.random.default_rng(seed)
    moved, as_extreme, done = [], 1, 0
    while done < resamples:
        block = min(resamples - done, max(1, 2_000_000 // n))
        rows = random.integers(0, n, (block, n))
        moved.append(np.median(y[rows], axis=1) - np.median(x[rows], axis=1))
        swap = random.random((block, n)) < 0.5
        shuffled = np.median(np.where(swap, x, y), axis=1) - np.median(np.where(swap, y, x), axis=1)
        as_extreme += int((np.abs(shuffled) >= abs(difference) - 1e-15).sum())
        done += block
    every = np.concatenate(moved)
    low, high = np.quantile(every, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    spread = float(every.std(ddof=1)) * math.sqrt(n)
    return Paired(difference, (float(low), float(high)), as_extreme / (resamples + 1), spread, n)


def verdict(test: Paired, *, higher_is_better: bool, margin: float | None) -> Verdict:
    """What the paired test allows to say.

    ``same`` when the whole interval lies within the margin (equivalence by inclusion; Schuirmann, J. Pharmacokinetics and
    Biopharmaceutics 15 (1987), 657-680), ``better`` or ``worse`` when the test and the interval both exclude 0, else
    ``inconclusive``.
    """
    low, high = test.interval
    if margin is not None and -margin <= low and high <= margin:
        return "same"
    if test.p_value < 1 - LEVEL and (low > 0 or high < 0):
        return "better" if (test.difference > 0) == higher_is_better else "worse"
    return "inconclusive"


def rows_to_settle(test: Paired, *, margin: float | None) -> int | None:
    """About how many more rows would settle it, if they are like those seen.

    The rows that a two-sided test at 5 % needs to find the seen difference with 80 % power, or, when that difference is inside the
    margin, those that bring the interval inside it (Cohen, Statistical Power Analysis, 1988, chapter 2). None when no affordable
    number would.
    """
    normal = NormalDist()
    factor = (normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)) ** 2
    gaps = [abs(test.difference)]
    if margin is not None:
        gaps.append(margin - abs(test.difference))
    noise = factor * test.spread**2
    needed = [(noise + math.sqrt(noise**2 + 4 * gap**2 * factor * test.unseen)) / (2 * gap**2) for gap in gaps if gap > 0]
    if not needed or (noise == 0 and test.unseen == 0):
        return None
    more = min(needed) - test.rows
    return None if more > FAR else max(1, math.ceil(more))
