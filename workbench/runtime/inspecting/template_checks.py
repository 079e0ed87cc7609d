"""Whether a chat template can be used, found out by rendering with it before anything is started; and where it is kept.

Knows templates as texts, and the names of those that ship (`workbench.deploy.named_templates`); starts no model.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ...core.prompting import PromptRequest
from ...deploy.named_templates import NAMED
from ...errors import ArgumentError, nearest
from ...settings import settings
from . import rendering
from .chat_templates import special_tokens

_USER, _ANSWER, _AGAIN, _SYSTEM = "zebra question", "walrus answer", "ibex question", "ocelot rule"
_FIRST = {"role": "user", "content": _USER}
_SEVERAL = [_FIRST, {"role": "assistant", "content": _ANSWER}, {"role": "user", "content": _AGAIN}]
_INSTRUCTED = [{"role": "system", "content": _SYSTEM}, _FIRST]
_LARGEST = 4 << 20


def text_of(value: object) -> tuple[str, str]:
    """The template that is meant, and what people call it: a file, a name of `NAMED`, or Jinja itself.

    Raises
    ------
    ArgumentError
        When it is none of these.
    """
    if not isinstance(value, str | os.PathLike):
        raise ArgumentError(f"chat_template cannot be a {type(value).__name__}.", "", f"Give a file, Jinja, or one of: {', '.join(NAMED)}.")
    text = os.fspath(value)
    if text.strip().lower() in NAMED:
        return NAMED[text.strip().lower()].text, text.strip().lower()
    if "{{" in text or "{%" in text:
        return text, ""
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        near = nearest(text, NAMED)
        cause = f"{near!r} is the nearest name." if near else f"{path} is no file."
        raise ArgumentError(f"There is no chat template {text!r}.", cause, f"Give a file, Jinja, or one of: {', '.join(NAMED)}.")
    try:
        found = path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST else ""
    except (OSError, UnicodeDecodeError) as e:
        raise ArgumentError(f"The chat template {path} cannot be read.", str(e), "Give a text file.") from None
    if not found.strip():
        raise ArgumentError(f"The chat template {path} is empty, or far too large.", "", "Give a file with a Jinja template.")
    return found, path.name


def called(name: str) -> str:
    """The template, at the beginning of a sentence."""
    return f"The chat template {name!r}" if name else "The chat template"


def checked(text: str, name: str, special: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What a template cannot do, a sentence each, for a warning.

    Raises
    ------
    ArgumentError
        When it cannot be read (with the line), fails, or leaves out what the user says.
    """
    return _checked(text, name, tuple(sorted((special or {}).items())))


@lru_cache(maxsize=64)
def _checked(text: str, name: str, special: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    asked = [PromptRequest("render", tuple(turns)) for turns in ([_FIRST], _SEVERAL, _INSTRUCTED)]
    try:
        one, several, instructed = rendering.render(text, dict(special), asked)
    except rendering.TemplateRefused as e:
        raise ArgumentError(e.what.replace("The chat template", called(name)), e.cause, e.fix) from None
    if one.error:
        where = f" (line {one.line})" if one.line else ""
        raise ArgumentError(f"{called(name)} fails for a plain question{where}.", one.error, "Mend it, or name another one.")
    if _USER not in one.text:
        cause = f"It made {one.text[:80]!r} of {_USER!r}."
        raise ArgumentError(f"{called(name)} leaves out what the user says.", cause, "Write {{ message['content'] }} into it.")
    found = []
    if several.error:
        found.append(f"it fails for a second question ({several.error})")
    elif lost := [said for said in (_USER, _ANSWER, _AGAIN) if said not in several.text]:
        found.append("it leaves out " + ("what the assistant said before" if lost == [_ANSWER] else "earlier turns"))
    if instructed.error:
        found.append(f"it takes no system message ({instructed.error})")
    elif _SYSTEM not in instructed.text:
        found.append("it leaves out the system message")
    return tuple(found)


def kept(text: str, name: str) -> Path:
    """The file under the home that holds this very text; the same text is the same file."""
    digest = _digest(text)
    stem = Path(name).stem.removesuffix(f"-{digest}").replace(" ", "_")[:40] or "own"  # one that is kept already stays where it is
    path = settings().folder("templates") / f"{stem}-{digest}.jinja"
    if not path.exists():
        file, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(file, "w", encoding="utf-8") as f:
            f.write(text)
        Path(temporary).replace(path)
    return path


def said(path: str) -> str:
    """What to write for a file that `kept` made: the name of a template that ships, else the file."""
    name, _, digest = Path(path).stem.rpartition("-")
    return name if name in NAMED and _digest(NAMED[name].text) == digest else path


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def special_of(model: str) -> dict[str, str]:
    """The special tokens that the model's templates are rendered with; none where no model is told."""
    return special_tokens(Path(model)) if model and Path(model).is_dir() else {}
