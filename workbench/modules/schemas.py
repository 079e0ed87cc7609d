"""Schemas of answers as people have them, a pydantic model or the schema itself, as OpenAI's form writes them.

Pydantic is not imported: a model is told by its method. Which servers keep to a schema, and how they are told, is `workbench.dialects`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ArgumentError

_BARE = ("guided_json", "json_schema")  # engines' names for a schema without anything around it


def written(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, with schemas in place of pydantic models.

    Parameters
    ----------
    parameters : dict
        Of a call. ``response_format`` may be a model or a schema; so may what stands for the schema in ``structured_outputs={'json': …}``,
        ``guided_json`` and ``json_schema``.

    Raises
    ------
    ArgumentError
        For another class in their place.
    """
    if (form := parameters.get("response_format")) is not None:
        parameters["response_format"] = _format(form)
    for name in _BARE:
        if isinstance(value := parameters.get(name), type):
            parameters[name] = _schema(value)
    told = parameters.get("structured_outputs")
    if isinstance(told, Mapping) and isinstance(told.get("json"), type):
        parameters["structured_outputs"] = {**told, "json": _schema(told["json"])}
    return parameters


def _format(value: Any) -> Any:
    if isinstance(value, type):
        return _named(value.__name__, _schema(value))
    if not isinstance(value, Mapping):
        return value
    if value.get("type") == "object" or (not value.get("type") and "$ref" in value):
        return _named(str(value.get("title") or "answer"), dict(value))
    inner = value.get("json_schema")
    if isinstance(inner, type):
        return {**value, "json_schema": {"name": inner.__name__, "schema": _schema(inner)}}
    if isinstance(inner, Mapping) and isinstance(inner.get("schema"), type):
        return {**value, "json_schema": {**inner, "schema": _schema(inner["schema"])}}
    return value


def _named(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's form. It promises to keep to a schema only where that is closed and asks for every field ("strict")."""
    strict = all(o.get("additionalProperties") is False and set(o.get("required", ())) == set(o["properties"]) for o in _objects(schema))
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, **({"strict": True} if strict else {})}}


def _schema(model: type) -> dict[str, Any]:
    """The schema of a pydantic model; its objects take no other fields than theirs, unless the model says that they do."""
    make = getattr(model, "model_json_schema", None)
    if make is None:
        fix = "Give a pydantic model (a class of BaseModel), or a JSON schema as a dict."
        raise ArgumentError(f"{model.__name__} is no schema.", "It is a class without model_json_schema().", fix)
    schema: dict[str, Any] = make()
    for found in _objects(schema):
        found.setdefault("additionalProperties", False)
    return schema


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """All descriptions of objects with named fields in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)
