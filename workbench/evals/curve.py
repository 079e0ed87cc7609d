"""A training's loss as inline SVG with HTML labels, as the monitor draws it. Knows columns, not jobs."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from . import words

if TYPE_CHECKING:
    import pandas as pd

SMOOTHING = 0.9
POINTS = 2000  # more than a page is wide; a longer run is thinned

Point = tuple[float, float]


def points(metrics: pd.DataFrame, column: str) -> list[Point]:
    """The (step, value) pairs of a column that have a finite value."""
    if column not in metrics or "step" not in metrics:
        return []
    pairs = zip(metrics["step"].tolist(), metrics[column].tolist(), strict=True)
    found = [(float(x), float(y)) for x, y in pairs if y is not None and math.isfinite(float(y))]
    return found[:: max(1, math.ceil(len(found) / POINTS))]


def smooth(values: list[Point], weight: float = SMOOTHING) -> list[Point]:
    """Exponential moving average without the bias of its start (Kingma and Ba 2015, section 3)."""
    out, average = [], 0.0
    for n, (x, y) in enumerate(values, 1):
        average = weight * average + (1 - weight) * y
        out.append((x, average / (1 - weight**n)))
    return out


def _ticks(low: float, high: float, most: int = 4) -> list[float]:
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / most))
    step *= next((m for m in (1, 2, 5, 10) if span / (step * m) <= most), 10)
    first = math.ceil(low / step - 1e-9)
    return [step * i for i in range(first, first + most + 2) if step * i <= high + 1e-9 * span]


def figure(metrics: pd.DataFrame) -> str:
    """The figure as HTML, or nothing when no loss was measured."""
    loss, evals = points(metrics, "loss"), points(metrics, "eval_loss")
    every = loss + evals
    if not every:
        return ""
    smoothed = smooth(loss)
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)
    low, high = (0.0 if low >= 0 and low < 0.4 * high else low), high + (high - low) * 0.04 or 1.0
    across, up = (right - left) or 1.0, (high - low) or 1.0

    def at(x: float, y: float) -> str:
        return f"{100 * (x - left) / across:.2f} {100 - 100 * (y - low) / up:.2f}"

    def line(kind: str, values: list[Point]) -> str:
        return f'<path class="{kind}" d="M{"L".join(at(*p) for p in values)}"/>' if len(values) > 1 else ""

    grid, labels = "", ""
    for tick in _ticks(low, high):
        y = 100 - 100 * (tick - low) / up
        grid += f'<line class="g" x1="0" x2="100" y1="{y:.2f}" y2="{y:.2f}"/>'
        labels += f'<span class="yl" style="top:{y:.2f}%">{tick:g}</span>'
    for tick in _ticks(left, right):
        if tick == int(tick):
            labels += f'<span class="xl" style="left:{100 * (tick - left) / across:.2f}%">{int(tick):,}</span>'
    marks = "".join(f'<path class="dot" d="M{at(*p)}l0 0"/>' for p in evals)
    svg = f'{grid}<line class="ax" x1="0" x2="100" y1="100" y2="100"/>{line("raw", loss)}{line("ema", smoothed)}{line("ev", evals)}{marks}'
    legend = [f"loss <b>{words.number(smoothed[-1][1], 3)}</b>"] if smoothed else []
    legend += [f"eval loss <b>{words.number(evals[-1][1], 3)}</b>"] if evals else []
    spoken = escape(f"Loss over {right - left + 1:,.0f} steps")
    return (
        f'<figure class="wb-figure"><figcaption><h2>Training loss</h2><span class="wb-legend">{" · ".join(legend)}</span></figcaption>'
        f'<div class="wb-plot" role="img" aria-label="{spoken}"><svg viewBox="0 0 100 100" preserveAspectRatio="none">'
        f"{svg}</svg>{labels}</div></figure>"
    )
