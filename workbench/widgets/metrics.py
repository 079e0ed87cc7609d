"""Measured rows as columns of float64 that grow, and the pieces of them that a page asks for. Knows no widget."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from ..core.jobs import MetricRow

NAN = float("nan")
FIRST = ("step", "epoch", "time")


class Columns:
    """Rows of a job by column; a value that a row has not is NaN. Not thread-safe: the widget's lock guards it."""

    def __init__(self) -> None:
        self.columns: dict[str, array[float]] = {name: array("d") for name in FIRST}
        self.count = 0

    def extend(self, rows: Iterable[MetricRow]) -> None:
        """Add rows at the end."""
        for row in rows:
            for name in row.values:
                if name not in self.columns:
                    self.columns[name] = array("d", [NAN]) * self.count
            for name, column in self.columns.items():
                if name == "step":
                    column.append(float(row.step))
                elif name == "epoch":
                    column.append(NAN if row.epoch is None else float(row.epoch))
                elif name == "time":
                    column.append(row.time)
                else:
                    column.append(_number(row.values.get(name)))
            self.count += 1

    def piece(self, start: int) -> tuple[list[str], bytes]:
        """The rows from ``start`` on: names, and one column after the other."""
        return list(self.columns), b"".join(c[start:].tobytes() for c in self.columns.values())

    def known(self, name: str) -> tuple[list[float], list[float]]:
        """Steps and values of the rows that have this value."""
        column = self.columns.get(name)
        if column is None:
            return [], []
        pairs = [(s, v) for s, v in zip(self.columns["step"], column, strict=True) if v == v]
        return [s for s, _ in pairs], [v for _, v in pairs]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else NAN


def smoothed(values: Iterable[float], weight: float = 0.9) -> list[float]:
    """Exponential moving average that begins at the first value; the same as js/common/smooth.ts."""
    out: list[float] = []
    for value in values:
        out.append(value if not out else weight * out[-1] + (1 - weight) * value)
    return out
