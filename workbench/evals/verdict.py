"""What a judge wrote → a score. Judges are asked for JSON and often write something else; knows no model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_NUMBER = r"([-+−]?\d+(?:[.,]\d+)?)"
_OF = rf"{_NUMBER}(?:\s*(?:/|out of|of|von|分之)\s*(\d+(?:[.,]\d+)?))?"
_NAMED = re.compile(rf"\b(?:score|rating|grade|mark)s?\b[\"'*_\s]*(?:is|of|[:=])?[\"'*_\s\[(]*{_OF}", re.IGNORECASE)
_BRACKETS = re.compile(rf"\[\[\s*{_OF}\s*\]\]")
_ALONE = re.compile(rf"[\"'*_\s]*{_OF}[\"'*_\s.]*")
_KEYS = ("score", "rating", "grade", "mark", "value", "points")
_WHY = ("reason", "reasoning", "explanation", "rationale", "why", "comment")


class NoScore(ValueError):
    """The text holds no score, or one that is not on the scale."""


def verdict_of(text: str, low: float, high: float) -> tuple[float, str]:
    """Score and reason from a judge's text; of several verdicts the last one counts.

    Understood are JSON with ``score`` (bare, in a code block, or among other text), ``Score: 4``, ``4/5``, ``[[4]]`` and a number alone.

    Raises
    ------
    NoScore
    """
    said = _THOUGHTS.sub("", text).strip()
    found = [d for d in _objects(said) if any(k in d for k in _KEYS)]
    if found:
        last = found[-1]
        value = next(last[k] for k in _KEYS if k in last)
        reason = next((str(last[k]) for k in _WHY if last.get(k)), "")
        return _on_scale(value, low, high), reason
    for pattern in (_BRACKETS, _NAMED):
        if matches := list(pattern.finditer(said)):
            return _on_scale(_pair(matches[-1]), low, high), _rest(said, matches[-1])
    if alone := _ALONE.fullmatch(said):
        return _on_scale(_pair(alone), low, high), ""
    raise NoScore(f"No score was found in {said[:120]!r}." if said else "The judge said nothing.")


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object in a text, with lower-case keys."""
    decoder, at = json.JSONDecoder(strict=False), 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        at = end
        if isinstance(value, dict):
            yield {str(k).lower(): v for k, v in value.items()}


def _pair(match: re.Match[str]) -> str:
    return f"{match[1]}/{match[2]}" if match[2] else match[1]


def _rest(text: str, match: re.Match[str]) -> str:
    return (text[: match.start()] + text[match.end() :]).strip(" \n\t.*\"'")[:500]


def _on_scale(value: Any, low: float, high: float) -> float:
    """A number on the scale, from a number or a text such as ``4`` or ``4/5``."""
    if isinstance(value, bool):
        return high if value else low
    if isinstance(value, str):
        match = _ALONE.fullmatch(value)
        if match is None:
            raise NoScore(f"The score {value[:40]!r} is no number.")
        if match[2] and _number(match[2]) != high:
            raise NoScore(f"The score is {match[0].strip()}, and the scale ends at {high:g}.")
        value = _number(match[1])
    if not isinstance(value, int | float):
        raise NoScore(f"The score {value!r} is no number.")
    if not low <= value <= high:
        raise NoScore(f"The score {value:g} is not on the scale of {low:g} to {high:g}.")
    return float(value)


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace("−", "-"))
