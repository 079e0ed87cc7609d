"""An answer is a text like any other, and keeps what came with it through copies and pickles."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from workbench.core.answers import Answer
from workbench.core.messages import Completion, Timing, ToolCall, Usage

COMPLETION = Completion("4", "2 and 2", (ToolCall("1", "add", "{}"),), "stop", Usage(3, 1), Timing(0.1, 0.2), "m", "r")


def test_an_answer_is_its_text_and_has_everything_else() -> None:
    answer = Answer(COMPLETION, 0.5)
    assert (answer, answer + "!", json.dumps(answer), answer.text) == ("4", "4!", '"4"', "4")
    assert type(answer.text) is str
    assert (answer.usage.total_tokens, answer.finish_reason, answer.reasoning, answer.cost) == (4, "stop", "2 and 2", 0.5)
    assert (answer.tool_calls[0].name, answer.model, answer.timing.total, answer.completion) == ("add", "m", 0.2, COMPLETION)
    assert Answer(COMPLETION).cost is None


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_a_copy_keeps_what_is_no_text(again: object) -> None:
    other = again(Answer(COMPLETION, 0.5))  # type: ignore[operator]
    assert (type(other), other.completion, other.cost) == (Answer, COMPLETION, 0.5)
