"""`pipeline`: one step after the other, each with the output of the one before, or what is bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import FlowArgumentError
from . import places
from .base import FlowBase
from .binding import Frame, Reference, bind, made_saving, saving
from .carriers import spread
from .driving import Steps
from .items import BOUND, CALL, Step, run

NO_KEYWORDS: dict[str, Any] = {}


class pipeline(FlowBase):
    """Give the input to the first item, its output to the second, and so on; return the last one's output.

    Keywords of the call go to the first item. Without items the input is returned.

    Parameters
    ----------
    *items, post_action, auto_capture, **named
        See `FlowBase`.
    save_result : bool, optional
        Let flows inside this one bind its ``input`` and ``output``, too; see `save_pipeline_result`.

    Examples
    --------
    >>> with pipeline() as p:
    ...     p.double = lambda x: 2 * x
    ...     p.text = lambda x: f'{x}!'
    ...     p.both = (lambda text, given: (text, given)) | bind(_0, p.input)
    >>> p(4)
    ('8!', 4)
    """

    flow_kind: ClassVar[str] = "pipeline"
    _saves: bool

    def __init__(
        self,
        *items: Any,
        post_action: Callable[..., Any] | None = None,
        auto_capture: bool = False,
        save_result: bool | None = None,
        **named: Any,
    ) -> None:
        self.__dict__["_saves"] = made_saving() if save_result is None else bool(save_result)
        super().__init__(*items, post_action=post_action, auto_capture=auto_capture, **named)

    @classmethod
    def _options(cls) -> list[str]:
        return [*super()._options(), "save_result"]

    @property
    def input(self) -> Reference:
        """For binds: what the pipeline was called with; several positions are a `package`."""
        return Reference(self.flow_id, "input")

    @property
    def kwargs(self) -> Reference:
        """For binds: the keywords that the pipeline was called with, ``p.kwargs['key']``."""
        return Reference(self.flow_id, "kwargs")

    def output(self, item: Any, unpack: bool = False) -> Reference:
        """For binds: what an item returned.

        Parameters
        ----------
        item : str, int or callable
            Its name, number (from 0), or itself.
        unpack : bool, optional
            Spread a `package`, tuple or list over several positions of the bind.
        """
        if isinstance(item, str):
            return Reference(self.flow_id, f"={item}", unpack)
        number = item if isinstance(item, int) else self._number_of(item)
        if number is None or not -len(self._items) <= number < len(self._items):
            raise FlowArgumentError(f"{item!r} is no item of this {self.flow_kind}.", "", "Give its name, or the item itself: p.output('name').")
        return Reference(self.flow_id, number % len(self._items), unpack)

    def _made(self) -> Any:
        steps = tuple(Step(i) for i in self._items)
        for number, step in enumerate(steps):
            if step.kind == BOUND:
                self._check_references(step.item, number)
        return steps, any(s.kind == BOUND for s in steps)

    def _check_references(self, bound: bind, number: int) -> None:
        for value in (*bound._args, *bound._kw.values()):
            if isinstance(value, Reference) and value._flow_id == self.flow_id and value._source not in ("input", "kwargs"):
                source = value._source
                wanted = source if isinstance(source, int) else self._number(source[1:])
                if wanted >= number:
                    raise FlowArgumentError(
                        f"{self._label(number)} binds the output of {self._label(wanted)}.", "That has not run by then.", "Bind to an earlier step."
                    )

    def _label(self, number: int) -> str:
        return places.label(self._word, number + 1, self._item_names[number], self._items[number])

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        return self._once(value, kwargs, frame, self.flow_kind)

    def _once(self, value: Any, kwargs: dict[str, Any], frame: Frame | None, place: str) -> Steps:
        steps, binds = self._prepared or self._prepare()
        keeps = saving(self._saves)
        own = Frame(self, value, kwargs, frame, keeps) if binds or keeps else None
        number = 0
        try:
            for step in steps:
                if step.kind == CALL:
                    args, kwargs = spread(value, kwargs)
                    value = yield step.item, args, kwargs
                else:
                    value = yield from run(step, value, kwargs, own or frame, self.flow_id)
                kwargs = NO_KEYWORDS
                if own is not None:
                    own.outputs.append(value)
                number += 1
        except Exception as e:
            places.passed(e, f"{place} {self._label(number)}")
            raise
        return value
