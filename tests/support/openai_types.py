"""Requests and answers against the types of OpenAI's own package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, with_config


def check_params(body: dict[str, Any], params: Any, *, without: tuple[str, ...] = ()) -> None:
    """Assert that a body is what the package's ``…Params`` allow, with no field they do not know."""
    hints = get_type_hints(params, include_extras=True)
    assert set(body) - set(without) <= set(hints), set(body) - set(hints)
    fields = {k: v for k, v in body.items() if k not in without}
    assert read_through(TypeAdapter(with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(params)).validate_python(fields)) == fields


def read_through(validated: Any) -> Any:
    """A validated value with its lists read to their ends: of an ``Iterable`` pydantic checks each part only when it is read."""
    if isinstance(validated, dict):
        return {key: read_through(value) for key, value in validated.items()}
    if isinstance(validated, Iterable) and not isinstance(validated, str | bytes):
        return [read_through(value) for value in validated]
    return validated
