"""One measured comparison, and the ways to measure that all benchmarks share. Knows nothing of the workbench."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours against theirs, and the bound that we want to keep.

    Attributes
    ----------
    question : str
        What was measured.
    ours, theirs : float
        Medians, in ``unit``. ``theirs`` is None where there is only a bound.
    against : str
        What theirs is.
    value : float
        What the bound is about: a quotient or a difference of the two, or ours.
    shown : str
        The value with its unit.
    bound : float
        The limit of the value.
    at_most : bool
        Whether the value must stay below the bound; above it otherwise.
    """

    question: str
    ours: float
    theirs: float | None
    unit: str
    against: str
    value: float
    shown: str
    bound: str
    kept: bool


def number(value: float) -> str:
    """Three digits that matter, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def quotient(
    question: str, ours: float, theirs: float, unit: str, against: str, *, at_least: float | None = None, at_most: float | None = None
) -> Ratio:
    """Ours divided by theirs."""
    value = ours / theirs
    bound, kept = _bound(value, at_least, at_most, "{:g}×")
    return Ratio(question, ours, theirs, unit, against, value, f"{value:.2f}×", bound, kept)


def difference(question: str, ours: float, theirs: float, unit: str, against: str, *, at_most: float) -> Ratio:
    """Ours less theirs."""
    value = ours - theirs
    bound, kept = _bound(value, None, at_most, "{:+g} " + unit)
    return Ratio(question, ours, theirs, unit, against, value, f"{'−' if value < 0 else '+'}{number(abs(value))} {unit}", bound, kept)


def limit(question: str, ours: float, unit: str, *, at_least: float | None = None, at_most: float | None = None) -> Ratio:
    """Ours alone, against a fixed limit."""
    bound, kept = _bound(ours, at_least, at_most, "{:g} " + unit)
    return Ratio(question, ours, None, unit, "", ours, f"{number(ours)} {unit}", bound, kept)


def _bound(value: float, at_least: float | None, at_most: float | None, form: str) -> tuple[str, bool]:
    if at_least is not None:
        return "≥ " + form.format(at_least), value >= at_least
    if at_most is not None:
        return "≤ " + form.format(at_most), value <= at_most
    return "", True


def alternate(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Each measure's values, taken in turns, so that what else the machine does falls on all of them alike."""
    values: list[list[float]] = [[] for _ in measures]
    for turn in range(rounds):
        order = range(len(measures)) if turn % 2 == 0 else range(len(measures) - 1, -1, -1)
        for i in order:
            values[i].append(measures[i]())
    return values


def medians(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure, taken in turns."""
    return [statistics.median(v) for v in alternate(rounds, *measures)]
