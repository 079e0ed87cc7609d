"""Parameters under OpenAI's names → where and under which name a server wants them. The rules are data of the endpoint.

Knows no vendor: a server's ways stand in its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NESTED = ("extra_body", "extra")  # what is put into a request as it is, over everything else


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are given: None means that it is not."""
    return {k: v for k, v in parameters.items() if v is not None and k not in NESTED}


def extras(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the request as it is."""
    found: dict[str, Any] = {}
    for name in NESTED:
        found.update(parameters.get(name) or {})
    return found


def arrange(parameters: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a server wants them.

    Parameters
    ----------
    parameters : Mapping
        Under OpenAI's names.
    options : Mapping
        ``defaults`` (taken where nothing is given), ``rename`` (name → the server's), ``drop`` (names that the server refuses),
        ``clamp`` (name → the smallest and the largest value), ``nest`` (name → where it goes, such as ``options`` or ``extra.deep``).
    """
    values = {**(options.get("defaults") or {}), **given(parameters)}
    for old, new in (options.get("rename") or {}).items():
        if old in values:
            value = values.pop(old)
            values.setdefault(new, value)
    for name in options.get("drop") or ():
        values.pop(name, None)
    for name, (low, high) in (options.get("clamp") or {}).items():
        if isinstance(values.get(name), int | float):
            values[name] = min(max(values[name], low), high)
    for name, place in (options.get("nest") or {}).items():
        if name in values:
            inner = values
            value = values.pop(name)
            for step in place.split("."):
                inner[step] = inner = dict(inner.get(step) or {})  # what the caller gave stays as it is
            inner[name] = value
    return values


def merge(body: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """``more`` into ``body``: tables are merged, anything else is replaced."""
    for key, value in more.items():
        mine = body.get(key)
        body[key] = merge(dict(mine), value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return body
