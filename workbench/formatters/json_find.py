"""Every JSON value in a text that holds other things, too: prose, code fences, a model's thoughts. Time is linear in the text.

A value is a list or dict that stands in the text itself, not inside another one; a text that is one JSON value as a whole may also
be a number, a word or a text. Knows nothing of what is made of the values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .json_mend import Unmendable, looks_like_json, mend, surely_json
from .json_scan import Scan, scan

_NEXT = re.compile(r"</?think>|[-*+] \[ \](?= )|[\[{]")
_MAY_BE_JSON = re.compile(r"\[[ \t\r\n]*+[\[{\"\]\d\-tfnNI]|\{[ \t\r\n]*+[\"}]")
_DECODER = json.JSONDecoder(strict=False)  # control characters inside texts are the commonest mistake of all
_FAILED_AT_MOST = 32
"""Failures of the standard decoder: each counts the text's lines up to where it failed, which takes time of its own."""
_REPAIRED_AT_MOST = 4
"""Passes over the whole text that all attempts to mend may take together."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value: where, why, whether the text was cut off there, and whether it surely was meant as JSON."""

    at: int
    why: str
    cut: bool = False
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """The values in the order in which they stand, and the first one that could not be read."""

    values: tuple[Any, ...]
    problem: Problem | None = None


def find(text: str, *, repair: bool = True, cut: bool = False) -> Findings:
    """The JSON values of a text.

    Parameters
    ----------
    repair : bool, optional
        Whether values that break the grammar are mended where it is clear what was meant.
    cut : bool, optional
        Whether it is known that the text was cut off, so that brackets missing at its end must not be added.
    """
    try:
        return Findings((_DECODER.decode(text.strip("\ufeff \t\r\n")),))
    except (ValueError, RecursionError):
        return _Finder(text, repair, not cut).run()


class _Finder:
    def __init__(self, text: str, repair: bool, may_close: bool) -> None:
        self.text, self.may_close = text, may_close
        self.values: list[Any] = []
        self.problem: Problem | None = None
        self.failed = 0
        self.budget = _REPAIRED_AT_MOST * len(text) + 4096 if repair else 0

    def run(self) -> Findings:
        at = 0
        while found := _NEXT.search(self.text, at):
            if found[0] == "</think>":  # what stood before was thought, though nothing said so where it began
                self.values, self.problem, at = [], None, found.end()
            elif found[0] == "<think>":
                end = self.text.find("</think>", found.end())
                if end < 0:
                    self.note(Problem(found.start(), "the thoughts that begin there never end", cut=True))
                    break
                at = end + len("</think>")
            elif found[0] in "[{":
                at = self.value(found.start())
            else:
                at = found.end()
        return Findings(tuple(self.values), self.problem)

    def value(self, start: int) -> int:
        """Take the value that begins there, if it is one; gives where to go on."""
        if not _MAY_BE_JSON.match(self.text, start):
            return self.broken(start, Scan(None, start + 1))
        seen = None
        if self.failed >= _FAILED_AT_MOST and (seen := scan(self.text, start)).end is None:
            return self.broken(start, seen)
        try:
            value, end = _DECODER.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            self.failed += 1
            return self.broken(start, seen or scan(self.text, start))
        self.values.append(value)
        return end

    def broken(self, start: int, seen: Scan) -> int:
        """Mend the value that begins there, or tell why not, or take what is inside it."""
        if seen.end is not None:
            self.note(Problem(start, "it is nested too deeply, or a number in it is too long", sure=True))
            return seen.end
        escaped = self.text[max(start - 1, 0) : start] == "\\"  # a formula
        sure = not escaped and surely_json(self.text, start)
        if looks_like_json(self.text, start) and not escaped:
            if self.budget <= 0:
                self.note(Problem(seen.wrong, "the grammar is broken there", seen.wrong >= len(self.text), sure))
            else:
                try:
                    value, end = mend(self.text, start, self.may_close)
                except Unmendable as e:
                    self.budget -= e.reached - start
                    self.note(Problem(e.at, e.why, e.cut, sure))
                else:
                    self.values.append(value)
                    return end
        if not sure:  # a remark in brackets, which may hold values of its own
            for begin, _ in seen.complete:
                self.value(begin)
        after = max(seen.wrong, start + 1)
        thought = self.text.find("</think>", start, after)
        return after if thought < 0 else thought

    def note(self, problem: Problem) -> None:
        if self.problem is None or (problem.sure and not self.problem.sure):
            self.problem = problem
