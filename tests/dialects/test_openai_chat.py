"""The OpenAI dialect: what is sent, what is made of what comes back, however it is cut, and how refusals are told."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import errors
from workbench.core.endpoints import Endpoint
from workbench.core.events import Details, ErrorInStream, Finish, Metadata, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from workbench.core.messages import ChatRequest, Message, ToolCall, Usage, as_messages
from workbench.dialects.openai_chat import OpenAIChat
from workbench.runtime.network.lines import LineSplitter


def decode(*fragments: bytes) -> list[StreamEvent]:
    lines, decoder, events = LineSplitter(), OpenAIChat().decoder(), list[StreamEvent]()
    for fragment in fragments:
        for line in lines.feed(fragment):
            events += decoder.feed(line)
    for line in lines.close():
        events += decoder.feed(line)
    return [*events, *decoder.close()]


def sse(*chunks: dict[str, Any] | str, end: str = "\n") -> bytes:
    lines = [f"data: {c if isinstance(c, str) else json.dumps(c, ensure_ascii=False)}{end}{end}" for c in chunks]
    return "".join(lines).encode()


def delta(**fields: Any) -> dict[str, Any]:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(reason: str | None = "stop") -> dict[str, Any]:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def text_of(events: list[StreamEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def test_a_request_carries_turns_tools_and_parameters_under_their_own_names() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    messages = (
        Message("system", "Be kind."),
        Message("user", ({"type": "text", "text": "Look"},)),
        Message("assistant", "", tool_calls=(ToolCall("1", "f", '{"a": 1}'),)),
        Message("tool", "7", tool_call_id="1"),
    )
    sent = OpenAIChat().encode(ChatRequest(messages, "m", (tool,), {"temperature": 0.5, "seed": None, "top_k": 3}))
    assert sent.method == "POST"
    assert sent.path == "/chat/completions"
    assert sent.json is not None
    body = dict(sent.json)
    assert body.pop("messages") == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Look"}]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
        {"role": "tool", "content": "7", "tool_call_id": "1"},
    ]
    assert body == {"model": "m", "tools": [tool], "temperature": 0.5, "top_k": 3, "stream": True, "stream_options": {"include_usage": True}}
    assert "stream_options" not in (OpenAIChat().encode(ChatRequest(as_messages("x")), stream=False).json or {})


WHOLE = sse(
    delta(role="assistant", content=None),
    delta(reasoning_content="Hm 🤔. "),
    delta(content="Grüße, "),
    delta(content="世界"),
    delta(content=" 🎉"),
    delta(tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "get", "arguments": ""}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '{"x"'}}]),
    delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "put", "arguments": "{}"}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
    end("tool_calls"),
    {"id": "c1", "model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 9}},
    "[DONE]",
)
EVENTS = decode(WHOLE)


def test_a_stream_is_read_into_events() -> None:
    expected = [
        Metadata("m", "c1"),
        ReasoningDelta("Hm 🤔. "),
        TextDelta("Grüße, "),
        TextDelta("世界"),
        TextDelta(" 🎉"),
        ToolCallDelta(0, "a", "get", ""),
        ToolCallDelta(0, arguments='{"x"'),
        ToolCallDelta(1, "b", "put", "{}"),
        ToolCallDelta(0, arguments=": 1}"),
        Finish("tool_calls"),
        UsageReport(Usage(3, 9)),
    ]
    assert decode(WHOLE) == expected


@given(st.lists(st.integers(0, len(WHOLE)), max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_are_the_same_however_the_bytes_are_cut_and_lines_end(cuts: list[int], line_end: bytes) -> None:
    data = WHOLE.replace(b"\n", line_end)
    at = [0, *sorted(min(c * len(data) // len(WHOLE), len(data)) for c in cuts), len(data)]
    assert decode(*(data[a:b] for a, b in pairwise(at))) == EVENTS


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_no_bytes_whatever_break_the_decoder(data: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    assert decode(*(data[a:b] for a, b in pairwise(at))) == decode(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "delta", "content", "tool_calls", "function", "usage", "error", "index", "finish_reason", "timings", "message"]
                ),
                c,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_breaks_the_decoder(value: Any) -> None:
    assert all(isinstance(e, StreamEvent) for e in decode(sse(json.dumps(value))))


def test_comments_keep_alives_event_names_and_missing_spaces_are_read_past() -> None:
    data = b": ping\n\nevent: message\nid: 7\nretry: 10\ndata:" + json.dumps(delta(content="a")).encode() + b"\n\n:\n\n" + sse(end(), "[DONE]")
    assert text_of(decode(data)) == "a"


@pytest.mark.parametrize("tail", [(), ("[DONE]",), (end(),)])
def test_a_missing_end_loses_no_text(tail: tuple[Any, ...]) -> None:
    events = decode(sse(delta(content="a"), delta(content="b"), *tail))
    assert text_of(events) == "ab"
    assert [e.reason for e in events if isinstance(e, Finish)] == (["unknown"] if tail == ("[DONE]",) else ["stop"] if tail else [])


def test_a_last_line_without_its_end_counts() -> None:
    assert text_of(decode(sse(delta(content="a")) + b"data: " + json.dumps(delta(content="b")).encode())) == "ab"


def test_a_plain_json_answer_is_read_as_well() -> None:
    whole = {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "reasoning": "Why"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    for data in (json.dumps(whole).encode(), json.dumps(whole, indent=1).encode()):
        assert decode(data) == [Metadata("m", "c1"), ReasoningDelta("Why"), TextDelta("Hi"), Finish("length"), UsageReport(Usage(1, 2))]


def test_llama_cpps_timings_count_where_there_is_no_usage() -> None:
    chunk = {**end(), "timings": {"cache_n": 5, "prompt_n": 2, "predicted_n": 8}}
    assert UsageReport(Usage(7, 8)) in decode(sse(chunk))


def test_an_error_in_the_middle_is_an_event_without_the_key() -> None:
    events = decode(sse(delta(content="a"), {"error": {"message": "boom, key sk-abcdef123456", "code": 500}}))
    assert events[-1] == ErrorInStream("boom, key ***", "500")
    assert decode(b'error: {"message": "old form", "code": 500}\n\n') == [ErrorInStream("old form", "500")]


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}, {"id": "b", "function": {"name": "g", "arguments": "{}"}}]
    events = [e for e in decode(sse(delta(tool_calls=calls))) if isinstance(e, ToolCallDelta)]
    assert events == [ToolCallDelta(0, "a", "f", '{"x": 1}'), ToolCallDelta(1, "b", "g", "{}")]


def test_only_the_first_of_several_alternatives_is_the_answer_and_the_others_are_told_beside_it() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}
    more = {"choices": [{"index": 2, "delta": {"content": "x"}}, {"index": 1, "delta": {"content": "c"}}]}
    events = decode(sse(chunk, more, "[DONE]"))
    assert text_of(events) == "a"
    assert [e.data for e in events if isinstance(e, Details)] == [{"others": ["bc", "x"]}]


def test_logprobs_are_kept_in_a_stream_and_in_a_whole_answer() -> None:
    tokens: list[dict[str, Any]] = [{"token": t, "logprob": -0.5, "top_logprobs": []} for t in ("a", "b")]
    streamed = [{"choices": [{"index": 0, "delta": {"content": t["token"]}, "logprobs": {"content": [t]}}]} for t in tokens]
    whole = {"choices": [{"index": 0, "message": {"content": "ab"}, "logprobs": {"content": tokens}, "finish_reason": "stop"}]}
    for lines in (sse(*streamed, "[DONE]"), json.dumps(whole).encode()):
        assert [e.data for e in decode(lines) if isinstance(e, Details)] == [{"logprobs": tokens}]
    assert not [e for e in decode(sse(delta(content="a"), "[DONE]")) if isinstance(e, Details)]


HERE = Endpoint("http://127.0.0.1:1/v1", "m", key_env="A_KEY")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, errors.AuthenticationFailed),
        (403, "Forbidden", errors.AuthenticationFailed),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, errors.ModelUnknown),
        (404, {"detail": "Not Found"}, errors.BadRequest),
        (
            400,
            {"error": {"message": "request (27011 tokens) exceeds the available context size", "type": "exceed_context_size_error"}},
            errors.ContextTooLong,
        ),
        (400, {"error": {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"}}, errors.ContextTooLong),
        (400, {"error": {"message": "flagged", "code": "content_filter"}}, errors.ContentFiltered),
        (400, {"error": {"message": "bad", "type": "invalid_request_error"}}, errors.BadRequest),
        (422, {"detail": [{"loc": ["body"], "msg": "Unexpected fields"}]}, errors.BadRequest),
        (429, {"error": {"message": "slow down"}}, errors.RateLimited),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, errors.EndpointDown),
        (504, "<html>Gateway Time-out</html>", errors.EndpointTimeout),
        (500, {"error": "boom"}, errors.EndpointError),
    ],
)
def test_a_refusal_becomes_the_error_of_its_kind(status: int, body: Any, kind: type[errors.EndpointError]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    error = OpenAIChat().error(HERE, status, {"x-request-id": "r1", "retry-after": "2.5"}, text)
    assert type(error) is kind
    assert isinstance(error, errors.EndpointError)
    assert (error.status, error.request_id, error.retry_after, error.model) == (status, "r1", 2.5, "m")
    assert error.what
    assert error.fix


def test_a_refusal_never_shows_a_key() -> None:
    said = {"error": {"message": "Incorrect API key provided: sk-proj-abc123def456. Authorization: Bearer s3cr3t-t0ken"}}
    error = OpenAIChat().error(HERE, 401, {}, json.dumps(said))
    assert "abc123" not in str(error)
    assert "s3cr3t" not in str(error)
    assert "A_KEY" in str(error)
