"""What an answer may be, as each server is told: one way to write it, or a refusal where it would be ignored."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.dialects.constraints import arranged
from workbench.errors import ArgumentError

SCHEMA = {"type": "object"}
FORM = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("way", "given", "sent"),
    [
        ("structured_outputs", {"guided_choice": ["a", "b"]}, {"structured_outputs": {"choice": ["a", "b"]}}),
        ("structured_outputs", {"structured_outputs": {"regex": "a+"}}, {"structured_outputs": {"regex": "a+"}}),
        ("llama_cpp", {"guided_choice": ['say "a"', "b"]}, {"grammar": r'root ::= "say \"a\"" | "b"'}),
        ("llama_cpp", {"structured_outputs": {"json": SCHEMA}}, {"json_schema": SCHEMA}),
        ("sglang", {"structured_outputs": {"regex": "a+"}}, {"regex": "a+"}),
        (
            "sglang",
            {"guided_json": '{"type": "object"}'},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}},
        ),
        ("lmdeploy", {"guided_regex": "a+"}, {"response_format": {"type": "regex_schema", "regex_schema": "a+"}}),
        ("lmdeploy", {"guided_choice": ["a.", "b"]}, {"response_format": {"type": "regex_schema", "regex_schema": r"(a\.|b)"}}),
        ("lightllm", {"guided_json": SCHEMA}, {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}}),
        ("", {"guided_choice": ["a"]}, {"guided_choice": ["a"]}),
        ("none", {"temperature": 0, "response_format": {"type": "text"}}, {"temperature": 0, "response_format": {"type": "text"}}),
        ("llama_cpp", {"response_format": FORM}, {"response_format": FORM}),
    ],
)
def test_each_server_is_told_in_its_own_form(way: str, given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert arranged(dict(given), way) == sent


@pytest.mark.parametrize("given", [{"guided_choice": ["a"]}, {"structured_outputs": {"grammar": "root ::= x"}}])
def test_what_a_server_would_ignore_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="cannot bind its answers"):
        arranged(given, "none")
    with pytest.raises(ArgumentError, match="cannot bind its answers"):
        arranged(given, "lightllm")


def test_one_at_a_time_and_in_a_form_that_means_something() -> None:
    for given in ({"guided_choice": ["a"], "guided_regex": "b"}, {"structured_outputs": {"choice": ["a"], "regex": "b"}}):
        with pytest.raises(ArgumentError, match="2 were given"):
            arranged(dict(given), "llama_cpp")
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"structured_outputs": ["a"]}, "cannot be a list"),
        ({"guided_choice": "yes"}, "is a list of texts"),
        ({"guided_choice": []}, "is a list"),
        ({"structured_outputs": {"chioce": ["a"]}}, "'choice' is the nearest"),
        ({"structured_outputs": {}}, "0 were given"),
    )
    for told, said in wrong:
        with pytest.raises(ArgumentError, match=said):
            arranged(dict(told), "llama_cpp")
