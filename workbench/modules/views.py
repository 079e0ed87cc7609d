"""What a module shows of itself, by the views of the registry where there is a front end for them and by a line of text
where there is none. Knows no widget and no job's contents.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .. import registry
from ..core.jobs import JobRecord, Progress
from ..core.kinds import CHATS
from ..errors import PluginError
from ..runtime.work.front_end import StatusLine, cell, describe, display, front_end

if TYPE_CHECKING:
    from ..runtime.work.job import Job
    from .local.trainable import TrainableModule

_last: weakref.ref[TrainableModule] | None = None


def gpu() -> Any:
    """The machine, live: GPUs, memory, cores, and what each of our jobs holds of them."""
    return registry.get("view", "gpu")()


def monitor(job: Job) -> Any:
    """The live monitor of a job."""
    return registry.get("view", "monitor")(job)


def last_started() -> TrainableModule | None:
    """The chat model that was started last in this process and is still there."""
    return _last() if _last is not None else None


def started(module: TrainableModule) -> None:
    """Remember the module as the last one; not one that works in the background of another, nor one that does not chat."""
    if front_end() == "silent" or module.type.lower() not in CHATS:
        return
    global _last
    _last = weakref.ref(module)


class Starting:
    """What is shown while a module starts: its card, which follows it by itself, or a line."""

    def __init__(self, module: TrainableModule) -> None:
        self._line = None if _display_card(module) else StatusLine()

    def __call__(self, progress: Progress) -> None:
        if self._line is not None and (text := describe(progress)):
            self._line.show(text)

    def ready(self, text: str) -> None:
        if self._line is not None:
            self._line.end(text)

    def failed(self) -> None:
        if self._line is not None:
            self._line.clear()


@contextmanager
def starting(module: TrainableModule) -> Iterator[Starting]:
    """Show a start; the error that ends one stands alone."""
    shown = Starting(module)
    try:
        yield shown
    except BaseException:
        shown.failed()
        raise


class Tunable(Protocol):
    """A module that is fine-tuned by a job, here or at a vendor."""

    @property
    def job(self) -> Job | None: ...


class Training:
    """What is shown while a module waits for its fine-tuning: the live monitor, or a line."""

    def __init__(self, module: Tunable) -> None:
        self._job = job = module.job
        self._line = None if job is not None and _display("monitor", job) else StatusLine()

    def record(self, record: JobRecord) -> None:
        if self._line is None:
            return
        self._line.show(f"{record.name} · {describe(record.progress) or record.state}")

    def ended(self, text: str) -> None:
        if self._line is not None:
            self._line.end(text)

    def left(self) -> None:
        """Say that the job goes on without the cell that waited for it."""
        if self._job is not None:
            i = self._job.id
            print(f"The fine-tuning goes on. wb.job({i!r}).monitor() attaches to it, wb.job({i!r}).stop() ends it.", file=sys.stderr)


@contextmanager
def training(module: Tunable) -> Iterator[Training]:
    """Show a fine-tuning while it is waited for."""
    shown = Training(module)
    try:
        yield shown
    except KeyboardInterrupt:
        shown.left()
        raise


def take_card(module: TrainableModule) -> bool:
    """Whether the card already stands in the output of the cell that runs: ``m.start()`` as a cell's last line shows one."""
    return module._shown_in is not None and module._shown_in == cell()


def card_bundle(module: TrainableModule, include: Any, exclude: Any) -> Any:
    """The module as a notebook shows it: its live card, with its repr for other front ends."""
    plain = {"text/plain": repr(module)}
    if front_end() != "notebook":
        return plain
    try:
        card = registry.get("view", "modelcard")(module)
    except PluginError:
        return plain
    return card._repr_mimebundle_(include=include, exclude=exclude)


def _display_card(module: TrainableModule) -> bool:
    """A card for a start; faces of one deployment that start in one cell have one card."""
    here, serving = cell(), module._serving
    if take_card(module) or (here is not None and serving.shown_in == here):
        return True
    shown = _display("modelcard", module)
    if shown:
        module._shown_in = serving.shown_in = here
    return shown


def _display(view: str, subject: Any) -> bool:
    """Show a view in the notebook; False where there is no notebook or no such view."""
    if front_end() != "notebook":
        return False
    try:
        widget = registry.get("view", view)(subject)
    except PluginError:
        return False
    display(widget)
    return True
