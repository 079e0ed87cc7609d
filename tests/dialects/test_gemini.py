"""Gemini's dialect, against the types that Google publishes in its own package."""

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
from workbench.dialects.gemini import Gemini

from ..support.dialect_streams import calls, completion, cut, decode, sse

types = pytest.importorskip("google.genai.types", reason="Google's package is a development dependency")
DIALECT = Gemini()
HERE = Endpoint("https://generativelanguage.googleapis.com/v1beta", "gemini-x", "gemini", source="gemini")
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}},
}


def body(request: ChatRequest, dialect: Gemini = DIALECT) -> dict[str, Any]:
    """What is sent, valid by Google's own types, which refuse unknown fields."""
    sent = dict(dialect.encode(request).json or {})  # type: ignore[call-overload]
    for content in [*sent["contents"], *([sent["systemInstruction"]] if "systemInstruction" in sent else [])]:
        types.Content.model_validate(content)
    for tool in sent.get("tools", ()):
        types.Tool.model_validate(tool)
    types.GenerationConfig.model_validate(sent.get("generationConfig", {}))
    types.ToolConfig.model_validate(sent.get("toolConfig", {}))
    return sent


def test_a_conversation_with_tools_and_files_is_what_the_types_want() -> None:
    messages = (
        Message("system", "Be kind."),
        Message("user", ({"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}})),
        Message(
            "user",
            (
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "image_url", "image_url": "https://x.org/a.png"},
            ),
        ),
        Message("assistant", "I add.", tool_calls=(ToolCall("c1", "add", '{"x": 1}'), ToolCall("c2", "now", ""))),
        Message("tool", '{"sum": 1}', tool_call_id="c1"),
        Message("tool", "noon", tool_call_id="c2"),
    )
    sent = body(ChatRequest(messages, "gemini-x", (TOOL, {"googleSearch": {}})))
    assert sent["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    assert [c["role"] for c in sent["contents"]] == ["user", "model", "user"]
    assert sent["contents"][0]["parts"] == [
        {"text": "Look"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
        {"fileData": {"fileUri": "https://x.org/a.png"}},
    ]
    assert sent["contents"][1]["parts"][1:] == [{"functionCall": {"name": "add", "args": {"x": 1}}}, {"functionCall": {"name": "now", "args": {}}}]
    assert sent["contents"][2]["parts"] == [
        {"functionResponse": {"name": "add", "response": {"sum": 1}}},
        {"functionResponse": {"name": "now", "response": {"result": "noon"}}},
    ]
    assert sent["tools"] == [
        {"googleSearch": {}},
        {"functionDeclarations": [{"name": "add", "description": "Adds.", "parametersJsonSchema": TOOL["function"]["parameters"]}]},  # type: ignore[index]
    ]


@pytest.mark.parametrize(
    ("given_", "place", "wanted"),
    [
        (
            {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "max_tokens": 7, "stop": "END", "seed": 1, "n": 1, "frequency_penalty": 0.1},
            "generationConfig",
            {
                "temperature": 0.5,
                "topP": 0.9,
                "topK": 3,
                "maxOutputTokens": 7,
                "seed": 1,
                "candidateCount": 1,
                "frequencyPenalty": 0.1,
                "stopSequences": ["END"],
            },
        ),
        ({"reasoning_effort": "low"}, "generationConfig", {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}),
        ({"reasoning_effort": "none"}, "generationConfig", {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": False}}),
        ({"response_format": {"type": "json_object"}}, "generationConfig", {"responseMimeType": "application/json"}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}},
            "generationConfig",
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        ),
        ({"mediaResolution": "MEDIA_RESOLUTION_LOW"}, "generationConfig", {"mediaResolution": "MEDIA_RESOLUTION_LOW"}),
        ({"tool_choice": "required"}, "toolConfig", {"functionCallingConfig": {"mode": "ANY"}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "add"}}},
            "toolConfig",
            {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["add"]}},
        ),
        ({"extra_body": {"safetySettings": []}}, "safetySettings", []),
        ({"safetySettings": []}, "safetySettings", []),
        (
            {"temperature": 0.5, "reasoning_effort": "low", "generationConfig": {"thinkingConfig": {"includeThoughts": False}, "topK": 2}},
            "generationConfig",
            {"temperature": 0.5, "topK": 2, "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False}},
        ),
    ],
)
def test_openais_parameters_become_the_formats(given_: dict[str, Any], place: str, wanted: Any) -> None:
    assert body(ChatRequest(as_messages("x"), "m", (TOOL,), given_))[place] == wanted


def test_the_address_names_the_model_and_the_way() -> None:
    ask = ChatRequest(as_messages("x"), "gemini-x")
    assert DIALECT.encode(ask).path == "/models/gemini-x:streamGenerateContent"
    assert DIALECT.encode(ask).query == {"alt": "sse"}
    assert DIALECT.encode(ask, stream=False).path == "/models/gemini-x:generateContent"
    assert DIALECT.encode(ChatRequest(as_messages("x"), "tunedModels/a b")).path == "/tunedModels/a%20b:streamGenerateContent"
    assert DIALECT.authorize("k") == {"x-goog-api-key": "k"}


def chunk(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more.pop("candidate", {})}
    return {"candidates": [candidate], "modelVersion": "gemini-x-001", "responseId": "r1", **more}


COUNT = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "cachedContentTokenCount": 4, "totalTokenCount": 22}
CHUNKS = [
    chunk({"text": "Hm 🤔", "thought": True}, usageMetadata={"promptTokenCount": 10, "totalTokenCount": 10}),
    chunk({"text": "Grüße, "}),
    chunk({"text": "世界"}),
    chunk({"functionCall": {"name": "add", "args": {"x": 1}}, "thoughtSignature": "U0lH"}),
    chunk({"functionCall": {"id": "f2", "name": "now"}}),
    chunk({"text": ""}, candidate={"finishReason": "STOP"}, usageMetadata=COUNT),
]
WHOLE = sse(*CHUNKS)


def test_the_stream_of_the_test_is_what_google_documents() -> None:
    for c in CHUNKS:
        assert types.GenerateContentResponse.model_validate(c).model_dump(mode="json", by_alias=True, exclude_unset=True) == c


def test_a_stream_is_read_into_events() -> None:
    events = decode(DIALECT, WHOLE)
    assert events[:-1] == [
        Metadata("gemini-x-001", "r1"),
        ReasoningDelta("Hm 🤔"),
        UsageReport(Usage(10)),
        TextDelta("Grüße, "),
        TextDelta("世界"),
        ToolCallDelta(0, "call_0", "add", '{"x": 1}'),
        ToolCallDelta(1, "f2", "now", "{}"),
        Finish("tool_calls"),
        UsageReport(Usage(10, 12, cached_tokens=4, reasoning_tokens=7)),
    ]
    assert isinstance(events[-1], Replay)


def test_signed_calls_go_back_untouched_and_results_find_them() -> None:
    whole = completion(decode(DIALECT, WHOLE))
    results = (Message("tool", "1", tool_call_id="call_0"), Message("tool", "noon", tool_call_id="f2"))
    sent = body(ChatRequest((*as_messages("1+0?"), whole.message(), *results), "m", (TOOL,)))
    assert sent["contents"][1]["parts"] == [
        {"text": "Grüße, 世界"},
        {"functionCall": {"name": "add", "args": {"x": 1}}, "thoughtSignature": "U0lH"},
        {"functionCall": {"id": "f2", "name": "now"}},
    ]
    assert sent["contents"][2]["parts"] == [
        {"functionResponse": {"name": "add", "response": {"result": 1}}},
        {"functionResponse": {"name": "now", "response": {"result": "noon"}, "id": "f2"}},
    ]


@given(st.lists(st.integers(0, len(WHOLE)), max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_are_the_same_however_the_bytes_are_cut_and_lines_end(cuts: list[int], end: bytes) -> None:
    assert decode(DIALECT, *cut(WHOLE.replace(b"\n", end), cuts)) == decode(DIALECT, WHOLE)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=5),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(["candidates", "content", "parts", "functionCall", "error", "promptFeedback", "usageMetadata", "text"]), c, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_breaks_the_decoder(value: Any) -> None:
    events = decode(DIALECT, f"data: {json.dumps(value)}\n\n".encode())
    assert all(isinstance(e, StreamEvent) for e in events)


def test_a_plain_answer_and_a_list_of_answers_are_read_as_well() -> None:
    for data in (json.dumps(CHUNKS[1]), json.dumps([CHUNKS[1], CHUNKS[5]], indent=1)):
        assert completion(decode(DIALECT, data.encode())).text == "Grüße, "


@pytest.mark.parametrize(
    ("reason", "told"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"), ("OTHER", "unknown")],
)
def test_reasons_to_stop(reason: str, told: str) -> None:
    types.FinishReason(reason)
    assert Finish(told) in decode(DIALECT, sse(chunk({"text": "a"}, candidate={"finishReason": reason})))  # type: ignore[arg-type]


def test_a_blocked_prompt_is_a_filtered_one() -> None:
    (event, *_) = [e for e in decode(DIALECT, sse({"promptFeedback": {"blockReason": "SAFETY"}})) if isinstance(e, ErrorInStream)]
    assert isinstance(DIALECT.error(HERE, 200, {}, event.body), errors.ContentFiltered)


def test_an_unusable_call_is_an_error_and_not_an_empty_answer() -> None:
    events = decode(DIALECT, sse(chunk(candidate={"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed: print(x"})))
    assert [e.message for e in events if isinstance(e, ErrorInStream)] == ["Malformed: print(x"]
    assert calls(events) == []


def refusal(code: int, status: str, message: str, *details: dict[str, Any]) -> str:
    return json.dumps({"error": {"code": code, "message": message, "status": status, "details": list(details)}})


INFO, RETRY, QUOTA = (f"type.googleapis.com/google.rpc.{n}" for n in ("ErrorInfo", "RetryInfo", "QuotaFailure"))


@pytest.mark.parametrize(
    ("text", "expected", "wait"),
    [
        (
            refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", {"@type": INFO, "reason": "API_KEY_INVALID"}),
            errors.AuthenticationFailed,
            None,
        ),
        (refusal(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers"), errors.AuthenticationFailed, None),
        (refusal(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta, or is not supported"), errors.ModelUnknown, None),
        (
            refusal(400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."),
            errors.ContextTooLong,
            None,
        ),
        (refusal(400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "foo"'), errors.BadRequest, None),
        (refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), errors.EndpointDown, None),
        (
            refusal(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
                {"@type": QUOTA, "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},
                {"@type": RETRY, "retryDelay": "34.5s"},
            ),
            errors.RateLimited,
            34.5,
        ),
        (
            refusal(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota.",
                {"@type": QUOTA, "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
                {"@type": RETRY, "retryDelay": "34s"},
            ),
            errors.QuotaExhausted,
            None,
        ),
    ],
)
def test_refusals_become_the_errors_of_their_kinds(text: str, expected: type[Exception], wait: float | None) -> None:
    status = json.loads(text)["error"]["code"]
    for form in (text, f"[{text}]"):
        error = DIALECT.error(HERE, status, {}, form)
        assert type(error) is expected
        assert isinstance(error, errors.EndpointError)
        assert error.retry_after == wait
