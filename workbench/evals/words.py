"""Numbers of a summary as words: the same wherever a summary is read. Knows no rows and no markup."""

from __future__ import annotations

import math

from .values import ScoreSummary

MINUS = "−"


def letter(model: int) -> str:
    """The mark of a model: A, B, …"""
    return chr(ord("A") + model) if model < 26 else str(model + 1)


def number(value: float, digits: int = 2) -> str:
    """A number with thousands separated and a true minus sign."""
    text = f"{value:,.{digits}f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return text.replace("-", MINUS)


def seconds(value: float) -> str:
    """A duration: ``412 ms``, ``1.24 s``, ``2 min 41 s``."""
    if abs(value) < 0.9995:
        return f"{number(value * 1000, 1 if 0 < abs(value) < 0.01 else 0)} ms"
    if abs(value) < 60:
        return f"{number(value)} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def value(amount: float | None, unit: str) -> str:
    """A score in its unit: ``78.6%``, ``412 ms``, ``4.31``; a dash for none."""
    if amount is None:
        return "–"
    if unit == "%":
        return f"{number(amount * 100, 1)}%"
    if unit == "s":
        return seconds(amount)
    return f"{number(amount)} {unit}".rstrip()


def difference(amount: float | None, unit: str) -> str:
    """A difference with its sign: ``+12.4 pts``, ``−3 ms``."""
    if amount is None:
        return "–"
    text = f"{number(amount * 100, 1)} pts" if unit == "%" else value(amount, unit)
    return text if text.startswith(MINUS) or amount == 0 else f"+{text}"


def p(value: float | None) -> str:
    """A p-value: ``p = 0.003``, ``p < 0.001``."""
    if value is None:
        return ""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < 0.01 else f"p = {value:.2f}"


def interval(low: float, high: float, unit: str, *, signed: bool = False) -> str:
    """Two ends, the unit once: ``72.6 to 83.5%``, ``+4.4 to +20.3 pts``, ``−9 to +15 ms``."""
    a, b = (difference(low, unit), difference(high, unit)) if signed else (value(low, unit), value(high, unit))
    for shared in (" pts", " ms", " s", "%"):
        if a.endswith(shared) and b.endswith(shared):
            a = a.removesuffix(shared)
    return f"{a} to {b}"


def explanation(s: ScoreSummary) -> str:
    """What stands under a card: the interval, and what else there is to know about the verdict."""
    if s.difference_interval is None:
        ends = s.intervals[s.candidate] if s.candidate < len(s.intervals) else None
        if ends and s.difference is None:
            return f"95% CI {interval(*ends, s.unit)}."
        return "Too few rows for an interval." if s.means[s.candidate] is not None else "No value yet."
    parts = [f"95% CI {interval(*s.difference_interval, s.unit, signed=True)}."]
    if s.verdict == "inconclusive":
        more = s.rows_to_settle
        if more is not None:
            parts.append(f"About {more:,} more {'row' if more == 1 else 'rows'} would settle it.")
        else:
            parts.append("No affordable number of rows would settle it.")
    elif s.verdict == "same" and s.margin is not None:
        parts.append(f"Within ±{difference(s.margin, s.unit).lstrip('+')}.")
    elif s.unit != "s":
        parts.append(f"{s.improved:,} {'row' if s.improved == 1 else 'rows'} improved, {s.regressed:,} regressed.")
    return " ".join(parts)


def scale(s: ScoreSummary) -> tuple[float, float]:
    """The ends of the one scale on which every model's interval is drawn."""
    ends = [e for i in s.intervals if i for e in i if math.isfinite(e)] + [m for m in s.means if m is not None]
    if not ends:
        return (0.0, 1.0)
    low, high = min(ends), max(ends)
    pad = (high - low) * 0.3 or abs(high) * 0.1 or 1.0
    low, high = low - pad, high + pad
    return (max(0.0, low), min(1.0, high)) if s.unit == "%" else (max(0.0, low) if s.unit == "s" else low, high)


def facts(done: int, total: int, errors: int) -> str:
    """How many rows: ``210 rows, 3 errors``, ``128 of 210 rows``."""
    rows = f"{total:,} {'row' if total == 1 else 'rows'}" if done >= total else f"{done:,} of {total:,} rows"
    return rows + (f", {errors:,} {'error' if errors == 1 else 'errors'}" if errors else "")
