"""`parallel`: the same input for several branches that run side by side; `diverter`: an input for each."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

from ..errors import FlowArgumentError, FlowError, nearest
from . import places
from .base import FlowBase
from .binding import Frame
from .carriers import package, spread
from .driving import Steps, Together
from .items import CALL, Step, run
from .tree import unknown_item

AT_ONCE = 32
SHAPES = ("asdict", "astuple", "aslist", "sum", "join")


class parallel(FlowBase):
    """Give the same input to every item, side by side in threads, and return their outputs as a `package`, in the items' order.

    ``.asdict`` (items need names), ``.astuple``, ``.aslist``, ``.sum`` and ``.join(sep)`` change what is returned; at most one of
    them. In a call, ``_kept_items=`` or ``_skip_items=`` (names or numbers) choose the items that run. The first error ends the
    others as soon as they can be, and is raised.

    Parameters
    ----------
    *items, post_action, auto_capture, **named
        See `FlowBase`.
    _scatter : bool, optional
        Give the i-th input to the i-th item, as `diverter` does.
    _concurrent : bool or int, optional
        How many items run at once: True is up to 32, False one after the other (also ``parallel.sequential(…)``).

    Examples
    --------
    >>> parallel(lambda x: x + 1, lambda x: x * 4)(1)
    (2, 4)
    >>> parallel(a=lambda x: x + 1, b=lambda x: x * 4).asdict(1)
    {'a': 2, 'b': 4}
    """

    flow_kind: ClassVar[str] = "parallel"
    _word: ClassVar[str] = "branch"

    def __init__(
        self,
        *items: Any,
        _scatter: bool = False,
        _concurrent: bool | int = True,
        multiprocessing: bool = False,
        post_action: Callable[..., Any] | None = None,
        auto_capture: bool = False,
        **named: Any,
    ) -> None:
        if multiprocessing:
            raise FlowArgumentError(
                f"A {self.flow_kind} runs its items in threads, not in processes.",
                "Modules, streams and keys live in this process.",
                "Leave multiprocessing out; serve heavy Python code with ServerModule(f), each in a process of its own.",
            )
        if not isinstance(_concurrent, int) or _concurrent < 0:
            raise FlowArgumentError(f"_concurrent is True, False or how many items run at once, not {_concurrent!r}.", "", "Write _concurrent=8.")
        own = self.__dict__
        own["_at_once"] = AT_ONCE if _concurrent is True else max(int(_concurrent), 1)
        own["_scattered"], own["_shape"], own["_separator"] = _scatter, "", ""
        super().__init__(*items, post_action=post_action, auto_capture=auto_capture, **named)

    @classmethod
    def _options(cls) -> list[str]:
        return [*super()._options(), "_scatter", "_concurrent"]

    @classmethod
    def sequential(cls, *items: Any, **named: Any) -> Self:
        """The same with one item after the other."""
        return cls(*items, **{**named, "_concurrent": False})

    # ---- the shape of the result

    @property
    def asdict(self) -> Self:
        """Return a dict by the items' names."""
        return self._shaped("asdict")

    @property
    def astuple(self) -> Self:
        """Return a plain tuple, which the next step gets as one argument."""
        return self._shaped("astuple")

    @property
    def aslist(self) -> Self:
        """Return a list."""
        return self._shaped("aslist")

    @property
    def sum(self) -> Self:
        """Return the outputs added up with ``+``; 0 when there are none."""
        return self._shaped("sum")

    def join(self, sep: str = "") -> Self:
        """Return the outputs as one text with ``sep`` between them."""
        self.__dict__["_separator"] = sep
        return self._shaped("join")

    def _shaped(self, shape: str) -> Self:
        if self._shape:
            raise FlowArgumentError(f"This {self.flow_kind} returns {self._shape} already.", "", f"Use one of {', '.join(SHAPES)}.")
        self.__dict__["_shape"] = shape
        return self

    def _result(self, outputs: list[Any], names: list[str]) -> Any:
        if self._shape == "":
            return package.of(outputs)
        if self._shape == "asdict":
            return dict(zip(names, outputs, strict=True))
        if self._shape == "aslist":
            return outputs
        if self._shape == "astuple":
            return tuple(outputs)
        if self._shape == "join":
            return self._separator.join(str(o) for o in outputs)
        return functools.reduce(operator.add, outputs) if outputs else 0

    # ---- calling

    def _made(self) -> Any:
        if self._shape == "asdict" and not all(self._item_names):
            raise FlowArgumentError(
                f"Item name should be set when you want to return dict: this {self.flow_kind} has items without names.",
                "",
                f"Write {self.flow_kind}(a=f, b=g).asdict.",
            )
        return super()._made()

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        steps = self._prepared or self._prepare()
        chosen: list[int] | range = range(len(steps))
        if "_kept_items" in kwargs or "_skip_items" in kwargs:
            kwargs = dict(kwargs)
            chosen = self._chosen(kwargs.pop("_kept_items", None), kwargs.pop("_skip_items", None))
        inputs = self._scatter(value, chosen) if self._scattered else [value] * len(chosen)
        branches = [
            functools.partial(self._branch, steps[n], self._item_names[n], n, given, kwargs, frame) for n, given in zip(chosen, inputs, strict=True)
        ]
        outputs = yield Together(branches, self._at_once)
        return self._result(outputs, [self._item_names[n] for n in chosen])

    def _branch(self, step: Step, name: str, number: int, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        try:
            if step.kind == CALL:
                args, kwargs = spread(value, kwargs)
                return (yield step.item, args, kwargs)
            return (yield from run(step, value, kwargs, frame))
        except Exception as e:
            places.passed(e, f"{self.flow_kind} {places.label(self._word, number + 1, name, step.item)}")
            raise

    def _chosen(self, kept: Any, skipped: Any) -> list[int]:
        if kept is not None and skipped is not None:
            raise FlowError("Cannot provide `_kept_items` and `_skip_items` at the same time!", "", "Give one of them.")
        numbers = {self._known(i) for i in _listed(skipped if kept is None else kept)}
        return [n for n in range(len(self._items)) if (n in numbers) == (kept is not None)]

    def _known(self, item: Any) -> int:
        if isinstance(item, int) and not isinstance(item, bool):
            if not -len(self._items) <= item < len(self._items):
                raise FlowArgumentError(f"{self._told()} has no item {item}.", f"It has {len(self._items)} items.", "Numbers begin with 0.")
            return item % len(self._items)
        return self._number(item)

    def _scatter(self, value: Any, chosen: Iterable[int]) -> list[Any]:
        numbers = list(chosen)
        if isinstance(value, dict):
            return self._by_name(value, numbers)
        if isinstance(value, list | tuple):
            if len(value) == len(self._items):
                return [value[n] for n in numbers]
            if len(value) == len(numbers):
                return list(value)
            wanted = f"{len(numbers)}" if len(numbers) == len(self._items) else f"{len(numbers)} or {len(self._items)}"
            raise FlowArgumentError(f"This {self.flow_kind} got {len(value)} inputs for {wanted} items.", "", "Give one input for every item.")
        if len(numbers) == 1:
            return [value]
        raise FlowArgumentError(
            f"Only tuple and list input can be split automatically, your input is {value!r:.60} <{type(value).__name__}>.",
            f"A {self.flow_kind} gives every item an input of its own.",
            "Give several arguments, one list, or a dict by the items' names; use parallel() for one input to all.",
        )

    def _by_name(self, value: dict[Any, Any], numbers: list[int]) -> list[Any]:
        for key in value:
            if key not in self._item_names or not key:
                raise unknown_item(self, key)
        missing = [self._item_names[n] or str(n) for n in numbers if self._item_names[n] not in value]
        if missing:
            near = nearest(missing[0], [str(k) for k in value])
            raise FlowArgumentError(
                f"This {self.flow_kind} got no input for {', '.join(missing)}.", f"{near!r} is near." if near else "", "Give one for every item."
            )
        return [value[self._item_names[n]] for n in numbers]


def _listed(items: Any) -> list[Any]:
    return [items] if isinstance(items, str | int) else list(items)


class diverter(parallel):
    """Give the i-th input to the i-th item, side by side, and return their outputs as `parallel` does.

    The inputs are several arguments, one list or tuple, or a dict by the items' names. With ``_kept_items`` or ``_skip_items``
    they are for all items or for those that run.

    Examples
    --------
    >>> diverter(lambda x: x + 1, lambda x: x * 2)(1, 2)
    (2, 4)
    """

    flow_kind: ClassVar[str] = "diverter"

    def __init__(self, *items: Any, **named: Any) -> None:
        super().__init__(*items, **{**named, "_scatter": True})
