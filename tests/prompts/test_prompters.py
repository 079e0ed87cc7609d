"""Prompters of every kind, and what they have in common: tools, history, hooks, and the forms in which they are looked at."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.messages import Message
from workbench.errors import ArgumentError, DataError
from workbench.prompts import Asked, as_history, prompter_of

TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}


def said(messages: Sequence[Message]) -> list[tuple[str, Any]]:
    return [(m.role, m.content) for m in messages]


# ---- mistakes are named


@pytest.mark.parametrize(
    ("prompt", "value", "parts"),
    [
        ("{language} {tone}", {"langauge": "x", "tone": "y"}, ["Missing: language", "Left over: langauge", "'langauge' is nearly 'language'"]),
        ("{a}", {"a": 1, "b": 2, "c": 3}, ["Left over: b, c", "only one entry"]),
        ("{a} {b}", "x", ["several slots", "a, b", "{{"]),
        ("{a}", {}, ["Missing: a"]),
        ("x", {"a": 1, "b": 2}, ["slots: none"]),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_names(prompt: str, value: Any, parts: list[str]) -> None:
    with pytest.raises(ArgumentError) as e:
        wb.ChatPrompter(prompt).messages(value)
    assert [part for part in parts if part not in str(e.value)] == []


@pytest.mark.parametrize(
    ("prompt", "part"),
    [({"sytem": "x"}, "'system'"), ({"system": 3}, "int"), (3, "int"), ([["a", "b"]], "list")],
    ids=["key", "value", "kind", "list"],
)
def test_a_prompt_of_another_form_is_refused(prompt: Any, part: str) -> None:
    with pytest.raises(ArgumentError, match=part):
        prompter_of(prompt)


def test_an_empty_list_of_messages_is_refused() -> None:
    with pytest.raises(ArgumentError, match="empty"):
        wb.ChatPrompter("x").messages([])


# ---- chat


def test_extra_keys_and_skills_stand_at_the_end_of_the_instruction() -> None:
    p = wb.ChatPrompter("Do {task}.", extra_keys=["knowledge"], skills=["You can count."])
    assert p.slots == ("task", "knowledge")
    (system, user) = p.messages({"task": "it", "knowledge": "{facts}", "input": "now"})
    assert system.content == "Do it.\n\nYou can count.\n\nFurther information:\n\n### knowledge:\n{facts}"
    assert user == Message("user", "now")
    assert wb.ChatPrompter("x", extro_keys="input").slots == ("input",)
    with pytest.raises(ArgumentError, match="name"):
        wb.ChatPrompter("x", extra_keys=["no name"])


def test_a_models_own_system_text_is_kept_away_by_an_empty_one() -> None:
    assert said(wb.ChatPrompter({"user": "u", "drop_builtin_system": True}).messages("x")) == [("system", ""), ("user", "u\nx")]
    assert said(wb.ChatPrompter({"user": "u"}).messages("x")) == [("user", "u\nx")]


def test_content_parts_are_the_users_turn() -> None:
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    assert said(wb.ChatPrompter("S").messages(parts)) == [("system", "S"), ("user", tuple(parts))]


def test_histories_of_every_form() -> None:
    turns = [("user", "Hello"), ("assistant", "Hi!")]
    assert said(as_history([["Hello", "Hi!"]])) == turns
    assert said(as_history([["User", "Hello"], ["Assistant", "Hi!"]])) == turns
    assert said(as_history([{"role": "user", "content": "Hello"}, Message("assistant", "Hi!")])) == turns
    assert said(as_history([("Hello",), ["and", "so"]])) == [turns[0], ("user", "and"), ("assistant", "so")]
    calls = [{"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}]
    (turn,) = as_history(calls)
    assert turn.tool_calls[0].name == "f"


# ---- tools and hooks


def test_tools_of_the_prompter_and_of_a_call() -> None:
    p = wb.ChatPrompter("S", tools=[TOOL])
    assert p.ask("x").tools == (TOOL,)
    other = {"name": "g"}
    assert p.ask("x", tools=[other]).tools == ({"type": "function", "function": other},)
    assert wb.ChatPrompter("S").ask("x").tools == ()


def test_tools_may_be_chosen_by_what_is_asked() -> None:
    def choose(query: str, history: Any) -> list[dict[str, Any]]:
        return [TOOL] if "weather" in query and not history else []

    p = wb.ChatPrompter(tools=choose)
    assert p.ask("the weather?").tools == (TOOL,)
    assert p.ask("the weather?", [["a", "b"]]).tools == ()
    assert wb.ChatPrompter(tools=lambda: [TOOL]).ask("x").tools == (TOOL,)


@pytest.mark.parametrize("tools", ["f", 3, [print], [3]])
def test_tools_of_another_form_are_refused(tools: Any) -> None:
    with pytest.raises(ArgumentError, match="tool"):
        wb.ChatPrompter(tools=tools)


def test_a_pre_hook_changes_what_comes_in() -> None:
    p = wb.ChatPrompter("S {x}")
    p.pre_hook(lambda input, history, tools, label: (input.upper(), [["a", "b"]], [TOOL], label))
    asked = p.ask("hi")
    assert said(asked.messages) == [("user", "a"), ("assistant", "b"), ("user", "S HI")]
    assert asked.tools == (TOOL,)
    with pytest.raises(ArgumentError, match="four"):
        wb.ChatPrompter().pre_hook(lambda *a: None).messages("x")  # type: ignore[arg-type, return-value]


# ---- other kinds


def test_alpaca_is_one_instruction() -> None:
    (turn,) = wb.AlpacaPrompter("hello {instruction}").messages("world")
    assert turn.role == "user"
    assert turn.content.endswith("### Instruction:\nhello world")
    (paired,) = wb.AlpacaPrompter("Add these.").messages("1 and 2")
    assert paired.content.endswith("### Instruction:\nAdd these.\n\n### Input:\n1 and 2")
    assert said(wb.AlpacaPrompter({"system": "S", "user": "u {input}"}).messages({"input": "x"}))[1] == ("user", "u x")
    with pytest.raises(ArgumentError, match="ChatPrompter"):
        wb.AlpacaPrompter("x").messages("y", [["a", "b"]])


def test_alpaca_as_text_ends_where_the_answer_begins() -> None:
    p = wb.AlpacaPrompter("hello {instruction}")
    text = p.generate_prompt("world")
    assert text.startswith("Below is an instruction")
    assert text.endswith("### Instruction:\nhello world\n\n### Response:\n")
    assert p.get_response(text + "Hi!", text) == p.get_response(text + "Hi!").strip() == "Hi!"
    assert p.generate_prompt("world", label="Hi!") == text + "Hi!"


def test_empty_leaves_the_input_as_it_is() -> None:
    p = wb.EmptyPrompter()
    assert p.generate_prompt("Hello {x}") == "Hello {x}"
    assert p.generate_prompt({"query": "x"}, history=[["Hi", "Hello"]], tools=[{"name": "search"}], label="debug") == {"query": "x"}
    assert p.generate_prompt("x", return_dict=True) == {"messages": [{"role": "user", "content": "x"}]}
    assert said(p.messages("x", [["a", "b"]])) == [("user", "a"), ("assistant", "b"), ("user", "x")]


def test_a_template_is_one_turn() -> None:
    p = wb.Prompter(prompt="Answer the following: {question}")
    assert p.generate_prompt("What is AI?") == p.generate_prompt({"question": "What is AI?"}) == "Answer the following: What is AI?"
    assert said(p.messages("x", [["a", "b"]])) == [("user", "a"), ("assistant", "b"), ("user", "Answer the following: x")]
    for value, part in (("x", "no slot"), ({"question": 1}, "Left over"), ({}, "")):
        if part:
            with pytest.raises(ArgumentError, match=part):
                wb.Prompter("no slots").messages(value)


def test_a_template_may_hold_earlier_turns() -> None:
    p = wb.Prompter(
        prompt="Instruction: {instruction}",
        chat_prompt="Instruction: {instruction}\nHistory:\n{llm_chat_history}",
        history_symbol="llm_chat_history",
        eoa="</s>",
        eoh="|",
    )
    text = p.generate_prompt(input={"instruction": "Translate this."}, history=[["hello", "你好"], ["how are you", "你好吗"]])
    assert text == "Instruction: Translate this.\nHistory:\nhello|你好</s>how are you|你好吗"
    assert p.generate_prompt({"instruction": "x"}) == "Instruction: x"
    with pytest.raises(ArgumentError, match="llm_chat_history"):
        wb.Prompter("x", chat_prompt="y")


def test_templates_from_dicts_files_and_names(tmp_path: Path) -> None:
    given = {"prompt": "Task: {task}", "response_split": "---"}
    (tmp_path / "p.json").write_text(json.dumps(given))
    (tmp_path / "p.yaml").write_text("prompt: 'Task: {task}'\nresponse_split: '---'\n")
    for p in (wb.Prompter.from_dict(given), wb.Prompter.from_file(tmp_path / "p.json"), wb.Prompter.from_file(str(tmp_path / "p.yaml"))):
        assert p.generate_prompt("Summarize this article.") == "Task: Summarize this article."
        assert p.get_response("Task: Summarize this article.---This is the summary.") == "This is the summary."
    alpaca = wb.Prompter.from_template("alpaca")
    assert "### Input:\n3" in alpaca.generate_prompt({"instruction": "Add.", "input": 3})
    assert wb.Prompter.from_template("puyu").slots == ("instruction", "input")
    assert wb.Prompter.empty().generate_prompt("x") == "x"


def test_templates_that_cannot_be_made_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [")
    (tmp_path / "list.json").write_text("[1]")
    for name in ("bad.yaml", "list.json", "none.json"):
        with pytest.raises(DataError, match=name):
            wb.Prompter.from_file(tmp_path / name)
    with pytest.raises(ArgumentError, match="'prompt'"):
        wb.Prompter.from_dict({"promt": "x"})
    with pytest.raises(ArgumentError, match="alpaca"):
        wb.Prompter.from_template("llama")


# ---- looking at it


def test_a_prompt_as_text_is_for_reading(capsys: pytest.CaptureFixture[str]) -> None:
    p = wb.ChatPrompter("Be brief.", tools=[TOOL])
    text = p.generate_prompt("Why?", [["a", "b"]], show=True)
    assert capsys.readouterr().out.strip() == text.strip()
    parts = [
        "### System:\nBe brief.",
        f"### Tools:\n{json.dumps([TOOL])}",
        "### User:\na",
        "### Assistant:\nb",
        "### User:\nWhy?",
        "### Assistant:\n",
    ]
    assert text == "\n\n".join(parts)
    assert p.get_response(text + "So.").strip() == p.get_response(text + "So.", text) == "So."
    wb.ChatPrompter("S", show=True).messages("x")
    assert "### User:\nx" in capsys.readouterr().out


def test_a_prompt_as_the_body_of_a_request() -> None:
    p = wb.ChatPrompter("Be brief.", tools=[TOOL])
    openai = p.generate_prompt("Why?", return_dict=True)
    assert openai == {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}], "tools": [TOOL]}
    assert p.generate_prompt("Why?", format="openai", label="So.")["messages"][-1] == {"role": "assistant", "content": "So."}
    anthropic = p.generate_prompt("Why?", format="anthropic")
    assert (anthropic["system"], anthropic["messages"]) == ("Be brief.", [{"role": "user", "content": "Why?"}])
    assert anthropic["tools"][0]["input_schema"] == TOOL["function"]["parameters"]  # type: ignore[index]


def test_no_system_text_is_added() -> None:
    for p in (wb.ChatPrompter(), wb.EmptyPrompter(), wb.Prompter("{x}"), wb.ChatPrompter({"user": "u"})):
        assert [m.role for m in p.messages("x")] == ["user"]


# ---- a prompter of one's own


class Polite(wb.PrompterBase):
    def turns(self, value: Any, history: tuple[Message, ...]) -> Sequence[Any]:
        return [*history, {"role": "user", "content": f"Please: {value}"}]


class Old(wb.PrompterBase):
    def generate_prompt(self, input: Any = "", history: Any = None, *a: Any, return_dict: bool = False, **k: Any) -> Any:
        return {"messages": [*history, {"role": "user", "content": input[::-1]}]} if return_dict else input[::-1]


class Stranger:
    def generate_prompt(self, input: Any, history: Any, return_dict: bool) -> str:
        return f"{len(history)} {input}"


def test_prompters_of_ones_own_are_taken() -> None:
    assert said(prompter_of(Polite, [["a", "b"]]).messages("sing")) == [("user", "a"), ("assistant", "b"), ("user", "Please: sing")]
    assert said(prompter_of(Old()).messages("abc", [["a", "b"]]))[-1] == ("user", "cba")
    assert said(prompter_of(Stranger()).messages("x", [["a", "b"]])) == [("user", "2 x")]
    with pytest.raises(ArgumentError, match="object"):
        prompter_of(object())


def test_a_module_sends_the_turns_and_tools_of_its_prompter() -> None:
    m = wb.TrainableModule("pocket").prompt(Polite(tools=[TOOL]))
    assert m._prompt.ask("sing") == Asked((Message("user", "Please: sing"),), (TOOL,))
    other = m.share(history=[["a", "b"]])
    assert said(other._prompt.messages("x")) == [("user", "a"), ("assistant", "b"), ("user", "Please: x")]
    assert len(m._prompt.messages("x")) == 1


def test_prompters_travel_and_show_themselves() -> None:
    p = wb.ChatPrompter({"system": "S", "user": "{x}"}, history=[["a", "b"]])
    assert pickle.loads(pickle.dumps(p)).messages("y") == p.messages("y")
    assert repr(wb.ChatPrompter("Be brief.")) == "ChatPrompter('Be brief.')"
    assert (repr(wb.EmptyPrompter()), repr(wb.Prompter("{x}"))) == ("EmptyPrompter()", "Prompter('{x}')")


def test_prompters_are_found_by_name_in_any_case() -> None:
    assert wb.prompter.ChatPrompter is wb.prompter.Chat is wb.prompter.chat is wb.ChatPrompter
    assert {"chat", "alpaca", "empty"} <= set(dir(wb.prompter))
    with pytest.raises(AttributeError, match="'alpaca' is the nearest"):
        wb.prompter.Alpacca  # noqa: B018
