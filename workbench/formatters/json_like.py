"""`JsonLike`: picks values out of nested data; the base of the formatters that read such data from text."""

from __future__ import annotations

from typing import Any

from . import slices
from .base import FormatterBase


class JsonLike(FormatterBase):
    """Pick values out of lists and dicts.

    Parameters
    ----------
    formatter : str, optional
        Which values, in the grammar of `workbench.formatters.slices`: ``'[:][title]'`` is the title of every item,
        ``'{name, age}'`` a dict of two keys. Everything when not given.

    Raises
    ------
    ArgumentError
        When the expression cannot be read.

    Examples
    --------
    >>> JsonLike('[:]{a}')([{'a': 1, 'b': 2}, {'a': 3, 'b': 4}])
    [{'a': 1}, {'a': 3}]
    """

    def __init__(self, formatter: str | None = None) -> None:
        self.slices = slices.parse(formatter or "")

    def _parse_py_data_by_formatter(self, data: Any) -> Any:
        return self.slices.of(data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.slices) or None!r})" if self.slices.steps else f"{type(self).__name__}()"
