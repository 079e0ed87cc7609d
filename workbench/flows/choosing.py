"""`switch` and `ifs`: one of several paths for the input."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ..errors import FlowArgumentError, FlowError, unknown_argument
from . import places
from .base import FlowBase
from .binding import Frame, bind
from .carriers import collected, package
from .driving import Steps
from .items import Step, call, checked, is_flow, run

DEFAULT = "default"


class switch(FlowBase):
    """Give the input to the path of the first condition that holds; return None when none does.

    A condition that can be called holds when it returns True itself; any other is compared with the input. ``'default'`` is
    the path for the rest, wherever it stands.

    Parameters
    ----------
    *cases : object
        One dict of conditions and paths, or conditions and paths in turns. Or, in the ``with`` form, ``sw.case[cond::path]``,
        ``sw.case[cond:path]``, ``sw.case[cond, path]`` or ``sw.case(cond, path)``.
    conversion : callable, optional
        Makes of the input what the conditions see; the path gets the input as it was.
    post_action : callable, optional
        See `FlowBase`.
    judge_on_full_input : bool, optional
        False: the first of several inputs is what the conditions see, the others are the input.

    Examples
    --------
    >>> switch({1: lambda x: 'one', 'default': lambda x: 'many'})(3)
    'many'
    """

    flow_kind: ClassVar[str] = "switch"
    _word: ClassVar[str] = "case"

    def __init__(
        self,
        *cases: Any,
        conversion: Callable[..., Any] | None = None,
        post_action: Callable[..., Any] | None = None,
        judge_on_full_input: bool = True,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            raise unknown_argument("switch", name, ["conversion", "post_action", "judge_on_full_input"])
        own = self.__dict__
        own["_conditions"], own["_full"] = [], judge_on_full_input
        own["_conversion"] = None if conversion is None else Step(checked(conversion, "The conversion of this switch"))
        super().__init__(post_action=post_action)
        if len(cases) == 1 and isinstance(cases[0], dict):
            cases = tuple(x for pair in cases[0].items() for x in pair)
        if len(cases) % 2:
            raise FlowArgumentError(
                f"A switch takes conditions and paths in turns, not {len(cases)} things.",
                "A path or a condition is missing.",
                "Write switch(cond, path, …).",
            )
        for condition, path in zip(cases[::2], cases[1::2], strict=True):
            self._case(condition, path)

    @property
    def case(self) -> Case:
        """Add a case: ``sw.case[cond::path]``."""
        return Case(self)

    def _case(self, condition: Any, path: Any) -> None:
        self._conditions.append(condition)
        self._add("", path)

    def __setattr__(self, name: str, value: Any) -> None:
        raise FlowError(f"A switch has cases, not an item {name!r}.", "", f"Write sw.case[condition, {name}].")

    def _made(self) -> Any:
        steps = super()._made()
        conditions = [Step(c) if callable(c) else None for c in self._conditions]
        order = [n for n, c in enumerate(self._conditions) if not _is_default(c)] + [n for n, c in enumerate(self._conditions) if _is_default(c)]
        return steps, conditions, order

    def _parts(self) -> Iterator[Any]:
        yield from super()._parts()
        yield from (c for c in self._conditions if callable(c))
        if self._conversion is not None:
            yield self._conversion.item

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        steps, conditions, order = self._prepared or self._prepare()
        judged = value
        if not self._full:
            if not isinstance(value, package) or len(value) < 2:
                raise FlowArgumentError(
                    f"This switch got one input: {value!r:.60}",
                    "With judge_on_full_input=False the first is judged and the rest is the input.",
                    "Give both.",
                )
            judged, value = value[0], collected(value[1:])
        place = "conversion"
        try:
            if self._conversion is not None:
                judged = yield from run(self._conversion, judged, {}, frame)
            for number in order:
                condition = self._conditions[number]
                place = f"condition {number + 1}"
                if conditions[number] is not None:
                    held = _is_true((yield from run(conditions[number], judged, {}, frame)))
                else:
                    held = _is_default(condition) or bool(condition == judged)
                if held:
                    place = places.label("case", number + 1, _shown(condition))
                    return (yield from run(steps[number], value, kwargs, frame))
        except Exception as e:
            places.passed(e, f"switch {place}")
            raise
        return None

    def _drawn(self) -> list[tuple[str, Any]]:
        return [(_shown(c), item) for c, item in zip(self._conditions, self._items, strict=True)]

    def __enter__(self) -> switch:
        super().__enter__()
        return self


class Case:
    """The forms in which a case is added to a switch."""

    def __init__(self, flow: switch) -> None:
        self._flow = flow

    def __call__(self, cond: Any, path: Any) -> None:
        self._flow._case(cond, path)

    def __getitem__(self, key: Any) -> None:
        if isinstance(key, slice) and key.start is not None and (key.stop is None) != (key.step is None):
            self(key.start, key.step if key.stop is None else key.stop)
        elif isinstance(key, tuple) and len(key) == 2:
            self(*key)
        else:
            raise FlowError(
                f"Only [cond::func], [cond:func] or [cond, func] is allowed in case, but you give {key!r}", "", "Write sw.case[cond, func]."
            )


def _is_default(condition: Any) -> bool:
    return isinstance(condition, str) and condition == DEFAULT


def _is_true(answer: Any) -> bool:
    """True itself, numpy's included."""
    return answer is True or (type(answer).__module__ == "numpy" and type(answer).__name__ in ("bool", "bool_") and bool(answer))


def _shown(condition: Any) -> str:
    return getattr(condition, "__name__", None) or (str(condition) if isinstance(condition, str) else repr(condition)[:40])


class ifs(FlowBase):
    """Give the input to ``tpath`` when the condition holds, else to ``fpath``.

    Parameters
    ----------
    cond : bool or callable
        A callable is called with the input, or with nothing when it takes nothing.
    tpath, fpath : callable
        The two paths.
    post_action : callable, optional
        See `FlowBase`.

    Examples
    --------
    >>> ifs(lambda x: x > 0, lambda x: 2 * x, lambda x: -x)(-5)
    5
    """

    flow_kind: ClassVar[str] = "ifs"
    _word: ClassVar[str] = "path"

    def __init__(self, cond: Any, tpath: Any, fpath: Any, post_action: Callable[..., Any] | None = None) -> None:
        super().__init__(post_action=post_action)
        own = self.__dict__
        own["_condition"] = Step(checked(cond, "The condition of this ifs")) if callable(cond) else bool(cond)
        own["_takes"] = not callable(cond) or _takes_input(cond)
        for item in (tpath, fpath):
            self._add("", item)

    def _parts(self) -> Iterator[Any]:
        yield from super()._parts()
        if isinstance(self._condition, Step):
            yield self._condition.item

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        steps = self._prepared or self._prepare()
        place = "condition"
        try:
            holds = self._condition
            if isinstance(holds, Step):
                holds = yield from (run(holds, value, {}, frame) if self._takes else call(holds, (), {}, frame))
            number = 0 if holds else 1
            place = "true path" if number == 0 else "false path"
            return (yield from run(steps[number], value, kwargs, frame))
        except Exception as e:
            places.passed(e, f"ifs {place}")
            raise

    def _drawn(self) -> list[tuple[str, Any]]:
        name = _shown(self._condition.item) if isinstance(self._condition, Step) else str(self._condition)
        return [(name, self._items[0]), ("else", self._items[1])]


def _takes_input(cond: Any) -> bool:
    if type(cond) is bind or is_flow(cond):
        return True
    try:
        parameters = inspect.signature(cond).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.kind is not p.KEYWORD_ONLY and p.kind is not p.VAR_KEYWORD for p in parameters)
