"""Hooks: what a user adds around every call of a module. A hook that fails warns and breaks nothing, unless it asks to.

Does not know what a module does.
"""

from __future__ import annotations

import copy
import functools
import inspect
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from ..errors import ArgumentError


class Hook:
    """Base of hooks: override what you need.

    Registered as a class, a new one is made for every call (given the module, where its ``__init__`` takes an argument);
    registered as an object, a copy of it is used, so that calls which run side by side never share what a hook remembers.

    Attributes
    ----------
    raises : bool
        What goes wrong in the hook breaks the call. Otherwise it is a warning.
    priority : int
        Hooks of a lower one come first before the call and last after it; those of the same in the order they were given.
    """

    raises = False
    priority = 100

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        """Before the call, with its arguments."""

    def post_hook(self, output: Any) -> None:
        """After the call, with what it returned."""

    def on_error(self, error: BaseException) -> None:
        """Instead of ``post_hook``, when the call raised."""

    def report(self) -> None:
        """After every ``post_hook`` of the call."""

    def finalize(self) -> None:
        """At the very end, however the call ended."""


class FunctionHook(Hook):
    """A function as a hook: called with the call's arguments; what stands behind a ``yield`` runs after the call.

    ``output = yield`` gets what the call returned; an error of the call is raised at the ``yield``.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._running: Generator[Any, Any, Any] | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", repr(self.function))

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        made = self.function(*args, **kwargs)
        if inspect.isgenerator(made):
            self._running = made
            next(made, None)

    def post_hook(self, output: Any) -> None:
        if self._running is not None:
            try:
                self._running.send(output)
            except StopIteration:
                return
            raise RuntimeError("it yields more than once")

    def on_error(self, error: BaseException) -> None:
        if self._running is not None:
            try:
                self._running.throw(error)
            except StopIteration:
                return
            except BaseException as e:
                if e is not error:
                    raise

    def finalize(self) -> None:
        if self._running is not None:
            self._running.close()


HookSource = type[Hook] | Hook | Callable[..., Any]


def check(hook: Any) -> HookSource:
    """Refuse at once what cannot be a hook."""
    if isinstance(hook, Hook) or callable(hook) or hasattr(hook, "pre_hook"):
        return hook  # type: ignore[no-any-return]
    raise ArgumentError(f"A hook cannot be a {type(hook).__name__}.", "", "Give a Hook (class or object) or a function of the call's arguments.")


class Around:
    """The hooks of one call."""

    def __init__(self, sources: Iterable[HookSource], subject: object) -> None:
        self._hooks = sorted((_made(s, subject) for s in sources), key=_priority)

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """``pre_hook`` in order."""
        for hook in self._hooks:
            _do(hook, "pre_hook", *args, **kwargs)

    def end(self, output: Any) -> None:
        """``post_hook`` in reverse order, as contexts are left, then the reports."""
        for hook in reversed(self._hooks):
            _do(hook, "post_hook", output)
        for hook in self._hooks:
            _do(hook, "report")

    def failed(self, error: BaseException) -> None:
        """``on_error`` in reverse order."""
        for hook in reversed(self._hooks):
            _do(hook, "on_error", error)

    def finish(self) -> None:
        """``finalize``, of every one."""
        for hook in reversed(self._hooks):
            _do(hook, "finalize")


def _made(source: Any, subject: object) -> Any:
    if isinstance(source, type):
        return source(subject) if _takes_the_module(source) else source()
    return copy.deepcopy(source) if hasattr(source, "pre_hook") else FunctionHook(source)


@functools.lru_cache(maxsize=256)
def _takes_the_module(kind: type) -> bool:
    parameters = inspect.signature(kind).parameters.values()
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _priority(hook: Any) -> int:
    return int(getattr(hook, "__hook_priority__", getattr(hook, "priority", Hook.priority)))


def _do(hook: Any, moment: str, *args: Any, **kwargs: Any) -> None:
    action = getattr(hook, moment, None)  # people bring hooks of their own that lack the later ones
    if action is None:
        return
    try:
        action(*args, **kwargs)
    except Exception as e:
        if getattr(hook, "raises", False) or getattr(hook, "__hook_error_mode__", "") == "raise":
            raise
        name = hook.name if isinstance(hook, FunctionHook) else type(hook).__name__
        warnings.warn(f"The hook {name} failed: {type(e).__name__}: {e}", stacklevel=4)
