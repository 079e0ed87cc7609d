"""Anthropic's Messages dialect, against the types that Anthropic publishes in its own package."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import errors
from workbench.core.endpoints import Endpoint
from workbench.core.events import ErrorInStream, Finish, Metadata, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from workbench.core.messages import ChatRequest, Message, ToolCall, Usage, as_messages
from workbench.dialects.anthropic_messages import AnthropicMessages

from ..support.dialect_streams import calls, completion, cut, decode, sse
from ..support.openai_types import read_through

DIALECT = AnthropicMessages()
HERE = Endpoint("https://api.anthropic.com", "claude-x", "anthropic_messages", key_env="ANTHROPIC_API_KEY", source="anthropic")
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}},
}
PNG = "data:image/png;base64,iVBORw0KGgo="


def body(request: ChatRequest, dialect: AnthropicMessages = DIALECT) -> dict[str, Any]:
    """What is sent, and valid by Anthropic's own types."""
    from anthropic.types import message_create_params
    from pydantic import ConfigDict, TypeAdapter, with_config

    sent = dict(dialect.encode(request).json or {})  # type: ignore[call-overload]
    older = {"temperature", "top_p", "top_k"}  # the newest models take none of these; the models before and other servers do
    kind = with_config(ConfigDict(extra="forbid"))(message_create_params.MessageCreateParamsStreaming)
    fields = json.loads(json.dumps({k: v for k, v in sent.items() if k not in older}))
    assert read_through(TypeAdapter(kind).validate_python(fields)) == fields
    return sent


def test_a_conversation_with_tools_and_files_is_what_the_types_want() -> None:
    messages = (
        Message("system", "Be kind."),
        Message("user", ({"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": PNG}})),
        Message("user", ({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},)),
        Message("assistant", "I add.", tool_calls=(ToolCall("t1", "add", '{"x": 1}'), ToolCall("t2", "add", ""))),
        Message("tool", "1", tool_call_id="t1"),
        Message("tool", ({"type": "text", "text": "2"},), tool_call_id="t2"),
        Message("user", ({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},)),
    )
    sent = body(ChatRequest(messages, "claude-x", (TOOL,), {"temperature": 0.5, "stop": "END", "user": "u1", "seed": None}))
    assert sent["system"] == "Be kind."
    assert [t["role"] for t in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}},
    ]
    assert sent["messages"][1]["content"][1:] == [
        {"type": "tool_use", "id": "t1", "name": "add", "input": {"x": 1}},
        {"type": "tool_use", "id": "t2", "name": "add", "input": {}},
    ]
    assert [b["type"] for b in sent["messages"][2]["content"]] == ["tool_result", "tool_result", "document"]
    assert sent["tools"] == [{"name": "add", "description": "Adds.", "input_schema": TOOL["function"]["parameters"]}]  # type: ignore[index]
    assert (sent["max_tokens"], sent["stop_sequences"], sent["metadata"], sent["stream"]) == (4096, ["END"], {"user_id": "u1"}, True)


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
        ({"tool_choice": "auto", "parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
        ({"parallel_tool_calls": True}, {}),
        ({"tool_choice": {"type": "function", "function": {"name": "add"}}}, {"tool_choice": {"type": "tool", "name": "add"}}),
        ({"max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}, "top_k": 3}, {"thinking": {"type": "enabled", "budget_tokens": 2048}, "top_k": 3}),
        ({"extra_body": {"service_tier": "auto"}}, {"service_tier": "auto"}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}, "reasoning_effort": "high"},
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "high"}},
        ),
    ],
)
def test_openais_parameters_become_the_formats(given_: dict[str, Any], wanted: dict[str, Any]) -> None:
    sent = body(ChatRequest(as_messages("x"), "m", (TOOL,), given_))
    plain = body(ChatRequest(as_messages("x"), "m", (TOOL,)))
    assert {k: v for k, v in sent.items() if plain.get(k) != v} == wanted


def test_a_schema_is_told_in_words_where_the_server_knows_none() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "title": "Point"}}}
    request = ChatRequest(as_messages("x"), "m", parameters={"response_format": form})
    sent = body(request, AnthropicMessages({"response_format": "none", "key_header": "bearer", "max_tokens": 9}))
    assert "output_config" not in sent
    assert '"title": "Point"' in sent["system"]
    assert sent["max_tokens"] == 9
    assert AnthropicMessages({"key_header": "bearer"}).authorize("k") == {"Authorization": "Bearer k"}
    assert DIALECT.authorize("k") == {"x-api-key": "k"}


def test_the_budget_of_thinking_leaves_room_for_the_answer() -> None:
    sent = body(
        ChatRequest(as_messages("x"), "m", parameters={"reasoning_effort": "medium", "max_tokens": 100}), AnthropicMessages({"effort": "budget"})
    )
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert sent["max_tokens"] > 8192


CHUNKS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm 🤔"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "SIG"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grüße, 世"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "界"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "add", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"x"'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ": 1}"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use", "id": "t2", "name": "now", "input": {}}},
    {"type": "content_block_stop", "index": 3},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 33, "output_tokens_details": {"thinking_tokens": 7}},
    },
    {"type": "message_stop"},
]
WHOLE = sse(*CHUNKS, events=True)
USAGE = Usage(17, 33, cached_tokens=5, cache_write_tokens=2, reasoning_tokens=7)


def test_the_stream_of_the_test_is_what_anthropic_documents() -> None:
    from anthropic.types import RawMessageStreamEvent
    from pydantic import TypeAdapter

    for chunk in CHUNKS:
        if chunk["type"] != "ping":
            read = TypeAdapter[Any](RawMessageStreamEvent).validate_python(chunk)
            assert (read.to_dict(), read.model_extra) == (chunk, {})


def test_a_stream_is_read_into_events() -> None:
    events = decode(DIALECT, WHOLE)
    expected: list[StreamEvent] = [
        Metadata("claude-x", "msg_1"),
        ReasoningDelta("Hm 🤔"),
        TextDelta("Grüße, 世"),
        TextDelta("界"),
        ToolCallDelta(0, "t1", "add"),
        ToolCallDelta(0, arguments='{"x"'),
        ToolCallDelta(0, arguments=": 1}"),
        ToolCallDelta(1, "t2", "now"),
        ToolCallDelta(1, arguments="{}"),
        Finish("tool_calls"),
        UsageReport(USAGE),
    ]
    assert events[:-1] == expected
    assert isinstance(events[-1], Replay)
    whole = completion(events)
    assert whole.tool_calls == (ToolCall("t1", "add", '{"x": 1}'), ToolCall("t2", "now", "{}"))
    assert whole.usage == USAGE


def test_thoughts_go_back_untouched_with_the_tools_results() -> None:
    whole = completion(decode(DIALECT, WHOLE))
    sent = body(ChatRequest((*as_messages("1+0?"), whole.message(), Message("tool", "1", tool_call_id="t1")), "m", (TOOL,)))
    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm 🤔", "signature": "SIG"},
        {"type": "text", "text": "Grüße, 世界"},
        {"type": "tool_use", "id": "t1", "name": "add", "input": {"x": 1}},
        {"type": "tool_use", "id": "t2", "name": "now", "input": {}},
    ]


@given(st.lists(st.integers(0, len(WHOLE)), max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_are_the_same_however_the_bytes_are_cut_and_lines_end(cuts: list[int], end: bytes) -> None:
    assert decode(DIALECT, *cut(WHOLE.replace(b"\n", end), cuts)) == decode(DIALECT, WHOLE)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_no_bytes_whatever_break_the_decoder(data: bytes, cuts: list[int]) -> None:
    assert decode(DIALECT, *cut(data, cuts)) == decode(DIALECT, data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=5),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(["index", "delta", "content_block", "usage", "error", "message", "content", "text", "input"]), c, max_size=4
            )
            | st.builds(
                lambda t, d: {**d, "type": t},
                st.sampled_from([c["type"] for c in CHUNKS] + ["error", "message", "tool_use", "text_delta"]),
                st.dictionaries(st.sampled_from(["index", "delta", "content_block", "message", "usage", "content", "error"]), c, max_size=4),
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_breaks_the_decoder(value: Any) -> None:
    events = decode(DIALECT, f"data: {json.dumps(value)}\n\n".encode())
    assert all(isinstance(e, StreamEvent) for e in events)


def test_a_plain_answer_is_read_as_well() -> None:
    from anthropic.types import Message as Theirs

    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    Theirs.model_validate(answer)
    whole = completion(decode(DIALECT, json.dumps(answer, indent=1).encode()))
    assert (whole.text, whole.finish_reason, whole.usage) == ("Hi", "length", Usage(3, 4))
    assert whole.tool_calls == (ToolCall("t", "f", '{"a": 1}'),)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("refusal", "content_filter"),
        ("model_context_window_exceeded", "length"),
    ],
)
def test_reasons_to_stop(reason: str, told: str) -> None:
    assert Finish(told) in decode(DIALECT, sse({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}}))  # type: ignore[arg-type]


def test_a_stream_without_its_end_loses_no_text_and_no_call() -> None:
    whole = completion(decode(DIALECT, sse(*CHUNKS[:13], events=True)))
    assert whole.text == "Grüße, 世界"
    assert whole.tool_calls[0].arguments == '{"x"'
    assert whole.finish_reason == "unknown"


def test_servers_that_put_arguments_into_the_blocks_begin_are_understood() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ü"}}}
    events = decode(DIALECT, sse(start, {"type": "content_block_stop", "index": 0}))
    assert "".join(c.arguments for c in calls(events)) == '{"a": "ü"}'


def test_an_error_in_the_middle_has_its_kind() -> None:
    (event,) = decode(DIALECT, sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}))
    assert isinstance(event, ErrorInStream)
    assert (event.message, event.code, event.status) == ("Overloaded", "overloaded_error", 529)
    assert isinstance(DIALECT.error(HERE, event.status, {}, event.body), errors.EndpointDown)


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (400, "invalid_request_error", "messages: at least one message is required", errors.BadRequest),
        (400, "invalid_request_error", "prompt is too long: 219044 tokens > 200000 maximum", errors.ContextTooLong),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", errors.QuotaExhausted),
        (401, "authentication_error", "invalid x-api-key", errors.AuthenticationFailed),
        (402, "billing_error", "Payment required", errors.QuotaExhausted),
        (403, "permission_error", "Your API key does not have permission to use the specified resource.", errors.AuthenticationFailed),
        (404, "not_found_error", "model: claude-9", errors.ModelUnknown),
        (413, "request_too_large", "Request exceeds the maximum size", errors.ContextTooLong),
        (429, "rate_limit_error", "This request would exceed your organization's rate limit", errors.RateLimited),
        (500, "api_error", "Internal server error", errors.EndpointError),
        (504, "timeout_error", "Request timed out", errors.EndpointTimeout),
        (529, "overloaded_error", "Overloaded", errors.EndpointDown),
    ],
)
def test_refusals_become_the_errors_of_their_kinds(status: int, kind: str, message: str, expected: type[Exception]) -> None:
    text = json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
    error = DIALECT.error(HERE, status, {}, text)
    assert type(error) is expected
    assert isinstance(error, errors.EndpointError)
    assert (error.request_id, error.cause) == ("req_1", message)
