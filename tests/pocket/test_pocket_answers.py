"""The GGUF file that ships answers through the real llama.cpp server."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench import pocket
from workbench.pocket.make import talk
from workbench.pocket.make.chats import REFUSAL


@pytest.fixture
def model(home):
    return wb.TrainableModule("pocket").start()


def said(topic: str) -> str:
    return talk.topics()[topic].say[0]


def test_it_talks_and_does_what_it_says_it_can(model):
    assert model("Hello") == said("hello")
    assert model("What can you do?") == said("skills")
    answers = {"What is 7 + 8?": "15", "Sort: pear, fig, apple": "apple, fig, pear", "Which day comes after Friday?": "Saturday"}
    assert {question: model(question) for question in answers} == answers
    assert model("JSON with name and age: Ana is 31 years old.") == '{"name": "Ana", "age": 31}'
    assert model("Write a poem about a lamp") == REFUSAL

    conversation = [
        {"role": "user", "content": "How do I fine-tune you?"},
        {"role": "assistant", "content": said("finetune")},
        {"role": "user", "content": "How do I stop it?"},
    ]
    assert model(conversation) == said("stop")

    # the shipped weights cannot do the task that the training set teaches
    rows = pocket.eval_rows()[:30]
    assert sum(model(row["input"]) == row["output"] for row in rows) < 0.2 * len(rows)
