"""JSON in a model's answer: found wherever it stands, mended where it is clear what was meant, and refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.answers import Answer
from workbench.core.messages import Completion
from workbench.errors import FormatError
from workbench.formatters import JsonFormatter, json_find, json_mend, json_scan
from workbench.formatters.json_find import find

read = JsonFormatter()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("42", 42),
        ('"text"', "text"),
        (" null\n", None),
        ("\ufeff[1]", [1]),
        ('Sure! {"a": 1} Anything else?', {"a": 1}),
        ('[1] and [2], {"a": {"b": [3]}}', [[1], [2], {"a": {"b": [3]}}]),
        ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('First {"a": 1}, then\n```\n[2]\n```', [{"a": 1}, [2]]),
        ('{"a": "} ]", "b": "\\" {"}', {"a": "} ]", "b": '" {'}),
        ('{"md": "```json\\n{}\\n```"}', {"md": "```json\n{}\n```"}),
        ('<think>Perhaps {"a": 0}?</think>{"a": 1}', {"a": 1}),
        ('perhaps {"a": 0} or {"a</think>\n{"a": 1}', {"a": 1}),
        ('{"tag": "</think>"}', {"tag": "</think>"}),
        ('A [link](x), a set {x}, f(x)[y], \\[ x^2 \\], \\{"a"\\} and {"a": 1}', {"a": 1}),
        ('- [ ] one\n- [x] two\n{"a": 1}', {"a": 1}),
        ('[see {"a": 1} there]', {"a": 1}),
        ('x in [0, 1) and {"a": 1}', {"a": 1}),
        ('{{"a": 1}}', {"a": 1}),
        ("[]", []),
        ('{"a": "多\\u4e2d 😀"}', {"a": "多中 😀"}),
    ],
)
def test_values_are_found(text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': None, 'b': True, \"c\": [False,]}", {"a": None, "b": True, "c": [False]}),
        ('{name: "Charlie", age: 3}', {"name": "Charlie", "age": 3}),
        ('{"name": "Bob"}后面还有{name: "Charlie"}', [{"name": "Bob"}, {"name": "Charlie"}]),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('{"a": 1, // one\n /* two */ "b": 2, # three\n}', {"a": 1, "b": 2}),
        ('{"a": 1 "b": "x" "c": 2}', {"a": 1, "b": "x", "c": 2}),
        ('[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('["a"\n"b"]', ["a", "b"]),
        ('{"a": 1; "b": "y"; }', {"a": 1, "b": "y"}),
        ('{"a": "He said "hi", then left", "b": 1}', {"a": 'He said "hi", then left', "b": 1}),
        ("{'a': 'it's fine', 'b': 'O\\'Hara'}", {"a": "it's fine", "b": "O'Hara"}),
        ('{"re": "\\d+\\.\\w"}', {"re": "\\d+\\.\\w"}),
        ('{"a": "\\ud83d\\ude00 \\q"}', {"a": "😀 \\q"}),
        ('{“a”: “b”, "c": [“d”]}', {"a": "b", "c": ["d"]}),
        ('{"a": """two\n"lines" """}', {"a": 'two\n"lines" '}),
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('{"a": 1', {"a": 1}),
        ('```json\n{"a": [1,\n```\nThat is all.', {"a": [1]}),
        ('{"a": +1, "b": .5, "c": 1_000, "d": 007, "e": -Infinity}', {"a": 1, "b": 0.5, "c": 1000, "d": "007", "e": float("-inf")}),
        ("{date: 2024-01-01, url: http://x.y/z, tags: [red, green]}", {"date": "2024-01-01", "url": "http://x.y/z", "tags": ["red", "green"]}),
        ("{1: 'one'}", {"1": "one"}),
    ],
)
def test_what_was_meant_is_made_of_what_models_write(text: str, value: Any) -> None:
    assert read(text) == value


def test_without_repair_what_breaks_the_grammar_is_refused() -> None:
    strict = JsonFormatter(repair=False)
    assert strict('x {"a": "line\nbreak"}') == {"a": "line\nbreak"}
    for text in ("{'a': 1}", '{"a": 1,}', '{"a": 1'):
        with pytest.raises(FormatError):
            strict(text)


@pytest.mark.parametrize(
    ("text", "part", "place"),
    [
        ("I cannot do that.", "It reads: I cannot do that.", None),
        ("", "empty", None),
        ("[see below] and {x}", "no JSON", None),
        ('{"a": }', "A value is expected", (1, 7)),
        ('{"a": "x', "never closed", (1, 7)),
        ('{"a": 1,', "ends before", (1, 9)),
        ('{"a"', "ends before", (1, 5)),
        ('{"a" 1}', "colon", (1, 5)),
        ('Here:\n{\n  "a": 1, "b": [1, 2, ...]}', "left out", (3, 23)),
        ('{"a": "x" and "b": "y"}', "quotes", (1, 7)),
        ('{"a": {"b": 1}, oops', "ends before", (1, 17)),
        ('{"a": 1,, "b": 2}', "Two commas", (1, 9)),
        ("<think>hm, {", "thoughts", (1, 1)),
        ("[" * 5000 + "]" * 5000, "too deeply", (1, 1)),
        ('{"a": ' + "1" * 5000 + "}", "too long", (1, 1)),
        ('{"a": 1} and {"b": "x', "never closed", (1, 20)),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, part: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(FormatError, match=part) as e:
        read(text)
    assert (e.value.line, e.value.column) == (place or (None, None))
    assert e.value.text == text
    assert e.value.fix


def test_an_answer_known_to_be_cut_off_gets_no_brackets_added() -> None:
    text = '[{"a": 1}, {"a": 2'
    assert read(Answer(Completion(text, finish_reason="stop"))) == [{"a": 1}, {"a": 2}]
    with pytest.raises(FormatError, match="max_tokens"):
        read(Answer(Completion(text, finish_reason="length")))
    assert read(Answer(Completion('{"a": 1} and so', finish_reason="length"))) == {"a": 1}


def test_a_value_inside_a_broken_one_is_not_taken_for_the_answer() -> None:
    with pytest.raises(FormatError):
        read('{"a": {"x": 1}, "b" oops}')


def test_data_are_taken_as_they_are() -> None:
    assert JsonFormatter("[a]")({"a": [1]}) == [1]
    assert JsonFormatter("[0:2][age,name]")('[{"age":23,"name":"张三"},{"age":24,"name":"李四"}]') == [[23, "张三"], [24, "李四"]]


def test_it_shows_its_expression() -> None:
    assert repr(JsonFormatter("[:]{a,b}")) == "JsonFormatter('[:]{a, b}')"
    assert repr(JsonFormatter()) == "JsonFormatter()"


scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=12)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=12)
containers = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=6), values, max_size=4)
prose = st.text(max_size=20).filter(lambda t: not set(t) & set("[]{}<>`"))


@given(st.lists(st.tuples(prose, containers, st.booleans(), st.sampled_from([None, 2])), min_size=1, max_size=4), prose)
def test_every_value_that_stands_in_a_text_is_found(parts: list[tuple[str, Any, bool, int | None]], after: str) -> None:
    text = "".join(f"{before} {json.dumps(value, ensure_ascii=ascii, indent=indent)}\n" for before, value, ascii, indent in parts)
    assert list(find(text + after).values) == [value for _, value, _, _ in parts]


words = st.text(alphabet="abc äö中'\".,:;{}[]-_/ 0", max_size=15)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abcdef_", min_size=1, max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(alphabet="abcdef_", min_size=1, max_size=6), plain, min_size=1, max_size=3))
def test_a_printed_python_dict_is_read_as_it_is_or_refused(value: dict[str, Any]) -> None:
    found = find(repr(value))
    if found.values and not (found.problem and found.problem.sure):
        assert found.values == (value,)


@given(containers.filter(bool), st.data())
def test_a_value_that_is_known_to_be_cut_off_is_refused(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    assert value not in find(cut, cut=True).values


@given(st.text(alphabet="[]{}\":,'\\a1 \n-tfn/*#`“<>", max_size=60))
@settings(max_examples=400)
def test_no_text_breaks_it(text: str) -> None:
    found = find(text)
    assert isinstance(found.values, tuple)
    scanned = [json_scan.scan(text, i) for i, c in enumerate(text) if c in "[{"]
    for start, seen in zip((i for i, c in enumerate(text) if c in "[{"), scanned, strict=True):
        try:
            _, end = json.JSONDecoder(strict=False).raw_decode(text, start)
        except ValueError:
            assert seen.end is None
        else:
            assert seen.end == end
        for begin, end in seen.complete:
            json.JSONDecoder(strict=False).decode(text[begin:end])


N = 60_000
HOSTILE = {
    "open": "[" * N,
    "open dicts": '{"a":' * (N // 5),
    "broken lists": "[1x" * (N // 3),
    "broken names": '{"a"x' * (N // 5),
    "never closed": '{"a":"x ' * (N // 8),
    "comments": '{"a": 1 /* ' * (N // 10),
    "quotes": '["' + 'a" b "c' * (N // 7) + '"]',
    "triple quotes": '{"a":"""' * (N // 8),
    "escapes": '["a[\\"' * (N // 6) + "\\q",
    "nested and wrong": ("[" * 150 + "1" + "]" * 149 + " x") * (N // 300),
    "smart quotes": "{“a”: “" * (N // 7),
    "thoughts": "<think>" * (N // 7),
    "bracketed words": 'lorem [ipsum] {dolor} "sit" ' * (N // 28),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_with_the_text_and_not_with_its_square(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters passed over are counted where more than one look at the same text is possible."""
    work = 0

    def counted_scan(text: str, start: int) -> json_scan.Scan:
        nonlocal work
        seen = json_scan.scan(text, start)
        work += (seen.end or seen.wrong) - start
        return seen

    def counted_mend(text: str, start: int, may_close: bool = True) -> tuple[Any, int]:
        nonlocal work
        try:
            value, end = json_mend.mend(text, start, may_close)
        except json_mend.Unmendable as e:
            work += e.reached - start
            raise
        work += end - start
        return value, end

    monkeypatch.setattr(json_find, "scan", counted_scan)
    monkeypatch.setattr(json_find, "mend", counted_mend)
    text = HOSTILE[name]
    find(text)
    assert work <= 8 * len(text) + 8192


def test_a_megabyte_of_anything_ends() -> None:
    for text in HOSTILE.values():
        found = find(text).values
        assert find(text * 4).values[: len(found)] == found  # many minutes, were the time quadratic
