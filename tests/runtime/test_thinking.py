"""Reasoning written into an answer is told apart, however the text is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.answering.thinking import ThinkSplitter


def split(*fragments: str) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [p for f in fragments for p in splitter.feed(f)] + splitter.close()
    assert all(text for text, _ in parts)
    return "".join(t for t, tag in parts if tag == "think"), "".join(t for t, tag in parts if tag == "text")


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("Hello", "", "Hello"),
        ("<think>why</think>because", "why", "because"),
        ("\n<think>\nwhy\n</think>\n\nbecause\n", "why", "because\n"),
        ("<think></think>\n\nyes", "", "yes"),
        ("<think>cut off", "cut off", ""),
        ("<think>a < b </thin c</think>d", "a < b </thin c", "d"),
        ("say <think>not me</think>", "", "say <think>not me</think>"),
        ("<thin", "", "<thin"),
        ("  <b>bold</b>", "", "  <b>bold</b>"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
    ],
)
def test_a_block_that_opens_the_answer_is_reasoning(text: str, thought: str, answer: str) -> None:
    assert split(text) == (thought, answer)
    assert split(*text) == (thought, answer)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "think", ">", "\n", " ", "a", "é", "</thi"]), max_size=12), st.data())
def test_the_cut_does_not_matter(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    at = [0, *cuts, len(text)]
    assert split(*(text[a:b] for a, b in pairwise(at) if text[a:b])) == split(*([text] if text else []))
