"""`JsonFormatter`: the JSON that a model wrote, wherever it stands in the answer."""

from __future__ import annotations

from typing import Any

from ..errors import FormatError
from .json_find import Problem, find
from .json_like import JsonLike


class JsonFormatter(JsonLike):
    """The JSON values of a text, or what a slice expression picks out of them.

    The values may stand between prose, in code fences or behind ``<think>`` blocks. One value is given as it is, several as a
    list. Where a model broke the grammar and it is clear what it meant (single quotes, names without quotes, comments,
    missing commas and brackets, quotes inside texts), the value is mended.

    Parameters
    ----------
    formatter : str, optional
        Which parts, as ``'[:][title]'``; see `workbench.formatters.slices`.
    repair : bool, optional
        False refuses whatever breaks JSON's grammar, but for line breaks and the like inside texts.

    Raises
    ------
    ArgumentError
        When the expression cannot be read.

    Examples
    --------
    >>> JsonFormatter('[:][title]')('Sure! [{"title": "One"}, {"title": "Two"}]')
    ['One', 'Two']
    """

    def __init__(self, formatter: str | None = None, *, repair: bool = True) -> None:
        super().__init__(formatter)
        self.repair = repair

    def _load(self, msg: str) -> Any:
        cut = getattr(msg, "finish_reason", None) == "length"
        found = find(msg, repair=self.repair, cut=cut)
        if found.problem is not None and (found.problem.sure or not found.values):
            raise _unreadable(msg, found.problem, cut)
        if not found.values:
            raise _none(msg)
        return found.values[0] if len(found.values) == 1 else list(found.values)


def _none(text: str) -> FormatError:
    shown = " ".join(text.split())
    cause = f"It reads: {shown[:120]}{' …' if len(shown) > 120 else ''}" if shown else "It is empty."
    return FormatError("The answer has no JSON.", cause, "Ask for JSON in the prompt; m.formatter(None) gives the text itself.", text=text)


def _unreadable(text: str, problem: Problem, cut: bool) -> FormatError:
    line = text.count("\n", 0, problem.at) + 1
    column = problem.at - (text.rfind("\n", 0, problem.at) + 1) + 1
    place = f"line {line}, column {column}"
    begin, end = max(problem.at - 40, 0), problem.at + 40
    near = ("… " if begin else "") + " ".join(text[begin:end].split()) + (" …" if end < len(text) else "")
    cause = f"{problem.why[0].upper()}{problem.why[1:]}: {near}"
    if problem.cut:
        told = " The answer ended because it reached max_tokens." if cut else ""
        fix = "Raise max_tokens, or ask for less at once."
        return FormatError(f"The JSON in the answer is cut off ({place}).", cause + told, fix, text=text, line=line, column=column)
    fix = "Ask for JSON alone and show an example in the prompt; m.formatter(None) gives the text itself."
    return FormatError(f"The JSON in the answer cannot be read ({place}).", cause, fix, text=text, line=line, column=column)
