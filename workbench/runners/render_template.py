"""Renders chat templates that somebody else wrote, in a process that can do nothing else: ``python -I render_template.py < REQUEST.json``.

A template is a program. It runs in Jinja's immutable sandbox with the functions that transformers gives to one
(``transformers/utils/chat_template_utils.py``), and in case it gets out of that, in a process with limits for time and memory that may
open no file, no connection and no process. Needs Jinja2; knows no model and no tokens.

Request: ``{template, special, renders: [{messages, tools, variables, opens, continues}]}``. Answer: ``{results: [{text} or {error, line}]}``, or
``{error, line}`` for a template that cannot be read.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from datetime import datetime
from typing import Any

SECONDS = 3
MEMORY = 1 << 30
LONGEST = 64 << 20
_FORBIDDEN = ("open", "import", "os.", "socket.", "subprocess.", "shutil.", "ctypes.", "mmap.", "pty.", "tempfile.")


def main() -> None:
    request = json.load(sys.stdin)
    environment = sandbox()
    limit(len(json.dumps(request)))
    sys.stdout.write(json.dumps(answer(environment, request)))
    sys.stdout.flush()


def limit(size: int) -> None:
    """No more time, memory and files than a template for a request of ``size`` bytes can want."""
    most = [(resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY + 40 * size), (resource.RLIMIT_CORE, 0)]
    most.append((resource.RLIMIT_FSIZE, 2 * (LONGEST + 8 * size)))  # of the answer
    for what, value in most:
        with contextlib.suppress(ValueError, OSError):  # a smaller limit is there already
            resource.setrlimit(what, (value, value))


def shut() -> None:
    """From now on nothing can be opened, imported or started, from Python or from what Python calls."""

    def refuse(event: str, args: Any) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"a chat template must not do this: {event}")

    sys.addaudithook(refuse)


def sandbox() -> Any:
    """Jinja's environment as transformers sets it up."""
    import jinja2.debug  # loaded when an error is told, and then it is too late
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(jinja2.ext.Extension):
        """``{% generation %}`` marks what the assistant says; here it is only text."""

        tags = {"generation"}  # noqa: RUF012  # as Jinja declares it

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.Scope(body, lineno=line)

    class Namespace(jinja2.utils.Namespace):
        """Without names that lead to Python's inside."""

        def __init__(*args: Any, **kwargs: Any) -> None:
            for name in dict(*args[1:], **kwargs):
                Namespace.checked(name)
            jinja2.utils.Namespace.__init__(*args, **kwargs)

        def __setitem__(self, name: str, value: Any) -> None:
            super().__setitem__(Namespace.checked(name), value)

        @staticmethod
        def checked(name: Any) -> Any:
            if isinstance(name, str) and name.startswith("_"):
                raise jinja2.exceptions.SecurityError(f"a template cannot keep something under the name {name!r}")
            return name

    def raise_exception(message: str) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def strftime_now(form: str) -> str:
        return datetime.now().strftime(form)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals.update(raise_exception=raise_exception, strftime_now=strftime_now, namespace=Namespace)
    strftime_now("%d %b %Y")  # what this loads, it loads now
    time.strptime("1", "%d")
    environment.from_string("{{ x | tojson }}").render(x=1)
    return environment


def answer(environment: Any, request: dict[str, Any]) -> dict[str, Any]:
    """What came of a request."""
    import jinja2

    try:
        template = environment.from_string(request["template"])
    except jinja2.TemplateSyntaxError as e:
        return {"error": e.message or "it cannot be read", "line": e.lineno}
    except (RecursionError, MemoryError, ValueError, OverflowError) as e:
        return {"error": f"{type(e).__name__}: {e}", "line": 0}
    shut()
    return {"results": [rendered(template, request.get("special") or {}, one) for one in request["renders"]]}


def rendered(template: Any, special: dict[str, str], one: dict[str, Any]) -> dict[str, Any]:
    """One conversation as text."""
    messages = one["messages"]
    values = {**special, **one.get("variables", {})}
    try:
        text = template.render(
            messages=messages,
            tools=one.get("tools") or None,
            documents=values.pop("documents", None),
            add_generation_prompt=bool(one.get("opens")),
            **values,
        )
        if one.get("continues"):
            text = left_open(text, messages)
    except MemoryError:
        return {"error": "it wants more memory than a chat template can need", "line": 0}
    except RecursionError:
        return {"error": "it calls itself without end", "line": 0}
    except Exception as e:  # whatever a template raises is its own
        return {"error": str(e) or type(e).__name__, "kind": type(e).__name__, "line": line_of(e)}
    if len(text) > LONGEST + 8 * len(json.dumps(messages)):
        return {"error": f"it makes a text of {len(text)} characters", "line": 0}
    return {"text": text}


def left_open(text: str, messages: list[dict[str, Any]]) -> str:
    """The text up to the end of what the last message says."""
    last = messages[-1].get("content") if messages else ""
    if isinstance(last, list):
        last = next((p["text"] for p in reversed(last) if isinstance(p, dict) and p.get("type") == "text"), "")
    said = str(last or "").strip()
    at = text.rfind(said)
    if not said or at < 0:
        raise ValueError("continue_final_message: the last message has no text, or the template changes it")
    return text[: at + len(said)]


def line_of(error: BaseException) -> int:
    """The template's line that an error came from; 0 where nobody knows."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


if __name__ == "__main__":
    main()
