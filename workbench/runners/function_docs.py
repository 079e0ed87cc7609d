"""What a server offers, as an OpenAPI 3.1 document made from signatures and docstrings (https://spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.runners.function_steps import name_of

if TYPE_CHECKING:
    from fastapi import FastAPI

_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    dict: {"type": "object"},
    type(None): {"type": "null"},
}
_EXAMPLES = {"string": "text", "integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}, "null": None}
_RESPONSES = {
    "200": {"description": "The result.", "content": {"application/json": {}, "text/event-stream": {}}},
    "400": {"description": "The body is no JSON, or no call."},
    "401": {"description": "The key is missing or wrong."},
    "500": {"description": 'It raised an error: {"error": {"type", "message", "traceback"}}.'},
}


def openapi(name: str, function: Any, decorated: FastAPI | None) -> dict[str, Any]:
    """The document.

    Parameters
    ----------
    name : str
        The server's name.
    function : object
        What is served.
    decorated : FastAPI, optional
        Its decorated routes.
    """
    paths: dict[str, Any] = {"/generate": {"post": _operation("generate", f"Call {name_of(function)}", function)}}
    for method in _methods(function):
        paths[f"/call/{method}"] = {"post": _operation(f"call_{method}", f"Call its method {method}", getattr(function, method))}
    components: dict[str, Any] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    if decorated is not None:
        from fastapi.openapi.utils import get_openapi

        made = get_openapi(title=name, version="1", routes=decorated.routes)
        paths |= {path: {m: o for m, o in item.items() if m != "list"} for path, item in made["paths"].items()}
        components |= made.get("components", {})
    paths["/health"] = {
        "get": {"operationId": "health", "summary": "Whether it is up; needs no key", "security": [], "responses": {"200": {"description": "It is."}}}
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1", "description": _text(function)},
        "paths": paths,
        "components": components,
        "security": [{"key": []}],
    }


def _methods(function: Any) -> list[str]:
    """Public methods of an object that were written for it, not those of every module."""
    if inspect.isroutine(function) or inspect.isclass(function):
        return []
    own = [c for c in type(function).__mro__ if not c.__module__.startswith(("workbench.", "builtins"))]
    names = dict.fromkeys(name for c in reversed(own) for name, value in vars(c).items() if inspect.isroutine(value))
    return [name for name in names if not name.startswith("_") and name != "forward"]


def _operation(id: str, summary: str, function: Any) -> dict[str, Any]:
    parameters = _parameters(function)
    named = {name: schema for name, (schema, _) in parameters.items()}
    required = [name for name, (_, needed) in parameters.items() if needed]
    call = {
        "type": "object",
        "properties": {
            "input": {"description": "The first argument."},
            "args": {"type": "array", "description": "Further arguments by position."},
            "kwargs": {"type": "object", "properties": named, "description": "Arguments by name."},
        },
        "additionalProperties": False,
    }
    example: Any = {"kwargs": {name: _example(named[name]) for name in required}} if len(required) != 1 else {"input": _example(named[required[0]])}
    return {
        "operationId": id,
        "summary": summary,
        "description": _text(function),
        "requestBody": {"content": {"application/json": {"schema": {"anyOf": [call, {"description": "The input itself."}]}, "example": example}}},
        "responses": _RESPONSES,
    }


def _parameters(function: Any) -> dict[str, tuple[dict[str, Any], bool]]:
    """Schema, and whether it must be given, of each named parameter."""
    called = function if inspect.isroutine(function) or inspect.isclass(function) else getattr(function, "forward", function)
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return {}
    try:
        hints = typing.get_type_hints(called if inspect.isroutine(called) else type(called).__call__)
    except Exception:  # an annotation that names what is not there
        hints = {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in named:
            schema = dict(_schema(hints.get(name)))
            needed = parameter.default is inspect.Parameter.empty
            if not needed and isinstance(parameter.default, str | int | float | bool | None):
                schema["default"] = parameter.default
            found[name] = (schema, needed)
    return found


def _schema(hint: Any) -> Mapping[str, Any]:
    if hint in _TYPES:
        return _TYPES[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(a) for a in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (list, tuple, set, frozenset):
        return {"type": "array", **({"items": _schema(arguments[0])} if arguments and origin is list else {})}
    return {"type": "object"} if origin is dict else {}


def _example(schema: Mapping[str, Any]) -> Any:
    for one in schema.get("anyOf", ()):
        return _example(one)
    if schema.get("enum"):
        return schema["enum"][0]
    return _EXAMPLES.get(str(schema.get("type")), "text")


def _text(function: Any) -> str:
    return inspect.getdoc(function) or ""
