"""The steps of a call: ``pre`` makes the input, the function is called, ``post`` makes the output. Knows no HTTP."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.runners.function_body import Given


def name_of(function: Any) -> str:
    """What people call it."""
    return str(getattr(function, "__name__", "") or type(function).__name__)


class Steps:
    """``pre``, function and ``post``.

    ``pre`` is called with the input; a dict whose keys are its parameters is spread. What it returns is the function's
    input; a tuple is spread. ``post`` is called with the output, or with output and original input where it has two
    parameters or a keyword-only one.
    """

    def __init__(self, function: Callable[..., Any], pre: Callable[..., Any] | None, post: Callable[..., Any] | None) -> None:
        self._function, self._pre, self._post = function, pre, post
        self._signature = _signature(function)
        self._pre_names = _positional(pre)
        self._post_names, self._post_keyword = _positional(post), _keyword_only(post)

    def __call__(self, given: Given) -> Any:
        args, kwargs = given.args, given.kwargs
        original = args[0] if len(args) == 1 else args or kwargs
        if self._pre is not None:
            args, kwargs = self._prepared(args, kwargs)
        elif given.plain:
            args, kwargs = self._spread(args[0])
        output = self._function(*args, **kwargs)
        if self._post is None:
            return output
        if inspect.isawaitable(output):
            return self._later(output, original)
        return self._finished(output, original)

    def _prepared(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert self._pre is not None
        if not args and kwargs:
            return _arguments(self._pre(**kwargs)), {}
        if len(args) == 1 and isinstance(args[0], dict) and self._pre_names and set(self._pre_names) == set(args[0]):
            return _arguments(self._pre(**args[0])), kwargs
        return _arguments(self._pre(*args)), kwargs

    def _spread(self, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A plain body as arguments: an object that cannot be the only argument, but names several, gives those."""
        if (
            isinstance(value, dict)
            and self._signature is not None
            and not _binds(self._signature, (value,), {})
            and _binds(self._signature, (), value)
        ):
            return (), value
        return (value,), {}

    async def _later(self, output: Any, original: Any) -> Any:
        return self._finished(await output, original)

    def _finished(self, output: Any, original: Any) -> Any:
        assert self._post is not None
        if inspect.isgenerator(output) or hasattr(output, "__anext__"):
            raise TypeError("post= needs a whole output, and the function gives pieces (it is a generator).")
        if self._post_keyword:
            return self._post(output, **{self._post_keyword: original})
        return self._post(output, original) if len(self._post_names) >= 2 else self._post(output)


def _arguments(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _positional(function: Any) -> list[str]:
    """Names of the parameters without a default that can be given by position."""
    signature = _signature(function) if function is not None else None
    if signature is None:
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, p in signature.parameters.items() if p.kind in kinds]


def _keyword_only(function: Any) -> str:
    signature = _signature(function) if function is not None else None
    if signature is None:
        return ""
    return next((name for name, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY), "")


def _binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True
