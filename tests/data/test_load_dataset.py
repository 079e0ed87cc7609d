"""Data sets: every form is recognised, every fault is told with its file and line, before anything long begins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import data, pocket
from workbench.core.specs import DataRef
from workbench.data import sources, uniform
from workbench.errors import DataError

ALPACA = {"instruction": "Say hi", "input": "", "output": "hi"}
SHAREGPT = {"conversations": [{"from": "human", "value": "Say hi"}, {"from": "gpt", "value": "hi"}], "system": "Be brief."}
OPENAI = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hi"}, {"role": "assistant", "content": "hi"}]}


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def turns(ref: DataRef, folder: Path) -> list[dict[str, Any]]:
    uniform.write({"path": ref.path, "format": ref.format}, folder / "u.jsonl")
    return [json.loads(line) for line in (folder / "u.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("row", "form"), [(ALPACA, "alpaca"), (SHAREGPT, "sharegpt"), (OPENAI, "openai")])
def test_each_format_is_recognised_from_every_source(row: dict[str, Any], form: str, tmp_path: Path) -> None:
    array = tmp_path / "array.json"
    array.write_text(json.dumps([row] * 3, indent=2), encoding="utf-8")
    frame = pd.DataFrame([row] * 3)
    frame.to_parquet(tmp_path / "rows.parquet")
    for value in (array, str(jsonl(tmp_path / "lines.jsonl", [row] * 3)), tmp_path / "rows.parquet", [row] * 3, frame):
        ref = data.load_dataset(value, folder=tmp_path / "job")
        assert (ref.format, ref.rows) == (form, 3)
        said = turns(ref, tmp_path)
        assert [t["content"] for t in said[0]["messages"]] == ["Say hi", "hi"]
        assert said[0]["system"] == ("" if form == "alpaca" else "Be brief.")


def test_a_json_file_of_the_users_is_used_where_it_is_and_a_frame_is_written(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "mine.jsonl", [ALPACA])
    assert data.load_dataset(path, folder=tmp_path / "job").path == str(path)
    written = data.load_dataset([ALPACA], folder=tmp_path / "job")
    assert Path(written.path).parent == tmp_path / "job"
    assert data.load_dataset([{**ALPACA, "output": "other"}], folder=tmp_path / "job").path != written.path


def test_csv_with_gaps_and_numbers_becomes_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('prompt,completion,note\n1+1?,2,\n"a,\nb",ab,x\n', encoding="utf-8")
    said = turns(data.load_dataset(path, folder=tmp_path / "job"), tmp_path)
    assert [[t["content"] for t in row["messages"]] for row in said] == [["1+1?", "2"], ["a,\nb", "ab"]]


@pytest.mark.parametrize("pair", [("prompt", "completion"), ("question", "answer"), ("input", "output"), ("query", "response")])
def test_columns_of_other_names_are_question_and_answer(pair: tuple[str, str], tmp_path: Path) -> None:
    ref = data.load_dataset(pd.DataFrame({pair[0]: ["q"], pair[1]: ["a"]}), folder=tmp_path)
    assert [t["content"] for t in turns(ref, tmp_path)[0]["messages"]] == ["q", "a"]


def test_history_tools_and_tool_calls_are_kept(tmp_path: Path) -> None:
    ref = data.load_dataset([{**ALPACA, "history": [["a", "b"]], "system": "S"}], folder=tmp_path)
    row = turns(ref, tmp_path)[0]
    assert [t["role"] for t in row["messages"]] == ["user", "assistant", "user", "assistant"]
    assert row["system"] == "S"
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "1"},
        {"role": "tool", "content": "2", "tool_call_id": "2"},
        {"role": "assistant", "content": "done"},
    ]
    row = turns(data.load_dataset([{"messages": messages, "tools": [{"name": "f"}]}], folder=tmp_path), tmp_path)[0]
    assert [t["role"] for t in row["messages"]] == ["user", "function_call", "observation", "assistant"]
    assert json.loads(row["messages"][1]["content"]) == [{"name": "f", "arguments": {"x": 1}}]
    assert json.loads(row["tools"]) == [{"name": "f"}]


FAULTS = [
    ('{"instruction": "a", "output": "b"}\n{"instruction": "a", "out', "line 2", "is not JSON"),
    ('{"instruction": "a", "outptu": "b"}\n', "line 1", "'outptu' is the nearest field"),
    ('{"instructions": "a", "outputs": "b"}\n', "line 1", "'instruction' is the nearest name"),
    ('{"instruction": "a", "output": "b"}\n{"messages": []}\n', "line 2", "form openai, the first one is alpaca"),
    ('{"instruction": "a", "output": ""}\n', "line 1", "empty 'output'"),
    ('{"instruction": "a", "output": ["b"]}\n', "line 1", "has a list as 'output'"),
    ('{"messages": [{"role": "assistant", "content": "x"}]}\n', "line 1", "where the user or a tool should speak"),
    ('{"messages": [{"role": "user", "content": "x"}]}\n', "line 1", "the last turn must be the assistant's"),
    ('{"messages": [{"role": "usr", "content": "x"}]}\n', "line 1", "'user' is the nearest"),
    ('{"messages": [{"role": "user", "contnt": "x"}]}\n', "line 1", "'contnt' is the nearest field"),
    ('{"conversations": [{"from": "human", "value": "x"}, {"from": "human", "value": "y"}]}\n', "line 1", "where the assistant should speak"),
    ('{\n "instruction": "a",\n "output": "b"\n}\n', "line 1", "each line holds one row"),
    ('[\n {"instruction": "a", "output": "b"},\n {"instruction": "a" "output": "b"}\n]', "line 3", "is not JSON: expecting ',' delimiter"),
    ('[{"instruction": "a", "output": "b"}\n {"instruction": "a"}]', "line 2", "does not begin with a comma"),
    ('[{"instruction": "a", "output": "b"},\n{"instruction": "a", "outp', "line 2", "the end of the file cuts off"),
    ('[{"instruction": "a", "output": "b"}', "line 1", "no closing ]"),
    ("[1]", "line 1", "is a number, not an object"),
    ('{"instruction": "a", "output": "b", "images": ["x.png"]}\n', "line 1", "this version trains on text"),
]


@pytest.mark.parametrize(("text", "place", "words"), FAULTS)
def test_a_fault_is_told_with_file_line_and_cause(text: str, place: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as e:
        data.load_dataset(path, folder=tmp_path)
    assert str(path) in str(e.value)
    assert place in str(e.value)
    assert words in str(e.value)


def test_bytes_that_are_no_utf8_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"instruction": "a", "output": "b"}\n{"instruction": "\xff", "output": "b"}\n')
    (tmp_path / "b.json").write_bytes(b'[{"instruction": "\xff", "output": "b"}]')
    for name, place in (("a.jsonl", "line 2"), ("b.json", "line 1")):
        with pytest.raises(DataError, match="not UTF-8") as e:
            data.load_dataset(tmp_path / name, folder=tmp_path)
        assert place in str(e.value)


def test_what_is_no_usable_file_is_told_with_what_would_be(tmp_path: Path) -> None:
    jsonl(tmp_path / "train.jsonl", [ALPACA])
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "blank.jsonl").write_text("\n  \n")
    (tmp_path / "none.json").write_text("[]")
    (tmp_path / "notes.txt").write_text("hello")
    for name, words in (
        ("trian.jsonl", "'train.jsonl' in the same folder has the nearest name"),
        ("", "is a directory"),
        ("empty.jsonl", "is empty"),
        ("blank.jsonl", "nothing but white space"),
        ("none.json", "has no rows"),
        ("notes.txt", "in no form that is known"),
    ):
        with pytest.raises(DataError) as e:
            data.load_dataset(tmp_path / name, folder=tmp_path)
        assert words in str(e.value)
    with pytest.raises(DataError, match="A dict is no data set"):
        data.load_dataset(ALPACA, folder=tmp_path)
    with pytest.raises(DataError, match="row 1, has the fields 'x'"):
        data.load_dataset([ALPACA, {"x": 1}], folder=tmp_path)


def test_many_faults_are_told_together_and_then_no_more(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [ALPACA, *[{"x": 1}] * 500])
    with pytest.raises(DataError) as e:
        data.load_dataset(path, folder=tmp_path)
    assert "line 2" in str(e.value)
    assert "line 21" in str(e.value)
    assert "line 22" not in str(e.value)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_fault_at_the_beginning_of_200_megabytes_does_not_wait_for_the_end(form: str, tmp_path: Path) -> None:
    path, good = tmp_path / "big.json", json.dumps({**ALPACA, "output": "word " * 200})
    begin, between = ("", "\n") if form == "lines" else ("[", ",\n")
    with path.open("w", encoding="utf-8") as f:
        f.write(f'{begin}{good}{between}{{"instruction": "a"}}{between}')
        block = (good + between) * 1000
        for _ in range(200 * 2**20 // len(block)):
            f.write(block)
        f.write(good + ("" if form == "lines" else "]"))
    with pytest.raises(DataError) as e:
        data.load_dataset(path, folder=tmp_path)
    path.unlink()
    assert "line 2, has 'instruction' but no 'output'" in str(e.value)
    assert "The rest of the file was not looked at." in str(e.value)


def test_json_needs_neither_pandas_nor_pyarrow(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [ALPACA])
    code = f"import sys; from pathlib import Path; from workbench import data; data.load_dataset({str(path)!r}, folder=Path('.'))\n"
    code += "print([m for m in ('torch', 'pandas', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_rows_to_evaluate_on_may_have_any_fields(tmp_path: Path) -> None:
    rows = [{"input": "a", "output": "b"}, {"x": 1}]
    assert data.load_rows(jsonl(tmp_path / "x.jsonl", rows)) == rows
    assert data.load_rows(pd.DataFrame([{"x": 1}, {"x": 2}])) == [{"x": 1}, {"x": 2}]
    assert data.load_rows(pocket.eval_rows()) == pocket.eval_rows()
    (tmp_path / "y.jsonl").write_text('{"a": 1}\n{"a"\n')
    with pytest.raises(DataError, match="line 2"):
        data.load_rows(tmp_path / "y.jsonl")


def test_the_shipped_training_set_is_good(tmp_path: Path) -> None:
    assert data.load_dataset(pocket.train_file(), folder=tmp_path).format == "alpaca"


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3)
)


@given(
    rows=st.lists(st.dictionaries(st.text(), _values, max_size=4), min_size=1, max_size=8),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_an_array_read_in_pieces_gives_the_same_rows_at_the_right_lines(
    rows: list[Any], indent: int | None, ascii_only: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return  # half a surrogate pair cannot be in a UTF-8 file
    path = tmp_path_factory.mktemp("p") / "a.json"
    path.write_text(text, encoding="utf-8", newline="\n")
    old, sources._CHUNK = sources._CHUNK, 7
    try:
        found = list(sources.rows_of_file(path))
    finally:
        sources._CHUNK = old
    assert [r.value for r in found] == rows
    if indent is not None:
        decoder, position, lines = json.JSONDecoder(), text.index("[") + 1, []
        for _ in rows:
            while text[position] in " \n,":
                position += 1
            lines.append(f"line {text.count(chr(10), 0, position) + 1}")
            position = decoder.raw_decode(text, position)[1]
        assert [r.place for r in found] == lines
