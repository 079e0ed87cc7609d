"""A prompt as one text: for reading, and for models that have no chat template. Knows no model's own marks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.messages import Message


@dataclass(frozen=True, slots=True)
class Layout:
    """Headings between which the turns stand.

    Attributes
    ----------
    headings : mapping from role to str
        What stands above a turn; no entry, or an empty one: nothing.
    answer : str
        What the model's answer follows; behind it `PrompterBase.get_response` finds the answer.
    """

    headings: Mapping[str, str]
    answer: str = ""

    def text(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), label: str = "") -> str:
        """The turns as one text that ends where the answer begins, or with the answer that is wanted."""
        blocks = [(self.headings.get(m.role, ""), said(m)) for m in messages]
        if tools:
            place = next((i for i, m in enumerate(messages) if m.role != "system"), len(blocks))
            blocks.insert(place, (self.headings.get("tools", ""), json.dumps(list(tools), ensure_ascii=False)))
        text = "\n\n".join(f"{heading}\n{content}" if heading else content for heading, content in blocks)
        return f"{text}\n\n{self.answer}\n{label}" if self.answer else text + label


CHAT = Layout(
    {"system": "### System:", "user": "### User:", "assistant": "### Assistant:", "tool": "### Tool:", "tools": "### Tools:"}, "### Assistant:"
)
ALPACA = Layout({"tools": "### Tools:", "assistant": "### Response:"}, "### Response:")
PLAIN = Layout({})


def said(message: Message) -> str:
    """A turn as text: files as their names, calls of tools as they were written."""
    content = message.content
    text = content if isinstance(content, str) else "\n".join(str(p.get("text", f"[{p.get('type', 'file')}]")) for p in content)
    calls = [f"{c.name}({c.arguments})" for c in message.tool_calls]
    return "\n".join(t for t in (text, *calls) if t)
