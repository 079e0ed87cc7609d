"""Formatters of every kind: alone, in chains, behind functions, flows and modules."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.core.answers import Answer
from workbench.core.messages import Completion, ToolCall
from workbench.errors import ArgumentError, FormatError
from workbench.flows import package, pipeline
from workbench.formatters import Chain, chain, formatter_of

FENCED = "Here you are:\n```yaml\n- {name: Alice, age: 30}\n- {name: Bob, age: 4}\n```\nAnything else?"


# ---- YAML and Python


def test_yaml_is_read_from_the_text_or_its_fences() -> None:
    assert wb.YamlFormatter("{name,age}")("name: Alice\nage: 30\ncity: London\n") == {"name": "Alice", "age": 30}
    assert wb.YamlFormatter("[:][name]")(FENCED) == ["Alice", "Bob"]
    assert wb.YamlFormatter()("```yml\na: 1\n```\n```yml\nb: 2\n```") == [{"a": 1}, {"b": 2}]
    assert wb.YamlFormatter()("a: 1\n---\nb: 2") == [{"a": 1}, {"b": 2}]
    assert wb.YamlFormatter()("<think>x: 1</think>y: 2") == {"y": 2}


def test_yaml_makes_no_objects() -> None:
    with pytest.raises(FormatError, match="line 1"):
        wb.YamlFormatter()("!!python/object/apply:os.system ['true']")


def test_yaml_that_is_wrong_is_told_with_its_place_in_the_answer() -> None:
    with pytest.raises(FormatError) as e:
        wb.YamlFormatter()("<think>\n</think>\nHere:\n```yaml\na: 1\nb: [1, 2\n```\n")
    assert e.value.line == 7  # where the fence ends, and the list has not
    with pytest.raises(FormatError, match="empty"):
        wb.YamlFormatter()("")


def test_yaml_that_grows_without_end_is_refused() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (laughs, "&a [*a]"):
        with pytest.raises(FormatError, match="anchors"):
            wb.YamlFormatter()(text)
    assert wb.YamlFormatter("[b]")("a: &x [1]\nb: [*x, *x]") == [[1], [1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': (1, 2), 'b': None, 'c': {1}}", {"a": (1, 2), "b": None, "c": {1}}),
        ("x = [1,\n     2]", [1, 2]),
        ("x: list[int] = [1]", [1]),
        ("```python\n  [1, 2]\n```", [1, 2]),
        ("```py\n1\n```\nor\n```py\n2\n```", [1, 2]),
        ("'a == b'", "a == b"),
        ("-1.5", -1.5),
    ],
)
def test_python_literals_are_read(text: str, value: Any) -> None:
    assert wb.PythonFormatter()(text) == value


@pytest.mark.parametrize("text", ["__import__('os').system('true')", "x", "f(1)", "[1, 2", "", "(" * 5000 + ")" * 5000, "a = b = 1"])
def test_python_that_is_no_literal_is_never_run(text: str) -> None:
    with pytest.raises(FormatError, match="no Python literal"):
        wb.PythonFormatter()(text)


def test_python_data_are_picked_from() -> None:
    assert wb.PythonFormatter("[size][0]")("{'size': (2, 3)}") == 2


# ---- text, files, messages


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), ({"a": [1, None, "é"]}, '{"a": [1, null, "é"]}'), (None, ""), (b"\xc3\xa9", "é"), (1.5, "1.5"), ((1, 2), "[1, 2]")],
)
def test_any_value_as_text(value: Any, text: str) -> None:
    assert wb.StrFormatter()(value) == text


def test_queries_with_files() -> None:
    encoded = '<lazyllm-query>{"query": "aha", "files": ["path/to/file"]}'
    decoded = {"query": "aha", "files": ["path/to/file"]}
    decode, encode, merge = wb.FileFormatter(), wb.FileFormatter("encode"), wb.FileFormatter("merge")
    assert (decode("hi"), decode(["a"]), decode(encoded)) == ("hi", ["a"], decoded)
    assert (encode("hi"), encode(encoded), encode(["a"]), encode(decoded)) == ("hi", encoded, ["a"], encoded)
    assert merge("hi") == "hi"
    assert merge("hi", "hi", "hi") == "hihihi"
    assert merge("hi", encoded, encoded) == '<lazyllm-query>{"query": "hiahaaha", "files": ["path/to/file", "path/to/file"]}'
    with pytest.raises(ArgumentError, match="decode, encode, merge"):
        wb.FileFormatter("zip")


def test_encoding_and_decoding_are_each_others_inverse() -> None:
    assert wb.encode_query_with_filepaths("q") == "q"
    assert wb.encode_query_with_filepaths("q", []) == "q"
    for query, files in (("你好", ["a.png"]), ("", ["a", "b c.jpg"]), ('{"x": 1}', ["x"])):
        assert wb.decode_query_with_filepaths(wb.encode_query_with_filepaths(query, files)) == {"query": query, "files": files}
    assert wb.decode_query_with_filepaths(wb.encode_query_with_filepaths(None, "a")) == {"query": "", "files": ["a"]}


@pytest.mark.parametrize("text", ["<lazyllm-query>xx", "<lazyllm-query>[1]", '<lazyllm-query>{"files": []}', '<lazyllm-query>{"query": 1}'])
def test_an_encoded_query_that_is_broken_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="encode_query_with_filepaths"):
        wb.decode_query_with_filepaths(text)


def test_paths_that_are_no_paths_are_refused() -> None:
    with pytest.raises(ArgumentError, match="int"):
        wb.encode_query_with_filepaths("q", [1])  # type: ignore[list-item]
    with pytest.raises(ArgumentError, match="int"):
        wb.encode_query_with_filepaths(1, ["a"])  # type: ignore[arg-type]


def test_an_answer_becomes_a_message_with_its_tool_calls() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    answer = Answer(Completion("Let me see.", reasoning="hm", tool_calls=(ToolCall("1", "f", '{"x": 1}'),)))
    message = {"role": "assistant", "content": "Let me see.", "tool_calls": [call], "reasoning_content": "hm"}
    make = wb.FunctionCallFormatter()
    assert make(answer) == message
    assert make("hi") == {"role": "assistant", "content": "hi"}
    assert make({**message, "tool_calls": [{**call, "index": 0}], "other": 1}) == message
    with pytest.raises(FormatError, match="int"):
        make(3)


def test_a_message_is_reduced_to_its_text_and_lost_tool_calls_are_told() -> None:
    assert wb.EmptyFormatter()({"role": "assistant", "content": "hi"}) == "hi"
    assert wb.JsonFormatter("[a]")({"role": "assistant", "content": '{"a": 1}', "reasoning_content": '{"a": 0}'}) == 1
    assert wb.EmptyFormatter()({"role": "assistant", "content": [{"type": "text", "text": "hi"}]}) == "hi"
    with pytest.warns(UserWarning, match="FunctionCallFormatter"):
        assert wb.EmptyFormatter()({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}) == ""


def test_data_that_only_look_like_a_message_stay_data_inside_a_chain() -> None:
    text = '[{"role": "assistant", "content": "hi"}]'
    assert (wb.JsonFormatter("[0]") | wb.JsonFormatter("[role]"))(text) == "assistant"


# ---- chains


def test_formatters_and_functions_stand_one_after_the_other() -> None:
    both = wb.JsonFormatter("[:][a]") | wb.StrFormatter() | str.upper | wb.JsonFormatter("[0]")
    assert both('x [{"a": "b"}]') == "B"
    assert repr(both) == "JsonFormatter('[:][a]') | StrFormatter() | upper | JsonFormatter('[0]')"
    assert isinstance(both, wb.FormatterBase)
    assert len((both | both).formatters) == 8


def test_a_class_stands_for_its_formatter() -> None:
    assert chain(wb.JsonFormatter("[a]"), wb.StrFormatter)('{"a": 1}') == "1"
    assert formatter_of(wb.JsonFormatter)("[1]") == [1]
    assert Chain(wb.JsonFormatter)("[1]") == [1]
    with pytest.raises(ArgumentError, match="int"):
        Chain(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        wb.JsonFormatter() | 3


def test_a_function_before_a_formatter_makes_a_pipeline() -> None:
    pick = wb.JsonFormatter("[0,2]{:}[1:3]")
    f = (lambda *all: list(all)) | pick
    assert isinstance(f, pipeline)
    rows = [{"a": [n, n + 1, n + 2, n + 3]} for n in (1, 3, 5)]
    assert f(*rows) == [{"a": [2, 3]}, {"a": [6, 7]}]


def test_a_pipeline_takes_a_formatter_in() -> None:
    p = pipeline(lambda x: f'[{{"a": {x}}}]')
    assert (p | wb.JsonFormatter("[0]")) is p
    assert p(1) == {"a": 1}
    assert (p | (wb.JsonFormatter("[a]") | str)) is p
    assert p(1) == "1"
    with pipeline() as q:
        q.make = lambda x: f'{{"a": {x}}}'
        q | wb.JsonFormatter("[a]")
        q.more = lambda n: n + 1
    assert q(1) == 2


def test_several_outputs_are_a_package() -> None:
    assert wb.JsonFormatter("[1]")("[0]", "[1]") == "[1]"
    assert type(wb.EmptyFormatter()(1, 2)) is package


def test_a_formatter_of_ones_own_needs_no_constructor() -> None:
    class Numbers(wb.FormatterBase):
        def __init__(self, formatter: str) -> None:
            self.cut = slice(*(int(n) if n else None for n in formatter.strip("[]").split(":")))

        def _load(self, data: str) -> list[int]:
            return [int(x) for x in data.strip("[]").split(",")]

        def _parse_py_data_by_formatter(self, data: list[int]) -> list[int]:
            return data[self.cut]

    numbers = Numbers("[1:3]")
    assert numbers.format("[1,2,3,4,5]") == numbers("[1,2,3,4,5]") == numbers([1, 2, 3]) == [2, 3]
    assert (numbers | sum)("1,2,3") == 5


# ---- names


def test_formatters_are_found_by_name_in_any_case() -> None:
    group = wb.formatter
    assert group.JsonFormatter is group.Json is group.json is group.jsonFormatter is wb.JsonFormatter
    assert group.JsonLike("[0]")([1]) == 1
    assert {"json", "yaml", "python", "file"} <= set(dir(group))
    with pytest.raises(AttributeError, match="'json' is the nearest"):
        group.JsomFormatter  # noqa: B018


def test_a_plugins_formatter_is_in_the_group() -> None:
    wb.registry.register("formatter", "shout", str.upper)
    assert wb.formatter.shout("x") == "X"
