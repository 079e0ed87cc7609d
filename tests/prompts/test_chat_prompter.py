"""Prompts: text, slots, dicts, history and messages become turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.messages import Message
from workbench.errors import ArgumentError
from workbench.prompts import ChatPrompt


def turns(prompt: Any, value: Any, history: Any = None, own: Any = None) -> list[tuple[str, Any]]:
    return [(m.role, m.content) for m in ChatPrompt.of(prompt, own).messages(value, history)]


def test_a_text_is_the_users_turn_behind_the_instruction() -> None:
    assert turns("Be brief.", "hi") == [("system", "Be brief."), ("user", "hi")]
    assert turns(None, "hi") == [("user", "hi")]


def test_a_text_fills_the_only_slot() -> None:
    assert turns({"system": "Translate.", "user": "Text: {text}"}, "hi") == [("system", "Translate."), ("user", "Text: hi")]


def test_an_instruction_that_holds_the_whole_input_becomes_the_users_turn() -> None:
    assert turns("Translate {text}", "hi") == [("user", "Translate hi")]


def test_a_dict_fills_the_slots_and_what_is_left_over_is_the_users_turn() -> None:
    assert turns("Speak {language}.", {"language": "Dutch", "query": "hi"}) == [("system", "Speak Dutch."), ("user", "hi")]
    assert turns({"user": "{a} and {b}"}, {"a": 1, "b": 2}) == [("user", "1 and 2")]


@pytest.mark.parametrize(("value", "part"), [({"language": "x", "a": 1, "b": 2}, "Left over"), ({"b": 2}, "Missing: language")])
def test_a_dict_that_does_not_fit_is_refused(value: dict[str, Any], part: str) -> None:
    with pytest.raises(ArgumentError, match=part):
        turns("Speak {language}.", value)


def test_one_text_for_several_slots_is_refused_with_their_names() -> None:
    with pytest.raises(ArgumentError, match="a, b"):
        turns("{a} {b}", "x")


@pytest.mark.parametrize(
    "text", ['{"a": 1, "b": [{}]}', "{ return x }", "{a b}", "{1}", "{a.b}", "{a!r:>3}", r"\boxed{answer}", "{", "}{", "{{", "{}"]
)
def test_braces_that_are_no_slot_stay(text: str) -> None:
    assert turns(f"Answer like {text}.", "hi") == [("system", f"Answer like {text}."), ("user", "hi")]


def test_double_braces_write_a_name_in_braces() -> None:
    assert turns("Write {{x}} as {y}.", {"y": "z", "q": "hi"}) == [("system", "Write {x} as z."), ("user", "hi")]


def test_a_slot_may_stand_in_json_and_have_any_script() -> None:
    assert turns('{"user": {名字}}', {"名字": "Li", "q": "hi"}) == [("system", '{"user": Li}'), ("user", "hi")]


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert turns({"user": "{a} {b}"}, {"a": "{b}", "b": "x"}) == [("user", "{b} x")]


def test_history_as_pairs_or_messages_stands_between_instruction_and_input() -> None:
    pairs = turns("S", "now", [["a", "b"], ["c", "d"]])
    assert pairs == [("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "now")]
    assert turns("S", "now", [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]) == [*pairs[:3], pairs[-1]]


def test_the_prompts_own_history_comes_before_the_calls() -> None:
    assert [t[1] for t in turns(None, "3", [["2", "b"]], own=[["1", "a"]])] == ["1", "a", "2", "b", "3"]


def test_messages_are_taken_as_they_are_and_their_instruction_wins() -> None:
    own = [{"role": "system", "content": "mine"}, {"role": "user", "content": "hi"}]
    assert turns("S", own) == [("system", "mine"), ("user", "hi")]
    assert turns("S", own[1:]) == [("system", "S"), ("user", "hi")]
    assert turns("S", Message("user", "hi")) == [("system", "S"), ("user", "hi")]


@pytest.mark.parametrize("history", [["text"], [3], [["a", "b", "c"]]])
def test_a_history_of_another_form_is_refused(history: Any) -> None:
    with pytest.raises(ArgumentError, match="pairs"):
        turns(None, "x", history)


def test_a_prompt_dict_with_another_key_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ArgumentError, match="'system'"):
        ChatPrompt.of({"sytem": "x"})


@given(st.text(), st.text())
def test_without_slots_any_text_comes_through_unchanged(system: str, user: str) -> None:
    prompt = ChatPrompt(system)
    if not prompt.slots and "{{" not in system and user:
        assert prompt.messages(user)[-1] == Message("user", user)
