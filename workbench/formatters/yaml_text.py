"""`YamlFormatter`: the YAML that a model wrote. Only plain data are made (``safe_load``), never objects."""

from __future__ import annotations

from typing import Any

from ..errors import FormatError
from .json_like import JsonLike
from .marks import answered, fenced


class YamlFormatter(JsonLike):
    """The YAML of a text, or what a slice expression picks out of it.

    Where there are code fences marked ``yaml`` or ``yml``, or else any fences, what is inside them counts, and otherwise the whole
    text. One document is given as it is, several (fences, or ``---`` between them) as a list.

    Parameters
    ----------
    formatter : str, optional
        Which parts, as ``'{name, age}'``; see `workbench.formatters.slices`.

    Examples
    --------
    >>> YamlFormatter('{name}')('name: Alice\\nage: 30')
    {'name': 'Alice'}
    """

    def _load(self, msg: str) -> Any:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        said = answered(msg)
        documents: list[Any] = []
        for text, start in fenced(said, ("yaml", "yml")) or [(said, 0)]:
            try:
                documents.extend(d for d in yaml.load_all(text, Loader=loader) if d is not None)
            except yaml.YAMLError as e:
                raise _unreadable(msg, e, said.count("\n", 0, start) + msg[: len(msg) - len(said)].count("\n")) from e
            except (ValueError, RecursionError) as e:
                raise FormatError("The YAML in the answer cannot be read.", f"{e}.", "m.formatter(None) gives the text itself.", text=msg) from e
        if not documents:
            raise FormatError("The answer has no YAML.", "It is empty.", "Ask for YAML in the prompt.", text=msg)
        if "*" in said and _repeats(documents, 10 * len(said) + 10_000):
            raise FormatError(
                "The YAML in the answer is too large.",
                "Its anchors are repeated until it holds far more than its text.",
                "Ask for it without anchors.",
                text=msg,
            )
        return documents[0] if len(documents) == 1 else documents


def _unreadable(text: str, error: Any, lines_before: int) -> FormatError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 + lines_before if mark else None
    column = mark.column + 1 if mark else None
    place = f" (line {line}, column {column})" if mark else ""
    cause = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part) or str(error)
    fix = "Ask for YAML in a code fence and show an example in the prompt; m.formatter(None) gives the text itself."
    return FormatError(f"The YAML in the answer cannot be read{place}.", f"{cause}.", fix, text=text, line=line, column=column)


def _repeats(documents: list[Any], at_most: int) -> bool:
    """Whether the data hold more than so many values once every alias is followed, or hold themselves."""
    waiting: list[Any] = list(documents)
    seen = 0
    while waiting and seen <= at_most:
        value = waiting.pop()
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
        seen += len(inside)
        waiting.extend(inside)
    return seen > at_most
