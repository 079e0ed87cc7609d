"""`warp`: one item for every element of the input."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from ..errors import FlowArgumentError
from . import places
from .binding import Frame
from .branching import parallel
from .chaining import pipeline
from .driving import Steps, Together
from .items import Step, run


class warp(parallel):
    """Give every element of the input to the item, side by side, and return the outputs as `parallel` does.

    The elements are several arguments, or those of one list, tuple or other iterable; an element that is a `package` is spread.
    Several items are a pipeline.

    Parameters
    ----------
    *items, _concurrent, post_action, auto_capture, **named
        See `parallel`; ``_concurrent`` is how many elements are worked on at once.

    Examples
    --------
    >>> warp(lambda x: x * 2)(1, 2, 3)
    (2, 4, 6)
    """

    flow_kind: ClassVar[str] = "warp"
    _word: ClassVar[str] = "step"

    @property
    def asdict(self) -> Self:
        """Elements have no names: refused."""
        raise FlowArgumentError("A warp cannot return a dict.", "Its elements have no names.", "Use .aslist, or parallel() for items with names.")

    def _made(self) -> Any:
        if len(self._items) == 1:
            return Step(self._items[0])
        names = self._item_names
        inner = pipeline(**dict(zip(names, self._items, strict=True))) if any(names) else pipeline(*self._items)
        return Step(inner)

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        if "_kept_items" in kwargs or "_skip_items" in kwargs:
            raise FlowArgumentError(
                "A warp has no items to keep or skip.", "Every element goes through the same ones.", "Choose the elements instead."
            )
        if not self._items:
            raise FlowArgumentError("This warp has no item.", "", "Give it what to do with every element.")
        step = self._prepared or self._prepare()
        branches = [functools.partial(self._element, step, n, element, kwargs, frame) for n, element in enumerate(_elements(value))]
        outputs = yield Together(branches, self._at_once)
        return self._result(outputs, [])

    def _element(self, step: Step, number: int, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        try:
            return (yield from run(step, value, kwargs, frame))
        except Exception as e:
            places.passed(e, f"warp element {number + 1}")
            raise


def _elements(value: Any) -> list[Any]:
    if isinstance(value, str | bytes | dict) or not isinstance(value, Iterable):
        raise FlowArgumentError(
            f"Only tuple and list input can be split automatically, your input is {value!r:.60} <{type(value).__name__}>.",
            "A warp goes over the elements of its input.",
            "Give several arguments or one list, [x] for a single one.",
        )
    return list(value)
