"""Bytes as people read them, one way for all of the workbench: ``8.1 GiB``. ``js/common/format.ts`` is the twin for pages.

Counted by 1024, as memory is built and as GPUs, their tools and the engines tell it, and named as IEC 80000-13 names that, so that a number
here can be compared with one of theirs.
"""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_OVER = 1023.95  # would be shown as 1,024.0


def size(count: float | None) -> str:
    """Bytes in the unit in which they are a small number; a dash where they are not known.

    Examples
    --------
    >>> size(16_381_470_720), size(64 << 30), size(None)
    ('15.3 GiB', '64 GiB', '–')
    """
    if count is None:
        return "–"
    value, unit = _scaled(count, count)
    return f"{value} {unit}"


def of(done: float, total: float) -> str:
    """A part of a whole, both in the whole's unit: ``5 of 8.1 GiB``."""
    value, unit = _scaled(done, total)
    return f"{value} of {_scaled(total, total)[0]} {unit}"


def _scaled(count: float, by: float) -> tuple[str, str]:
    unit = 0
    while abs(by) >= _OVER and unit < len(_UNITS) - 1:
        count, by, unit = count / 1024, by / 1024, unit + 1
    whole = unit == 0 or abs(count) >= 100
    return f"{count:,.{0 if whole else 1}f}".removesuffix(".0"), _UNITS[unit]
