"""Small pieces of HTML and SVG for the static forms: no script, no outside file, readable in any theme.

They use JupyterLab's variables where there are any and plain colours elsewhere. Knows no widget.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape as _escape


def escape(text: str) -> str:
    """Text as HTML."""
    return _escape(text)


TONES = {"run": "#1976d2", "ok": "#388e3c", "warn": "#b25b00", "err": "#c62828", "idle": "#757575"}
_LINE = "var(--jp-border-color2,#e0e0e0)"
_WORDS = "var(--jp-ui-font-color2,#616161)"
_INK = "var(--jp-ui-font-color0,#111)"
_RUN = "var(--jp-brand-color1,#1976d2)"
_EVAL = "#8458c9"
_FONT = "var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif)"


def card(title: str, chip: str = "", tone: str = "idle", facts: Iterable[str] = (), *body: str) -> str:
    """A card: title, state and facts (already HTML) above its body."""
    line = " · ".join(f for f in facts if f)
    state = (
        f'<span style="margin-left:8px;padding:2px 8px;border-radius:10px;font-size:11px;color:{TONES[tone]};'
        f'border:1px solid {TONES[tone]}">{escape(chip)}</span>'
        if chip
        else ""
    )
    head = f'<div><b style="font-size:14px;color:{_INK}">{escape(title)}</b>{state}</div>'
    if line:
        head += f'<div style="margin-top:4px;font-size:12px;color:{_WORDS}">{line}</div>'
    return (
        f'<div style="font:13px/20px {_FONT};color:var(--jp-ui-font-color1,#212121);border:1px solid {_LINE};border-radius:6px;'
        f'padding:12px 16px;max-width:1000px;overflow-x:auto">{head}{"".join(body)}</div>'
    )


def why(cause: str, fix: str, words: tuple[str, str], tail: str = "") -> str:
    """Cause, fix and the last log lines."""
    rows = "".join(
        f'<div style="margin-top:8px"><span style="color:{_WORDS};font-size:12px">{escape(word)}</span> {escape(text)}</div>'
        for word, text in zip(words, (cause, fix), strict=True)
        if text
    )
    return rows + (log(tail) if tail else "")


def log(text: str) -> str:
    """Log lines as they are."""
    return (
        '<pre style="margin:8px 0 0;padding:8px 12px;border-radius:4px;background:var(--jp-layout-color2,#f5f5f5);white-space:pre-wrap;'
        f'font:12px/18px var(--jp-code-font-family,monospace)">{escape(text)}</pre>'
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table of HTML cells; columns in ``numbers`` stand at the right."""
    right = set(numbers)

    def align(i: int) -> str:
        return "right" if i in right else "left"

    head = "".join(
        f'<th style="text-align:{align(i)};padding:4px 12px 4px 0;font-weight:400;font-size:11px;color:{_WORDS}">{escape(h)}</th>'
        for i, h in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{align(i)};vertical-align:top;padding:6px 12px 6px 0;border-top:1px solid {_LINE};white-space:pre-wrap">{c}</td>'
            for i, c in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<table style="margin-top:12px;width:100%;border-collapse:collapse;font-size:12px;line-height:17px"><tr>{head}</tr>{body}</table>'


def bar(parts: Sequence[tuple[float, str]]) -> str:
    """Shares of a whole, each with its colour."""
    filled = "".join(f'<i style="display:block;width:{min(1.0, max(0.0, share)):.2%};background:{colour}"></i>' for share, colour in parts)
    return (
        '<div style="display:flex;gap:1px;height:8px;margin-top:6px;border-radius:4px;overflow:hidden;'
        f'background:var(--jp-layout-color3,#e0e0e0)">{filled}</div>'
    )


def thin(values: Sequence[float], count: int) -> list[tuple[float, float]]:
    """At most ``2 * count`` points (position, value): the lowest and highest of equal runs, in their order."""
    if len(values) <= 2 * count:
        return [(float(i), v) for i, v in enumerate(values)]
    out: list[tuple[float, float]] = []
    for k in range(count):
        start, end = k * len(values) // count, (k + 1) * len(values) // count
        run = range(start, end)
        low, high = min(run, key=values.__getitem__), max(run, key=values.__getitem__)
        out += [(float(i), values[i]) for i in sorted({low, high})]
    return out


def loss_chart(
    train: tuple[Sequence[float], Sequence[float]],
    smooth: Sequence[float],
    judged: tuple[Sequence[float], Sequence[float]],
    words: tuple[str, str],
) -> str:
    """The loss by step as inline SVG: raw faint, smoothed, evaluations as points, the best one hollow.

    Parameters
    ----------
    train, judged : (steps, losses)
    smooth : sequence of float
        The smoothed losses at the steps of ``train``.
    words : (str, str)
        What the two series are called.
    """
    width, height, left, top, bottom = 640, 240, 48, 10, 22
    values = [*train[1], *judged[1]]
    steps = [*train[0], *judged[0]]
    if not values:
        return ""
    low, high = float(min(values)), float(max(values))
    unit = _nice((high - low) / 4 or abs(high) / 2 or 1.0)
    low, high = math.floor(low / unit + 1e-9) * unit, math.ceil(high / unit - 1e-9) * unit
    high = high if high > low else low + unit
    last = max(steps)
    first = 0.0 if min(steps) <= max(20, last / 10) else min(steps)
    span = (last - first) or 1

    def x(step: float) -> float:
        return left + (step - first) / span * (width - left - 8)

    def y(value: float) -> float:
        return top + (1 - (value - low) / (high - low)) * (height - top - bottom)

    def path(xs: Sequence[float], ys: Sequence[float]) -> str:
        return "M" + "L".join(f"{x(xs[int(i)]):.1f} {y(v):.1f}" for i, v in thin(ys, 300))

    text = f'font-family="sans-serif" font-size="11" fill="{_WORDS}"'
    parts = [f'<svg viewBox="0 0 {width} {height}" style="display:block;margin-top:12px;width:100%;max-width:{width}px" role="img">']
    digits = max(0, math.ceil(-math.log10(unit) - 1e-9))
    for k in range(round((high - low) / unit) + 1):
        at = y(low + k * unit)
        parts.append(f'<path d="M{left} {at:.1f}H{width - 8}" stroke="{_LINE}" fill="none"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end" {text}>{low + k * unit:,.{digits}f}</text>')
    stride = max(1, round(_nice(span / 5)))
    for tick in range(math.ceil(first / stride) * stride, math.floor(last) + 1, stride):
        parts.append(f'<text x="{x(tick):.1f}" y="{height - 6}" text-anchor="middle" {text}>{tick:,}</text>')
    if len(train[1]) > 1:
        parts.append(f'<path d="{path(*train)}" stroke="{_RUN}" stroke-opacity=".26" fill="none"/>')
        parts.append(f'<path d="{path(train[0], smooth)}" stroke="{_RUN}" stroke-width="1.75" fill="none"/>')
    if judged[1]:
        best = min(range(len(judged[1])), key=judged[1].__getitem__)
        if len(judged[1]) > 1:
            at = x(judged[0][best])
            parts.append(f'<path d="M{at:.1f} {top}V{height - bottom}" stroke="{_EVAL}" stroke-dasharray="2 3" fill="none"/>')
            parts.append(f'<path d="{path(*judged)}" stroke="{_EVAL}" stroke-opacity=".55" fill="none"/>')
        for i, (step, value) in enumerate(zip(*judged, strict=True)):
            if len(judged[1]) <= 200 or i == best:
                fill = "var(--jp-layout-color1,#fff)" if i == best and len(judged[1]) > 1 else _EVAL
                parts.append(f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="3" stroke="{_EVAL}" stroke-width="1.5" fill="{fill}"/>')
    parts.append("</svg>")
    legend = [f'<span style="color:{_RUN}">—</span> {escape(words[0])}'] if train[1] else []
    legend += [f'<span style="color:{_EVAL}">●</span> {escape(words[1])}'] if judged[1] else []
    return "".join(parts) + f'<div style="font-size:11px;color:{_WORDS}">{" &nbsp; ".join(legend)}</div>'


def _nice(value: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((f * power for f in (1, 2, 5, 10) if f * power >= value * (1 - 1e-9)), 10 * power)
