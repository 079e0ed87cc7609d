"""`Secret`: a text that is sent and never shown, and what keeps arguments and servers' words from showing one. Knows no vendor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, SupportsIndex

HIDDEN = "***"
_KEYLIKE = re.compile(r"key|token|secret|password|app_id|proxy", re.IGNORECASE)


class Secret(str):
    """A text that is sent, and that tools which show variables (tracebacks, debuggers, notebooks) do not show.

    A part of it is secret too, because rich cuts long texts before it shows them. It is not pickled.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{HIDDEN}'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, key))

    def __iter__(self) -> Iterator[Secret]:
        return (Secret(c) for c in str.__iter__(self))

    def strip(self, chars: str | None = None, /) -> Secret:
        return Secret(str.strip(self, chars))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("A key is not pickled: give it where it is needed.")


Parts = Mapping[str, Secret]


def sealed(given: Any) -> Any:
    """Arguments with the keys among them made secret, before anything can fail and a traceback shows its variables.

    Parameters
    ----------
    given : str, sequence or Mapping
        A key or several; or arguments by name, of which those are keys that are called so.
    """
    if isinstance(given, str):
        return given if isinstance(given, Secret) else Secret(given)
    if isinstance(given, Mapping):
        return {name: sealed(value) if _KEYLIKE.search(str(name)) else value for name, value in given.items()}
    return [sealed(value) for value in given] if isinstance(given, list | tuple) else given


def masked(text: str, parts: Mapping[str, str]) -> str:
    """A text of a server without the key, which some repeat in their errors."""
    for secret in parts.values():
        if len(secret) > 3:
            text = text.replace(secret, HIDDEN)
    return text
