"""Every form in which people have evaluation rows, and what is said of those that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from workbench.errors import DataError
from workbench.evals.rows import load
from workbench.evals.values import EvalCase


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("hello", EvalCase(0, "hello")),
        (7, EvalCase(0, 7)),
        (("2 + 2", "4"), EvalCase(0, "2 + 2", "4")),
        (["2 + 2", "4"], EvalCase(0, "2 + 2", "4")),
        ({"input": "2 + 2", "expected": "4"}, EvalCase(0, "2 + 2", "4")),
        ({"skill": "add", "input": "2 + 2", "output": "4", "accept": ["four"]}, EvalCase(0, "2 + 2", "4", ("four",))),
        ({"question": "2 + 2", "answer": "4"}, EvalCase(0, "2 + 2", "4")),
        ({"instruction": "Add", "input": "2, 2", "output": "4"}, EvalCase(0, "Add\n2, 2", "4")),
        ({"instruction": "Add 2, 2", "input": "", "output": "4"}, EvalCase(0, "Add 2, 2", "4")),
        ({"query": "2 + 2"}, EvalCase(0, "2 + 2")),
        ({"query": "2 + 2", "documents": ["a"], "expected": "4"}, EvalCase(0, {"query": "2 + 2", "documents": ["a"]}, "4", (), True)),
        ({"a": 1, "b": 2}, EvalCase(0, {"a": 1, "b": 2}, None, (), True)),
        ({"input": "x", "expected": float("nan")}, EvalCase(0, "x")),
    ],
)
def test_a_row_in_any_form_becomes_a_case(row: object, expected: EvalCase) -> None:
    assert load([row]) == [expected]


def test_of_a_conversation_the_last_answer_is_expected() -> None:
    turns = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "2 + 2"}]
    openai = load([{"messages": [*turns, {"role": "assistant", "content": "4"}]}])[0]
    sharegpt = load([{"system": "Be short.", "conversations": [{"from": "human", "value": "2 + 2"}, {"from": "gpt", "value": "4"}]}])[0]
    assert openai.input == sharegpt.input == turns
    assert openai.expected == sharegpt.expected == "4"
    assert load([{"instruction": "2 + 2", "system": "Be short."}])[0].input == turns


def test_a_list_of_messages_is_an_input_not_a_pair() -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    assert load([turns])[0].input == turns


def test_cases_are_numbered_anew() -> None:
    assert [c.index for c in load([EvalCase(7, "a"), EvalCase(7, "b")])] == [0, 1]


def test_a_data_frame_is_a_list_of_rows() -> None:
    frame = pd.DataFrame({"input": ["a", "b"], "expected": ["A", None]})
    assert load(frame) == [EvalCase(0, "a", "A"), EvalCase(1, "b")]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.parquet"])
def test_files_of_every_kind_give_the_same_cases(tmp_path: Path, name: str) -> None:
    rows = [{"input": "a", "expected": "A"}, {"input": "b", "expected": "B"}]
    path, frame = tmp_path / name, pd.DataFrame(rows)
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    elif name.endswith(".json"):
        path.write_text(json.dumps(rows))
    elif name.endswith(".csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    assert load(str(path)) == load(path) == [EvalCase(0, "a", "A"), EvalCase(1, "b", "B")]


@pytest.mark.parametrize(
    ("evalset", "words"),
    [
        ([], "has no rows"),
        ({"input": "x"}, "cannot be a dict"),
        (7, "cannot be a int"),
        ([{"input": "a"}, {"input": ""}], "Row 1 of the evaluation set has an empty input"),
        ([{"input": "a"}, {}], "Row 1 of the evaluation set is empty"),
        ([{"expected": "4"}], "Row 0 of the evaluation set has no input"),
        ([("a", "b", "c")], "Row 0 of the evaluation set has 3 values"),
        ([{"input": "a", "accept": "b"}], "under accept"),
        ([{"messages": "hi"}], "has str under 'messages'"),
        ([{"messages": [{"role": "user"}]}], "turn 1 of 'messages' has no 'role' or 'content'"),
        ([{"messages": [{"role": "assistant", "content": "4"}]}], "asks nothing"),
        ([None], "Row 0 of the evaluation set has an empty input"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_row(evalset: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(evalset)


def test_a_broken_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "a"}\n{"input": \n')
    with pytest.raises(DataError) as caught:
        load(path)
    assert "rows.jsonl" in str(caught.value)
    assert "2" in str(caught.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        load(tmp_path / "nowhere.jsonl")
