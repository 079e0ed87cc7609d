"""What stands around data in an answer: a model's thoughts before it, and code fences. Knows no data format."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)


def answered(text: str) -> str:
    """The text behind the thoughts that it begins with."""
    if not text.lstrip().startswith("<think>"):
        return text
    _, end, rest = text.partition("</think>")
    return rest if end else ""


def fenced(text: str, languages: tuple[str, ...]) -> list[tuple[str, int]]:
    """(content, place) of the code fences of these languages; of those without a language where there are none."""
    found = [(m[1].lower(), m[2], m.start(2)) for m in _FENCE.finditer(text)]
    own = [(content, at) for language, content, at in found if language in languages]
    return own or [(content, at) for language, content, at in found if not language]
