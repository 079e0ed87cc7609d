"""What a pipeline of diffusers tells after each of its steps, and how it is ended there. Knows no HTTP.

Most take ``callback_on_step_end``; those that do not (PixArt, SDXL's InstructPix2Pix) move a progress bar, which listens instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .diffusers_ways import parameters
    from .serving_work import Dropped, Gone
else:
    from diffusers_ways import parameters
    from serving_work import Dropped, Gone

Told = Callable[[int, int], object]
_AT_END = "callback_on_step_end"


def watched(pipe: Any, gone: Gone, told: Told) -> dict[str, Any]:
    """What the pipeline is called with so that ``told(step, steps)`` hears of each step, and `Dropped` ends it once ``gone()``."""
    if _AT_END in parameters(pipe):

        def step_ended(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if gone():
                raise Dropped
            told(step + 1, int(getattr(pipe, "num_timesteps", 0) or step + 1))
            return tensors

        return {_AT_END: step_ended}
    pipe.progress_bar = lambda iterable=None, total=None: _Bar(iterable, total, gone, told)
    return {}


class _Bar:
    """A progress bar that is not drawn."""

    def __init__(self, iterable: Iterable[Any] | None, total: int | None, gone: Gone, told: Told) -> None:
        self._items = list(iterable or ())
        self._total, self._done, self._gone, self._told = total or len(self._items), 0, gone, told

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def update(self, n: int = 1) -> None:
        """A step has ended."""
        if self._gone():
            raise Dropped
        self._done += n
        self._told(self._done, self._total)


class Pace:
    """Tells ``told(step, steps)`` on, at most once a second and not in the first."""

    def __init__(self, told: Told) -> None:
        self._told, self._last, self.spoke = told, time.monotonic(), False

    def __call__(self, step: int, steps: int) -> None:
        now = time.monotonic()
        if now - self._last >= 1.0:
            self._last, self.spoke = now, True
            self._told(step, steps)
