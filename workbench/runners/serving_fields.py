"""The fields of a request, from JSON or a form, checked one by one; and the refusal, in OpenAI's form. Standard library only."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


class Refusal(Exception):
    """An answer other than success: the status, and the body as OpenAI gives it."""

    def __init__(self, message: str, status: int = 400, type: str = "invalid_request_error", code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.message, self.status, self.type, self.param = message, status, type, param
        self.code = code or ("invalid_value" if 400 <= status < 500 and param else "")

    @property
    def body(self) -> dict[str, Any]:
        """``{"error": {message, type, param, code}}``."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param or None, "code": self.code or None}}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form."""

    field: str
    name: str
    mime: str
    data: bytes


class Fields:
    """What a request asks for. A field that is null or absent has its default; a wrong one is refused by its name."""

    def __init__(self, values: Mapping[str, Any], files: Collection[Upload] = ()) -> None:
        self.values = {k: v for k, v in values.items() if v is not None}
        self.files = tuple(files)

    def only(self, *known: str) -> None:
        """Refuse every other field, with the nearest name."""
        for name in (*self.values, *(f.field for f in self.files)):
            if name.removesuffix("[]") not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(known))}."
                raise Refusal(f"There is no field {name!r}.{hint}", code="unknown_parameter", param=name)

    def text(self, name: str, default: str | None = None, most: int = 0) -> str:
        """A text; without a default it has to be there, and to hold something."""
        value = self.values.get(name, default)
        if value is None or (default is None and isinstance(value, str) and not value.strip()):
            raise Refusal(f"{name!r} is missing or empty.", param=name)
        if not isinstance(value, str):
            raise Refusal(f"{name!r} has to be a text, not {_kind(value)}.", param=name)
        if most and len(value) > most:
            raise Refusal(f"{name!r} has {len(value)} characters; {most} are the most.", param=name)
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of some words."""
        value = self.text(name, default)
        if value not in choices:
            raise Refusal(f"{name!r} cannot be {value!r}; it is one of: {', '.join(choices)}.", param=name)
        return value

    def integer(self, name: str, default: int | None, low: int, high: int) -> int | None:
        """A whole number within bounds."""
        value = self.number(name, default, low, high)
        if value is not None and value != int(value):
            raise Refusal(f"{name!r} has to be a whole number, not {value}.", param=name)
        return None if value is None else int(value)

    def number(self, name: str, default: float | None, low: float = -math.inf, high: float = math.inf) -> float | None:
        """A number within bounds."""
        value = self.values.get(name, default)
        if value is None:
            return None
        try:
            if isinstance(value, bool | list | dict):
                raise ValueError
            found: float = value if isinstance(value, int) else float(value)
        except ValueError:
            raise Refusal(f"{name!r} has to be a number, not {value!r}.", param=name) from None
        if not low <= found <= high:
            bounds = (
                f"from {low} to {high}" if math.isfinite(low) and math.isfinite(high) else f"at least {low}" if found < low else f"at most {high}"
            )
            raise Refusal(f"{name!r} is {value}; it has to be {bounds}.", param=name)
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false; a form writes them as words."""
        value = self.values.get(name, default)
        words = {"true": True, "1": True, "false": False, "0": False}
        found = value if isinstance(value, bool) else words.get(str(value).lower())
        if found is None:
            raise Refusal(f"{name!r} has to be true or false, not {value!r}.", param=name)
        return found

    def uploads(self, name: str) -> list[Upload]:
        """The files under that name, or that name with ``[]``."""
        return [f for f in self.files if f.field.removesuffix("[]") == name]


def fields_of_json(body: bytes) -> Fields:
    """The fields of a JSON object."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise Refusal(f"The body is no JSON: {e}") from None
    if not isinstance(values, dict):
        raise Refusal(f"The body has to be a JSON object, not {_kind(values)}.")
    return Fields(values)


def _kind(value: Any) -> str:
    names = {
        "dict": "an object",
        "list": "a list",
        "str": "a text",
        "int": "a number",
        "float": "a number",
        "bool": "true or false",
        "NoneType": "null",
    }
    return names.get(type(value).__name__, type(value).__name__)
