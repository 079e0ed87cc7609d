"""Rows → one summary a scorer. Knows which test fits which values; the tests themselves are in `statistics`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .. import registry
from . import corpus, statistics
from .values import LATENCY, EvalOutput, EvalRow, Measure, ScoreSummary


def value_of(output: EvalOutput, measure: Measure) -> float | None:
    """What counts for one output: the score, the latency, or what the measure says a missing answer is worth."""
    if output.skipped:
        return None
    if output.error:
        return measure.on_error
    return output.latency if measure.name == LATENCY else output.scores.get(measure.name)


def change(row: EvalRow, measure: Measure, baseline: int = 0, candidate: int = 1) -> int:
    """1 when the candidate did better on this row than the baseline, -1 when worse, 0 when alike or not comparable."""
    if max(baseline, candidate) >= len(row.outputs):
        return 0
    a, b = value_of(row.outputs[baseline], measure), value_of(row.outputs[candidate], measure)
    if a is None or b is None or a == b:
        return 0
    return 1 if (b > a) == measure.higher_is_better else -1


def _finite(interval: tuple[float, float]) -> tuple[float, float] | None:
    """An interval that says something; from one row there is none."""
    return interval if all(map(math.isfinite, interval)) else None


def summarise(rows: Sequence[EvalRow], measure: Measure, models: int, *, baseline: int = 0, candidate: int | None = None) -> ScoreSummary:
    """One measure over all rows, with the paired test of two models where there are two."""
    last = models - 1 if candidate is None else candidate
    if measure.corpus:
        return _of_corpus(rows, measure, models, baseline, last)
    bounded = measure.unit == "%"
    means: list[float | None] = []
    intervals: list[tuple[float, float] | None] = []
    for model in range(models):
        values = [v for r in rows if model < len(r.outputs) and (v := value_of(r.outputs[model], measure)) is not None]
        one = None if not values else statistics.median(values) if measure.median else statistics.mean(values, bounded=bounded)
        means.append(one.value if one else None)
        intervals.append(_finite(one.interval) if one else None)
    base = ScoreSummary(
        measure.name,
        measure.title or measure.name,
        measure.unit,
        measure.higher_is_better,
        tuple(means),
        tuple(intervals),
        baseline=baseline,
        candidate=last,
    )
    if last == baseline:
        return base
    pairs = [
        (a, b)
        for r in rows
        if max(baseline, last) < len(r.outputs)
        and (a := value_of(r.outputs[baseline], measure)) is not None
        and (b := value_of(r.outputs[last], measure)) is not None
    ]
    if not pairs:
        return base
    left, right = [p[0] for p in pairs], [p[1] for p in pairs]
    if measure.median:
        test = statistics.paired_medians(left, right)
    elif bounded and statistics.binary(left, right):
        test = statistics.paired_proportions(left, right)
    else:
        test = statistics.paired_means(left, right, bounded=bounded)
    return _compared(base, test, rows, measure)


def _of_corpus(rows: Sequence[EvalRow], measure: Measure, models: int, baseline: int, last: int) -> ScoreSummary:
    """A measure that is computed from counts of all rows together."""
    score = registry.get("corpus_measure", measure.corpus)
    counts = [{r.index: p for r in rows if model < len(r.outputs) and (p := r.outputs[model].parts.get(measure.name))} for model in range(models)]
    found = [corpus.estimate(list(c.values()), score) if c else None for c in counts]
    base = ScoreSummary(
        measure.name,
        measure.title or measure.name,
        measure.unit,
        measure.higher_is_better,
        tuple(e.value if e else None for e in found),
        tuple(_finite(e.interval) if e else None for e in found),
        baseline=baseline,
        candidate=last,
    )
    common = [i for i in counts[baseline] if i in counts[last]]
    if last == baseline or not common:
        return base
    test = corpus.paired([counts[baseline][i] for i in common], [counts[last][i] for i in common], score)
    return _compared(base, test, rows, measure)


def _compared(base: ScoreSummary, test: statistics.Paired, rows: Sequence[EvalRow], measure: Measure) -> ScoreSummary:
    """A summary with what the paired test says."""
    baseline, last = base.baseline, base.candidate
    centre = base.means[baseline]
    margin = measure.margin
    if margin is not None and measure.relative_margin:
        margin = None if centre is None else margin * abs(centre)
    said = statistics.verdict(test, higher_is_better=measure.higher_is_better, margin=margin)
    changes = [change(r, measure, baseline, last) for r in rows]
    return replace(
        base,
        difference=test.difference,
        difference_interval=_finite(test.interval),
        p_value=test.p_value,
        verdict=said,
        improved=changes.count(1),
        regressed=changes.count(-1),
        rows_to_settle=statistics.rows_to_settle(test, margin=margin) if said == "inconclusive" else None,
        rows=test.rows,
        margin=margin,
    )
