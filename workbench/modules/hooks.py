"""Hooks: what a user adds around every call of a module. A hook that fails warns; it never breaks the call.

Does not know what a module does.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class Hook:
    """Base of hooks: override what you need.

    Registered as a class, a new one is made for every call; registered as an object, a copy of it is used, so that
    calls which run side by side never share what a hook remembers.
    """

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        """Before the call, with its arguments."""

    def post_hook(self, output: Any) -> None:
        """After the call, with what it returned."""

    def report(self) -> None:
        """After every ``post_hook`` of the call."""


HookSource = type[Hook] | Hook


def begin(sources: Iterable[HookSource], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Hook]:
    """The hooks of one call, after their ``pre_hook``."""
    hooks = [s() if isinstance(s, type) else copy.deepcopy(s) for s in sources]
    for hook in hooks:
        _safely(hook, lambda h=hook: h.pre_hook(*args, **kwargs))  # type: ignore[misc]  # mypy cannot type a default in a lambda
    return hooks


def end(hooks: list[Hook], output: Any) -> None:
    """``post_hook`` in reverse order, as contexts are left, then the reports."""
    for hook in reversed(hooks):
        _safely(hook, lambda h=hook: h.post_hook(output))  # type: ignore[misc]
    for hook in hooks:
        _safely(hook, hook.report)


def _safely(hook: Hook, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as e:
        warnings.warn(f"The hook {type(hook).__name__} failed: {type(e).__name__}: {e}", stacklevel=4)
