"""`Option`: several values to try where one is expected; `OptionIter`: every combination of some. Knows nothing of modules."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import ArgumentError


class Option:
    """Several values for one argument, one of them current.

    Parameters
    ----------
    *values : Any
        Two or more; one list or tuple of them is the same.

    Attributes
    ----------
    values : tuple
        All of them.
    current : Any
        The one that stands for the option now; a deep copy of the option is a deep copy of this value.

    Raises
    ------
    ArgumentError
        For fewer than two values.

    Examples
    --------
    >>> Option(1e-4, 2e-4)
    <Option options="(0.0001, 0.0002)" curr="0.0001">
    >>> list(Option([1, 2]))
    [1, 2]
    """

    def __init__(self, *values: Any) -> None:
        shown: Any = values
        if len(values) == 1 and isinstance(values[0], list | tuple):
            shown = values[0]
        if len(shown) < 2:
            raise ArgumentError(
                f"An option needs more than one value, and has {len(shown)}.", "There is nothing to choose from.", "Write Option(1e-4, 2e-4)."
            )
        self.values = tuple(shown)
        self._brackets = type(shown)
        self._index = 0

    @property
    def current(self) -> Any:
        """The value that stands for the option now."""
        return self.values[self._index]

    def choose(self, index: int) -> None:
        """Make the value at ``index`` the current one."""
        if not 0 <= index < len(self.values):
            raise ArgumentError(f"The option has no value {index}.", f"It has {len(self.values)} values.")
        self._index = index

    @property
    def index(self) -> int:
        """Which of the values is the current one."""
        return self._index

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        """The values in order, each one current while it is looked at; the first one is current again afterwards."""
        try:
            for index, value in enumerate(self.values):
                self._index = index
                yield value
        finally:
            self._index = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.current, memo)

    def __repr__(self) -> str:
        return f'<Option options="{self._brackets(self.values)}" curr="{self.current}">'


class OptionIter:
    """Every combination of the values of some options: the last option changes fastest.

    While a combination is looked at, its values are the options' current ones, so that a deep copy of whatever holds the
    options has them.

    Parameters
    ----------
    options : iterable of Option
        What to combine.
    suboption_func : callable, optional
        The options inside a value, which are combined too and stand after the others; `options_of` when not given.

    Yields
    ------
    list
        The current value of each option.

    Examples
    --------
    >>> list(OptionIter([Option(1, 2), Option('a', 'b')]))
    [[1, 'a'], [1, 'b'], [2, 'a'], [2, 'b']]
    """

    def __init__(self, options: Iterable[Option], suboption_func: Callable[[Any], Sequence[Option]] | None = None) -> None:
        self._options = list(options)
        self._inside = suboption_func or options_of

    def __iter__(self) -> Iterator[list[Any]]:
        return self._combinations(self._options)

    def _combinations(self, options: Sequence[Option]) -> Iterator[list[Any]]:
        for values in _product(options):
            inner = [option for value in values for option in self._inside(value)]
            for more in self._combinations(inner) if inner else ([],):
                yield [*values, *more]


def _product(options: Sequence[Option]) -> Iterator[list[Any]]:
    if not options:
        yield []
        return
    for value in options[0]:
        for rest in _product(options[1:]):
            yield [value, *rest]


def options_of(value: Any) -> list[Option]:
    """The options in a value: itself, or those in a mapping, list or tuple, nested too; each once."""
    return list(dict.fromkeys(option for _, option in named_options(value)))


def named_options(value: Any, name: str = "") -> list[tuple[str, Option]]:
    """The options in a value with the way to each: ``deepspeed.stage``, ``layers.0``. Does not look into an option's own values."""
    if isinstance(value, Option):
        return [(name, value)]
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list | tuple):
        inside = enumerate(value)
    return [found for key, v in inside for found in named_options(v, f"{name}.{key}" if name else str(key))]
