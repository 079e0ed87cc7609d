"""What a row to train on looks like: alpaca, sharegpt or OpenAI messages. Says what is wrong with one that is not, and turns each into
turns. Does not read files.

========== ==========================================================================================
alpaca     ``instruction``, ``output``, and as may be ``input``, ``system``, ``history`` (pairs of texts). Two columns of
           other names count as well: prompt/completion, prompt/response, question/answer, query/response, input/output,
           input/target, and text pairs like these.
sharegpt   ``conversations``: ``from`` (human, gpt, function_call, observation, system) and ``value``; ``system``, ``tools``
openai     ``messages``: ``role`` (system, user, assistant, tool), ``content``, ``tool_calls``; ``tools``
========== ==========================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import nearest

FORMATS = ("alpaca", "sharegpt", "openai")
_QUESTIONS = ("instruction", "prompt", "question", "query", "input")
_ANSWERS = ("output", "completion", "response", "answer", "target", "expected")
_MEDIA = ("images", "image", "videos", "video", "audios", "audio")
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "observation",
    "observation": "observation",
    "function_call": "function_call",
}
Turn = dict[str, str]


class BadRow(ValueError):
    """What is wrong with a row, as the end of a sentence that begins with its place."""


def recognise(row: Any) -> str:
    """The format of a row. Raises `BadRow` for none."""
    if not isinstance(row, Mapping):
        raise BadRow(f"is a {_kind(row)}, not an object with fields")
    if "messages" in row:
        return "openai"
    if "conversations" in row:
        return "sharegpt"
    question, answer = columns_of(row)
    if question and answer:
        return "alpaca"
    names = [str(k) for k in row]
    if question or answer:
        wanted = "output" if question else "instruction"
        near = nearest(wanted, [n for n in names if n not in (question, answer)])
        raise BadRow(f"has {question or answer!r} but no {wanted!r}" + (f"; {near!r} is the nearest field" if near else ""))
    raise BadRow(_unknown(names))


def _unknown(names: list[str]) -> str:
    for wanted in ("messages", "conversations", "instruction", "output"):
        if near := nearest(wanted, names):
            return f"has the field {near!r}; {wanted!r} is the nearest name that is known"
    return f"has the fields {', '.join(map(repr, names[:6])) or 'none'}; wanted are instruction and output, conversations, or messages"


def columns_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the question's and the answer's field in an alpaca row, each empty when there is none."""
    question = next((q for q in _QUESTIONS if q in row), "")
    return question, next((a for a in _ANSWERS if a in row and a != question), "")


def turns_of(row: Any, form: str) -> tuple[list[Turn], str, str]:
    """A row's turns (``role`` and ``content``; roles user, assistant, function_call, observation), its system prompt and its tools.

    Raises
    ------
    BadRow
        Says what is wrong.
    """
    found = recognise(row)
    if found != form:
        raise BadRow(f"is a row of the form {found}, the first one is {form}")
    for name in _MEDIA:
        if row.get(name):
            raise BadRow(f"has {name!r}: this version trains on text")
    turns, system = _alpaca(row) if form == "alpaca" else _conversation(row, form)
    given = row.get("system")
    if given is not None and not isinstance(given, str):
        raise BadRow(f"has a {_kind(given)} as 'system', not a text")
    _check_order(turns)
    return turns, system or given or "", _tools(row.get("tools"))


def _alpaca(row: Mapping[str, Any]) -> tuple[list[Turn], str]:
    question, answer = columns_of(row)
    asked = _text(row, question)
    more = _text(row, "input") if question != "input" and row.get("input") is not None else ""
    asked = "\n".join(t for t in (asked, more) if t)
    if not asked.strip():
        raise BadRow(f"has an empty {question!r}")
    answered = _text(row, answer)
    if not answered.strip():
        raise BadRow(f"has an empty {answer!r}")
    turns: list[Turn] = []
    history = row.get("history")
    if history is not None and not isinstance(history, list):
        raise BadRow(f"has a {_kind(history)} as 'history', not a list of [question, answer]")
    for pair in history or ():
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2 or not all(isinstance(p, str) for p in pair):
            raise BadRow("has a 'history' that is not a list of [question, answer]")
        turns += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return [*turns, {"role": "user", "content": asked}, {"role": "assistant", "content": answered}], ""


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise BadRow(f"has a {_kind(value)} as {name!r}, not a text")


def _conversation(row: Mapping[str, Any], form: str) -> tuple[list[Turn], str]:
    field = "messages" if form == "openai" else "conversations"
    said = row[field]
    if not isinstance(said, list):
        raise BadRow(f"has a {_kind(said)} as {field!r}, not a list")
    if not said:
        raise BadRow(f"has no turn in {field!r}")
    turns: list[Turn] = []
    system = ""
    for number, message in enumerate(said, 1):
        role, content = _message(message, number, form)
        if role == "system":
            if number > 1:
                raise BadRow(f"has a system prompt at turn {number}; it can only come first")
            system = content
        elif role == "observation" and turns and turns[-1]["role"] == "observation":
            # Several tools' answers to one call; LLaMA-Factory joins them with these words, too.
            turns[-1] = {"role": role, "content": f"{turns[-1]['content']}\n</tool_response>\n<tool_response>\n{content}"}
        else:
            turns.append({"role": role, "content": content})
    return turns, system


def _message(message: Any, number: int, form: str) -> tuple[str, str]:
    if not isinstance(message, Mapping):
        raise BadRow(f"has a {_kind(message)} as turn {number}, not an object")
    who = next((k for k in (("role", "from") if form == "openai" else ("from", "role")) if k in message), "")
    if not who:
        wanted = "role" if form == "openai" else "from"
        near = nearest(wanted, map(str, message))
        raise BadRow(f"has no {wanted!r} in turn {number}" + (f"; {near!r} is the nearest field" if near else ""))
    role = _ROLES.get(message[who]) if isinstance(message[who], str) else None
    if role is None:
        near = nearest(str(message[who]), _ROLES)
        raise BadRow(f"has the unknown {who} {message[who]!r} in turn {number}" + (f"; {near!r} is the nearest" if near else ""))
    calls = message.get("tool_calls")
    if role == "assistant" and calls:
        return "function_call", _calls(calls, number)
    what = next((k for k in ("content", "value") if k in message), "")
    if not what:
        wanted = "content" if form == "openai" else "value"
        near = nearest(wanted, map(str, message))
        raise BadRow(f"has no {wanted!r} in turn {number}" + (f"; {near!r} is the nearest field" if near else ""))
    content = _parts(message[what], number)
    if not content.strip() and role in ("user", "assistant"):
        raise BadRow(f"has an empty turn {number} ({message[who]})")
    return role, content


def _parts(content: Any, number: int) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(p, Mapping) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in content):
        return "".join(p["text"] for p in content)
    if isinstance(content, list):
        raise BadRow(f"has content that is not text in turn {number}: this version trains on text")
    raise BadRow(f"has a {_kind(content)} as the content of turn {number}, not a text")


def _calls(calls: Any, number: int) -> str:
    """Tool calls as LLaMA-Factory reads them: a JSON list of name and arguments."""
    found = []
    for call in calls if isinstance(calls, list) else [calls]:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise BadRow(f"has a tool call without a name in turn {number}")
        arguments = function.get("arguments", {})
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except ValueError:
                raise BadRow(f"has a tool call whose arguments are not JSON in turn {number}") from None
        found.append({"name": function["name"], "arguments": arguments})
    return json.dumps(found, ensure_ascii=False)


def _tools(tools: Any) -> str:
    if not tools:
        return ""
    return tools if isinstance(tools, str) else json.dumps(tools, ensure_ascii=False)


def _check_order(turns: list[Turn]) -> None:
    """Questions and answers must alternate, beginning with a question and ending with an answer."""
    for i, turn in enumerate(turns):
        asks = turn["role"] in ("user", "observation")
        if asks != (i % 2 == 0):
            wanted = "the user or a tool" if i % 2 == 0 else "the assistant"
            raise BadRow(f"has {turn['role']!r} as turn {i + 1} after the system prompt, where {wanted} should speak")
    if not turns:
        raise BadRow("has nothing but a system prompt")
    if len(turns) % 2:
        raise BadRow("ends with a question: the last turn must be the assistant's")


def _kind(value: Any) -> str:
    return {"NoneType": "null", "str": "text", "int": "number", "float": "number", "dict": "object"}.get(type(value).__name__, type(value).__name__)
