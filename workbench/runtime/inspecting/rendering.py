"""Chat templates as text, rendered by a process that can do nothing else (`workbench/runners/render_template.py`). The template, the
messages and the variables it is told; where a template comes from it does not know.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.prompting import PromptRequest
from ...errors import ArgumentError, EnvironmentFailed

SECONDS = 30.0  # what is left of a template's process by then is ended
_RUNNER = Path(__file__).resolve().parents[2] / "runners" / "render_template.py"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of one conversation: the text, or why there is none.

    Attributes
    ----------
    text : str
    error : str
        What the template, or Jinja, said.
    line : int
        The template's line, from 1; 0 where it is not known.
    """

    text: str = ""
    error: str = ""
    line: int = 0


class TemplateRefused(ArgumentError):
    """A chat template that cannot be read.

    Attributes
    ----------
    line : int
        Where, from 1; 0 where it is not known.
    """

    line: int = 0


def render(template: str, special: Mapping[str, str], requests: Sequence[PromptRequest]) -> list[Rendered]:
    """Each conversation as a text.

    Parameters
    ----------
    template : str
        Jinja, as in ``chat_template.jinja``.
    special : Mapping
        The tokenizer's own texts, such as ``bos_token``.
    requests : sequence of PromptRequest

    Raises
    ------
    TemplateRefused
        When the template cannot be read, or ran into a limit of its process.
    """
    renders = [
        {"messages": _plain(r.messages or (), template), "tools": list(r.tools), "variables": r.others, "opens": r.opens, "continues": r.continues}
        for r in requests
    ]
    found = _run({"template": template, "special": dict(special), "renders": renders})
    if "error" in found:
        where = f" (line {found['line']})" if found.get("line") else ""
        error = TemplateRefused(f"The chat template cannot be read{where}.", str(found["error"]), "Mend the template, or name another one.")
        error.line = int(found.get("line") or 0)
        raise error
    return [Rendered(r.get("text", ""), r.get("error", ""), int(r.get("line") or 0)) for r in found["results"]]


def _plain(messages: Sequence[Mapping[str, Any]], template: str) -> list[dict[str, Any]]:
    """Messages as engines give them to a template: the arguments of tool calls as objects, texts in parts as one text.

    Parts stay parts where the template looks into them, which a template for pictures does.
    """
    parts = ".type" in template or "['type']" in template or '["type"]' in template
    out = []
    for message in messages:
        plain = dict(message)
        content = plain.get("content")
        if isinstance(content, list) and not parts and all(p.get("type") == "text" for p in content):
            plain["content"] = "\n".join(str(p["text"]) for p in content)
        if plain.get("tool_calls"):
            plain["tool_calls"] = [_objects(c) for c in plain["tool_calls"]]
        out.append(plain)
    return out


def _objects(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    if isinstance(function.get("arguments"), str):
        with contextlib.suppress(ValueError):
            function["arguments"] = json.loads(function["arguments"] or "{}")
    return {**call, "function": function}


def _run(request: Mapping[str, Any]) -> dict[str, Any]:
    """The process's answer. Its output goes to a file, whose size the process's limits bound."""
    environment = {k: v for k, v in os.environ.items() if k in ("TZ", "LD_LIBRARY_PATH")}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_RUNNER)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=complaints,
            env={**environment, "LC_ALL": "C.UTF-8"},
            cwd=os.sep,
            start_new_session=True,
        )
        try:
            process.communicate(json.dumps(request).encode("utf-8", "surrogatepass"), timeout=SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # of an interrupt, too
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        try:
            found = json.load(out)
        except ValueError:
            complaints.seek(0)
            raise _ended(process.returncode, complaints.read(4000).decode("utf-8", "replace")) from None
    return dict(found)


def _ended(code: int, said: str) -> ArgumentError | EnvironmentFailed:
    if "No module named 'jinja2'" in said:
        what = "Chat templates cannot be rendered here: Jinja2 is missing."
        return EnvironmentFailed(what, "It belongs to the workbench's own requirements.", f"{sys.executable} -m pip install 'jinja2>=3.1.6'")
    last = said.strip().splitlines()[-1:] or [f"Its process was ended ({code})."]
    cause = "It did not come to an end." if code in (-signal.SIGKILL, -signal.SIGXCPU) else last[0]
    return TemplateRefused("The chat template cannot be used.", cause, "Mend the template, or name another one.")
