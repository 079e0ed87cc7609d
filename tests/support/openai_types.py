"""Requests and answers against the types of OpenAI's own package."""

from __future__ import annotations

from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, with_config


def check_params(body: dict[str, Any], params: Any, *, without: tuple[str, ...] = ()) -> None:
    """Assert that a body is what the package's ``…Params`` allow, with no field they do not know."""
    hints = get_type_hints(params, include_extras=True)
    assert set(body) - set(without) <= set(hints), set(body) - set(hints)
    TypeAdapter(with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(params)).validate_python(
        {k: v for k, v in body.items() if k not in without}
    )
