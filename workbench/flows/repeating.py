"""`loop`: a pipeline whose output is its input again, until a condition holds or the rounds are used up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ..errors import FlowArgumentError
from . import places
from .binding import Frame
from .carriers import arguments, package
from .chaining import NO_KEYWORDS, pipeline
from .driving import Steps
from .items import Step, call, checked, run


class loop(pipeline):
    """Run the items again and again.

    Parameters
    ----------
    *items, post_action, auto_capture, **named
        See `FlowBase`.
    stop_condition : callable, optional
        Called with the output after every round; the loop ends when it returns something true.
    count : int, optional
        The most rounds, 2 or more; needed when there is no ``stop_condition``.
    judge_on_full_input : bool, optional
        False: the condition gets the first value of an output that is a `package`, and only the others go round.
    on_limit : callable, optional
        Called as ``on_limit(output, used, limit)`` when the rounds are used up and the condition does not hold; an int larger than
        ``limit`` that it returns is the limit for the rest of this call.

    Examples
    --------
    >>> loop(lambda x: x * 2, stop_condition=lambda x: x > 10)(1)
    16
    """

    flow_kind: ClassVar[str] = "loop"

    def __init__(
        self,
        *items: Any,
        stop_condition: Callable[..., Any] | None = None,
        count: int = sys.maxsize,
        judge_on_full_input: bool = True,
        on_limit: Callable[[Any, int, int], Any] | None = None,
        post_action: Callable[..., Any] | None = None,
        auto_capture: bool = False,
        **named: Any,
    ) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 2:
            raise FlowArgumentError(
                f"A loop needs a count of 2 or more, not {count!r}.", "At least one loop is required!", "Give count=2, or use pipeline()."
            )
        if stop_condition is None and count == sys.maxsize:
            raise FlowArgumentError("This loop would never end.", "It has neither a stop_condition nor a count.", "Give one of them.")
        own = self.__dict__
        own["_stop"] = None if stop_condition is None else Step(checked(stop_condition, "The stop_condition of this loop"))
        own["_limit"] = None if on_limit is None else Step(checked(on_limit, "The on_limit of this loop"))
        own["_count"], own["_full"] = count, judge_on_full_input
        super().__init__(*items, post_action=post_action, auto_capture=auto_capture, **named)

    @classmethod
    def _options(cls) -> list[str]:
        return [*super()._options(), "stop_condition", "count", "judge_on_full_input", "on_limit"]

    def _parts(self) -> Iterator[Any]:
        yield from super()._parts()
        yield from (step.item for step in (self._stop, self._limit) if step is not None)

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        if not self._items:
            raise FlowArgumentError("This loop has no items.", "It would never end.", "Give it what to repeat.")
        limit, used = self._count, 0
        while True:
            used += 1
            value = yield from self._once(value, kwargs, frame, f"loop round {used}")
            kwargs = NO_KEYWORDS
            try:
                stop, value = yield from self._judged(value, frame)
            except Exception as e:
                places.passed(e, f"loop round {used} stop_condition")
                raise
            if stop:
                return value
            if used >= limit:
                limit = yield from self._more(value, used, limit, frame)
                if used >= limit:
                    return value

    def _judged(self, value: Any, frame: Frame | None) -> Steps:
        judged = value
        if not self._full:
            value = value.args if isinstance(value, arguments) else value
            if not isinstance(value, tuple | list) or not value:
                raise FlowArgumentError(
                    f"The output of this loop cannot be parted in what is judged and the rest: {value!r:.60}",
                    "With judge_on_full_input=False it is a package of both.",
                    "Return package(judged, rest).",
                )
            judged, value = value[0], package.of(value[1:])
        if self._stop is None:
            return False, value
        answer = yield from run(self._stop, judged, {}, frame)
        return bool(answer), value

    def _more(self, value: Any, used: int, limit: int, frame: Frame | None) -> Steps:
        if self._limit is None:
            return limit
        try:
            answer = yield from call(self._limit, (value, used, limit), {}, frame)
        except Exception as e:
            places.passed(e, "loop on_limit")
            raise
        return answer if isinstance(answer, int) and not isinstance(answer, bool) and answer > limit else limit
