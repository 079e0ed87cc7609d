"""What is taken for messages, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.core.messages import Message, as_messages
from workbench.errors import ArgumentError


def test_texts_messages_and_dicts_are_turns() -> None:
    part = {"type": "text", "text": "Hi"}
    given: list[Any] = [Message("system", "Be brief."), {"role": "user", "content": [part]}, {"role": "assistant", "content": None}]
    assert as_messages(given) == (Message("system", "Be brief."), Message("user", (part,)), Message("assistant", ""))
    assert as_messages("Hi") == (Message("user", "Hi"),)
    assert as_messages({"role": "user", "content": []}) == (Message("user", ""),)


@pytest.mark.parametrize("content", [3, 0, False, b"bytes", {"type": "text", "text": "Hi"}, [3], ["Hi"], object()])
def test_a_content_that_is_neither_text_nor_parts_is_told(content: Any) -> None:
    for value in ([{"role": "user", "content": content}], {"role": "user", "content": content}, Message("user", content)):
        with pytest.raises(ArgumentError, match=r"content of a message cannot be[\s\S]*type [\s\S]*Fix: Give \{'role': 'user'"):
            as_messages(value)


@pytest.mark.parametrize("value", [3, None, b"Hi", [3], [None], [{"content": "no role"}], {"content": "no role"}])
def test_what_is_no_message_is_told(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"cannot be .*[\s\S]*Fix: Give "):
        as_messages(value)
