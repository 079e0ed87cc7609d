"""`PythonFormatter`: Python data that a model wrote. Literals only (``ast.literal_eval``): nothing is ever executed."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

from ..errors import FormatError
from .json_like import JsonLike
from .marks import answered, fenced

_ASSIGNED = re.compile(r"[^\W\d]\w*(?:\s*:[^=\n]+)?\s*=(?!=)\s*")


class PythonFormatter(JsonLike):
    """The Python literal of a text (numbers, texts, lists, tuples, dicts, sets), or what a slice expression picks out of it.

    The literal may stand alone, in a code fence, or behind ``name =``. Code is never run.

    Parameters
    ----------
    formatter : str, optional
        Which parts, as ``'[0]'``; see `workbench.formatters.slices`.

    Examples
    --------
    >>> PythonFormatter('[size]')("{'size': (2, 3), 'ok': None}")
    (2, 3)
    """

    def _load(self, msg: str) -> Any:
        said = answered(msg)
        values = [self._literal(text, msg) for text, _ in fenced(said, ("python", "py")) or [(said, 0)]]
        return values[0] if len(values) == 1 else values

    def _literal(self, text: str, msg: str) -> Any:
        text = textwrap.dedent(text).strip()
        assigned = _ASSIGNED.match(text)
        try:
            return ast.literal_eval(text[assigned.end() :] if assigned else text)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as e:
            where = {"line": e.lineno, "column": e.offset} if isinstance(e, SyntaxError) else {}
            why = f"{e.msg} in line {e.lineno}" if isinstance(e, SyntaxError) else "it holds more than literals, or is nested too deeply"
            cause = f"{why[0].upper()}{why[1:]}. It reads: {' '.join(text.split())[:120]}" if text else "It is empty."
            fix = "Ask for the value alone, or in a code fence; calls and names are not run. JsonFormatter finds JSON in running text."
            raise FormatError("The answer is no Python literal.", cause, fix, text=msg, **where) from e
