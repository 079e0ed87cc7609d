"""Prometheus' text form: lines to samples. Standard library only; knows no engine.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. Comments, types, time stamps and exemplars
are passed over; a line that is not of the form is, too, because one bad line must not hide the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*')
_ESCAPE = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One measured value."""

    name: str
    labels: dict[str, str]
    value: float


class Samples:
    """All samples of one answer.

    Parameters
    ----------
    text : str
        The body of ``/metrics``.
    """

    def __init__(self, text: str) -> None:
        self._by_name: dict[str, list[Sample]] = {}
        for sample in parse(text):
            self._by_name.setdefault(sample.name, []).append(sample)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def of(self, name: str) -> list[Sample]:
        """The samples of a name; empty where there is none."""
        return self._by_name.get(name, [])

    def total(self, names: Iterable[str]) -> float | None:
        """The sum over all labels (engines, models, reasons) of the first name that is there; None where none is."""
        found = next((self.of(n) for n in names if n in self), None)
        return None if found is None else math.fsum(s.value for s in found if math.isfinite(s.value))

    def mean(self, names: Iterable[str]) -> float | None:
        """The mean over all labels, as for shares of several engines' caches."""
        found = next((self.of(n) for n in names if n in self), None)
        values = [s.value for s in found or () if math.isfinite(s.value)]
        return math.fsum(values) / len(values) if values else None


def parse(text: str) -> Iterator[Sample]:
    """The samples, in the order of the lines."""
    for line in text.split("\n"):
        sample = _sample(line.strip())
        if sample is not None:
            yield sample


def _sample(line: str) -> Sample | None:
    name = _NAME.match(line)
    if name is None:  # a comment, an empty line, or no sample
        return None
    rest, labels = line[name.end() :].lstrip(), {}
    if rest.startswith("{"):
        at = 1
        while (label := _LABEL.match(rest, at)) is not None:
            labels[label[1]] = _ESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], label[2])
            at = label.end()
            if rest[at : at + 1] != ",":
                break
            at += 1
        tail = rest[at:].lstrip()
        if not tail.startswith("}"):
            return None
        rest = tail[1:]
    words = rest.split()
    try:
        return Sample(name[0], labels, float(words[0]))
    except (IndexError, ValueError):
        return None
