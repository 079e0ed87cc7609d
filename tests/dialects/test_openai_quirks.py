"""Where OpenAI-compatible servers differ: what options change in a request, and the odd answers that vendors document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk, completion_create_params
from pydantic import ConfigDict, TypeAdapter, with_config

from workbench import errors
from workbench.core.endpoints import Endpoint
from workbench.core.events import ErrorInStream, Finish, ReasoningDelta, Replay, TextDelta
from workbench.core.messages import ChatRequest, Message, ToolCall, Usage, as_messages
from workbench.dialects.openai_chat import OpenAIChat

from ..support.dialect_streams import calls, completion, cut, decode, sse
from ..support.openai_types import read_through

CREATE = TypeAdapter(with_config(ConfigDict(extra="forbid"))(completion_create_params.CompletionCreateParamsStreaming))
PNG = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "json_schema", "json_schema": {"name": "point", "schema": {"type": "object", "title": "Point"}}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}, "strict": True}}
ASK = as_messages("x")


def body(options: dict[str, Any], parameters: dict[str, Any], messages: tuple[Message, ...] = ASK, **more: Any) -> dict[str, Any]:
    return dict(OpenAIChat(options).encode(ChatRequest(messages, "m", parameters=parameters, **more)).json or {})  # type: ignore[call-overload]


def test_what_is_sent_is_what_openais_own_types_want() -> None:
    messages = (
        Message("system", "Be kind."),
        Message("user", ({"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}})),
        Message("user", ({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},), name="ada"),
        Message("assistant", "", tool_calls=(ToolCall("1", "add", "{}"),)),
        Message("tool", "7", tool_call_id="1"),
    )
    every = {
        "max_completion_tokens": 5,
        "temperature": 0.1,
        "top_p": 0.5,
        "n": 1,
        "stop": ["a"],
        "seed": 3,
        "user": "u",
        "logprobs": True,
        "top_logprobs": 2,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "logit_bias": {"5": 1},
        "response_format": SCHEMA,
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning_effort": "low",
        "verbosity": "low",
        "service_tier": "auto",
        "store": False,
        "metadata": {"a": "b"},
    }
    sent = json.loads(json.dumps(body({}, every, messages, tools=(TOOL,))))
    assert read_through(CREATE.validate_python(sent)) == sent
    assert set(every) <= set(sent)


@pytest.mark.parametrize(
    ("options", "parameters", "wanted"),
    [
        ({"max_tokens": "max_completion_tokens"}, {"max_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_tokens": "max_tokens"}, {"max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"rename": {"seed": "random_seed"}}, {"seed": 1}, {"random_seed": 1}),
        ({"drop": ["seed"]}, {"seed": 1, "top_p": 1}, {"top_p": 1}),
        ({"clamp": {"temperature": [0.01, 0.99]}}, {"temperature": 1.5}, {"temperature": 0.99}),
        ({"clamp": {"temperature": [0.01, 0.99]}}, {"temperature": 0}, {"temperature": 0.01}),
        ({"defaults": {"enable_thinking": False, "top_p": 0.5}}, {"top_p": 0.9}, {"enable_thinking": False, "top_p": 0.9}),
        ({"nest": {"num_ctx": "options", "effort": "a.b"}}, {"num_ctx": 8, "effort": "x"}, {"options": {"num_ctx": 8}, "a": {"b": {"effort": "x"}}}),
        (
            {},
            {"enable_thinking": True, "extra_body": {"top_k": 3}, "extra": {"thinking": {"type": "disabled"}}},
            {"enable_thinking": True, "top_k": 3, "thinking": {"type": "disabled"}},
        ),
        ({"tool_choice": ["auto", "none"]}, {"tool_choice": "required"}, {"tool_choice": "auto"}),
        ({"response_format": "json_object"}, {"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
    ],
)
def test_options_say_where_parameters_go(options: dict[str, Any], parameters: dict[str, Any], wanted: dict[str, Any]) -> None:
    sent = body(options, parameters)
    for name in ("model", "messages", "stream", "stream_options"):
        del sent[name]
    assert sent == wanted


def test_the_address_may_hold_the_model_and_a_query() -> None:
    options = {"path": "/openai/deployments/{model}/chat/completions", "query": {"api-version": "2024-10-21"}, "model": False}
    sent = OpenAIChat(options).encode(ChatRequest(ASK, "my gpt"))
    assert (sent.path, sent.query) == ("/openai/deployments/my%20gpt/chat/completions", {"api-version": "2024-10-21"})
    assert "model" not in (sent.json or {})


def test_streams_and_their_options_can_be_left_out() -> None:
    assert "stream_options" not in body({"stream_options": False}, {})
    assert body({"stream": False}, {})["stream"] is False


@pytest.mark.parametrize("form", ["json_object", "none"])
def test_a_schema_is_told_in_words_where_the_server_knows_none(form: str) -> None:
    sent = body({"response_format": form}, {"response_format": SCHEMA}, (Message("system", "Be kind."), *ASK))
    assert sent.get("response_format") == ({"type": "json_object"} if form == "json_object" else None)
    assert sent["messages"][0]["content"].startswith("Be kind.\n\nAnswer with a JSON object")
    assert '"title": "Point"' in sent["messages"][0]["content"]
    alone = body({"response_format": form, "system_role": "developer"}, {"response_format": SCHEMA})
    assert [m["role"] for m in alone["messages"]] == ["developer", "user"]


def test_contents_take_the_form_that_the_server_reads() -> None:
    picture = (Message("user", ({"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG}})),)
    assert body({"image_url": "text"}, {}, picture)["messages"][0]["content"][1] == {"type": "image_url", "image_url": PNG}
    assert body({"image_url": "base64"}, {}, picture)["messages"][0]["content"][1]["image_url"]["url"] == "iVBORw0KGgo="
    words = (Message("user", ({"type": "text", "text": "a"}, {"type": "text", "text": "b"})),)
    assert body({"content": "text"}, {}, words)["messages"][0]["content"] == "a\nb"
    assert "strict" not in body({"strict_tools": False}, {}, tools=(TOOL,))["tools"][0]["function"]


def test_reasoning_goes_back_where_the_server_wants_it() -> None:
    turns = (*ASK, Message("assistant", "", tool_calls=(ToolCall("1", "f", "{}"),), reasoning="why"), Message("assistant", "a", reasoning="because"))
    back = [m.get("reasoning_content") for m in body({"reasoning": "reasoning_content"}, {}, turns)["messages"]]
    assert back == [None, "why", None]
    assert body({"reasoning": "reasoning_content", "reasoning_on": "always"}, {}, turns)["messages"][2]["reasoning_content"] == "because"
    assert all("reasoning_content" not in m for m in body({}, {}, turns)["messages"])


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def read(*chunks: Any) -> list[Any]:
    return decode(OpenAIChat(), sse(*chunks))


def test_usage_is_found_wherever_it_stands_with_its_details() -> None:
    full = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    ChatCompletionChunk.model_validate(chunk(usage=full))
    wanted = Usage(10, 5, cached_tokens=4, reasoning_tokens=3)
    assert completion(read(chunk({"content": "a"}), chunk(usage=full))).usage == wanted
    assert completion(read(chunk({"content": "a"}, "stop", x_groq={"usage": full}))).usage == wanted
    inner = chunk({"content": "a"}, "stop")
    inner["choices"][0]["usage"] = full
    assert completion(read(inner)).usage == wanted
    deepseek = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4}
    assert completion(read(chunk({"content": "a"}, usage=deepseek))).usage == Usage(10, 5, cached_tokens=6)


def test_an_empty_finish_reason_in_the_middle_ends_nothing() -> None:
    whole = completion(read(chunk({"content": "a"}, ""), chunk({"content": "b"}, ""), chunk({}, "stop"), "data: [DONE]\n"))
    assert (whole.text, whole.finish_reason) == ("ab", "stop")


def test_reasoning_details_are_put_together_and_go_back_unchanged() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "reasoning.text", "text": "Let ", "index": 0, "format": "x"},
        {"type": "reasoning.text", "text": "me", "index": 0, "signature": "SIG"},
        {"type": "reasoning.encrypted", "data": "QUJD", "index": 1},
    ]
    events = read(*(chunk({"reasoning_details": [p]}) for p in parts), chunk({"content": "a"}, "stop"), "data: [DONE]\n")
    assert [e.text for e in events if isinstance(e, ReasoningDelta)] == ["Let ", "me"]
    whole = completion(events)
    sent = body({}, {}, (*ASK, whole.message()))
    assert sent["messages"][1]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Let me", "index": 0, "format": "x", "signature": "SIG"},
        {"type": "reasoning.encrypted", "data": "QUJD", "index": 1},
    ]


def test_reasoning_in_the_content_list_and_beside_it_is_told_once() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    assert read(chunk({"content": [thinking, {"type": "text", "text": "Hi"}]}))[1:-1] == [ReasoningDelta("Hm"), TextDelta("Hi")]
    both = read(chunk({"reasoning": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}))
    assert [e for e in both if isinstance(e, ReasoningDelta)] == [ReasoningDelta("Hm")]


def test_reasoning_among_the_parts_of_an_answer_goes_back_as_parts() -> None:
    def thinking(text: str, **more: Any) -> dict[str, Any]:
        return chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}]})

    events = read(thinking("Let "), thinking("me", closed=True), chunk({"content": "Hi"}), chunk({"content": "!"}, "stop"), "data: [DONE]\n")
    whole = completion(events)
    assert (whole.reasoning, whole.text) == ("Let me", "Hi!")
    assert body({}, {}, (*ASK, whole.message()))["messages"][1]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Let me"}], "closed": True},
        {"type": "text", "text": "Hi!"},
    ]


def test_a_call_in_the_form_before_tools_is_a_call() -> None:
    events = read(
        chunk({"function_call": {"name": "f", "arguments": '{"a"'}}), chunk({"function_call": {"arguments": ": 1}"}}), chunk({}, "function_call")
    )
    whole = completion(events)
    assert (whole.tool_calls, whole.finish_reason) == ((ToolCall("", "f", '{"a": 1}'),), "tool_calls")


def test_later_pieces_of_a_call_with_an_empty_id_belong_to_it() -> None:
    first = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    later = {"index": 0, "id": "", "type": "function", "function": {"name": None, "arguments": "{}"}}
    assert completion(read(chunk({"tool_calls": [first]}), chunk({"tool_calls": [later]}))).tool_calls == (ToolCall("a", "f", "{}"),)
    assert len(calls(read(chunk({"tool_calls": [first]})))) == 1


@pytest.mark.parametrize("reason", ["insufficient_system_resource", "network_error", "error"])
def test_a_server_that_gives_up_is_not_an_answer(reason: str) -> None:
    assert any(isinstance(e, ErrorInStream) for e in read(chunk({"content": "a"}, reason)))


@pytest.mark.parametrize("reason", ["sensitive", "content_filter"])
def test_a_filter_is_told(reason: str) -> None:
    assert Finish("content_filter") in read(chunk({"content": "a"}, reason))


SOURCE = Endpoint(
    "https://api.example.org/v1",
    "m",
    source="vendor",
    options={"error_codes": {"1004": "key", "1008": "quota", "1002": "rate", "11200": "permission"}},
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, errors.AuthenticationFailed),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None}, errors.QuotaExhausted),
        ({"id": "x", "choices": [], "base_resp": {"status_code": 1002, "status_msg": "rate"}}, errors.RateLimited),
        ({"code": 11200, "message": "AppIdNoAuthError", "sid": "s1"}, errors.AuthenticationFailed),
        ({"error": {"code": 402, "message": "Insufficient credits", "metadata": {"provider_name": "x"}}}, errors.QuotaExhausted),
        (
            {"error": {"code": 502, "message": "Provider returned error"}, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]},
            errors.EndpointDown,
        ),
        ({"error": "model 'm' not found"}, errors.ModelUnknown),
    ],
)
def test_a_refusal_under_a_successful_status_has_its_kind(data: dict[str, Any], expected: type[Exception]) -> None:
    for form in (sse(data), json.dumps(data).encode()):
        (found,) = [e for e in decode(OpenAIChat(), form) if isinstance(e, ErrorInStream)]
        assert type(OpenAIChat().error(SOURCE, found.status or 200, {}, found.body)) is expected


def test_a_code_of_success_is_no_refusal() -> None:
    data = {
        "code": 0,
        "message": "Success",
        "sid": "s",
        "choices": [{"index": 0, "delta": {"content": "a"}}],
        "base_resp": {"status_code": 0, "status_msg": ""},
    }
    assert completion(read(data)).text == "a"


@given(
    st.lists(
        st.one_of(
            st.builds(lambda t: ("text", t), st.text(min_size=1, max_size=8)),
            st.builds(lambda t: ("think", t), st.text(min_size=1, max_size=8)),
            st.builds(lambda i, t: ("call", i, t), st.integers(0, 2), st.text(max_size=6)),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 3000), max_size=20),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_a_server_writes_is_what_is_read(items: list[Any], cuts: list[int], end: str, noise: bool) -> None:
    chunks: list[Any] = []
    for item in items:
        if noise:
            chunks.append(": keep-alive" + end)
        if item[0] == "call":
            chunks.append(chunk({"tool_calls": [{"index": item[1], "id": f"c{item[1]}", "function": {"name": "f", "arguments": item[2]}}]}))
        else:
            chunks.append(chunk({"content" if item[0] == "text" else "reasoning_content": item[1]}))
    data = sse(*chunks, chunk({}, "stop"), "data: [DONE]", end=end)
    events = decode(OpenAIChat(), *cut(data, cuts))
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "".join(i[1] for i in items if i[0] == "text")
    assert "".join(e.text for e in events if isinstance(e, ReasoningDelta)) == "".join(i[1] for i in items if i[0] == "think")
    for index in range(3):
        assert "".join(c.arguments for c in calls(events) if c.index == index) == "".join(i[2] for i in items if i[0] == "call" and i[1] == index)
    assert not any(isinstance(e, Replay) for e in events)
