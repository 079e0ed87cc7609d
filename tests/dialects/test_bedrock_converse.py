"""Bedrock's Converse dialect, against the service model and the parsers that Amazon publishes in botocore."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from workbench import errors
from workbench.core.endpoints import Endpoint
from workbench.core.events import ErrorInStream, Finish, ReasoningDelta, Replay, StreamEvent, TextDelta, ToolCallDelta, UsageReport
from workbench.core.messages import ChatRequest, Message, ToolCall, Usage, as_messages
from workbench.dialects.aws_eventstream import Frames
from workbench.dialects.bedrock_converse import BedrockConverse

from ..support.dialect_streams import completion, cut, decode

DIALECT = BedrockConverse()
MODEL = "anthropic.claude-x:0"
HERE = Endpoint("https://bedrock-runtime.us-east-1.amazonaws.com", MODEL, "bedrock_converse", source="bedrock")
SERVICE = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}},
}
PNG = base64.b64encode(b"\x89PNG").decode()


def body(request: ChatRequest, dialect: BedrockConverse = DIALECT) -> dict[str, Any]:
    """What is sent, valid by the service model."""
    sent = json.loads(json.dumps(dialect.encode(request).json))
    shape = SERVICE.operation_model("ConverseStream").input_shape
    assert isinstance(shape, StructureShape)
    report = ParamValidator().validate({**sent, "modelId": request.model or "m"}, shape)
    assert not report.has_errors(), report.generate_report()
    return dict(sent)


def test_a_conversation_with_tools_and_files_is_what_the_service_wants() -> None:
    messages = (
        Message("system", "Be kind."),
        Message("user", ({"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})),
        Message("user", ({"type": "file", "file": {"filename": "my_report v1.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},)),
        Message("assistant", "I add.", tool_calls=(ToolCall("t1", "add", '{"x": 1}'),)),
        Message("tool", "1", tool_call_id="t1"),
        Message("user", "And?"),
    )
    sent = body(ChatRequest(messages, MODEL, (TOOL,), {"temperature": 0.5, "max_tokens": 7, "stop": ["END"], "top_k": 3, "tool_choice": "required"}))
    assert sent["system"] == [{"text": "Be kind."}]
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][0]["content"][1] == {"image": {"format": "png", "source": {"bytes": PNG}}}
    assert sent["messages"][0]["content"][2]["document"] == {"format": "pdf", "name": "my report v1", "source": {"bytes": "JVBERi0="}}
    assert sent["messages"][1]["content"][1] == {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"x": 1}}}
    assert sent["messages"][2]["content"] == [{"toolResult": {"toolUseId": "t1", "content": [{"text": "1"}]}}, {"text": "And?"}]
    assert sent["inferenceConfig"] == {"temperature": 0.5, "maxTokens": 7, "stopSequences": ["END"]}
    assert sent["additionalModelRequestFields"] == {"top_k": 3}
    assert sent["toolConfig"]["toolChoice"] == {"any": {}}


def test_schema_effort_and_choice_go_where_the_service_has_them() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    choice = {"type": "function", "function": {"name": "add"}}
    sent = body(ChatRequest(as_messages("x"), MODEL, (TOOL,), {"response_format": form, "reasoning_effort": "minimal", "tool_choice": choice}))
    assert sent["outputConfig"] == {
        "effort": "low",
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type": "object"}', "name": "n"}}},
    }
    assert sent["toolConfig"]["toolChoice"] == {"tool": {"name": "add"}}
    assert "JSON" in body(ChatRequest(as_messages("x"), MODEL, parameters={"response_format": {"type": "json_object"}}))["system"][0]["text"]


def test_the_services_own_fields_stay_what_they_are() -> None:
    own = {"inferenceConfig": {"topP": 0.5}, "max_tokens": 3, "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}}
    sent = body(ChatRequest(as_messages("x"), MODEL, parameters=own))
    assert sent["inferenceConfig"] == {"maxTokens": 3, "topP": 0.5}
    assert sent["guardrailConfig"]["guardrailIdentifier"] == "g"


def test_a_file_by_its_address_is_refused_with_what_to_do() -> None:
    with pytest.raises(errors.ArgumentError, match="Give the file itself"):
        DIALECT.encode(ChatRequest((Message("user", ({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},)),), MODEL))


def test_the_address_holds_the_models_name_whatever_is_in_it() -> None:
    assert DIALECT.encode(ChatRequest(as_messages("x"), MODEL)).path == "/model/anthropic.claude-x%3A0/converse-stream"
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.x"
    assert "/" not in DIALECT.encode(ChatRequest(as_messages("x"), arn), stream=False).path.removeprefix("/model/").removesuffix("/converse")


def frame(payload: Any, **headers: str) -> bytes:
    """One message of the event stream, made from the format's description."""
    head = b""
    for name, value in {":message-type": "event", **{f":{k.replace('_', '-')}": v for k, v in headers.items()}}.items():
        head += struct.pack(">B", len(name)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    data = json.dumps(payload, ensure_ascii=False).encode()
    start = struct.pack(">II", 16 + len(head) + len(data), len(head))
    whole = start + struct.pack(">I", zlib.crc32(start)) + head + data
    return whole + struct.pack(">I", zlib.crc32(whole))


def event(name: str, payload: Any) -> bytes:
    return frame(payload, event_type=name, content_type="application/json")


EVENTS = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm 🤔"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "SIG"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Grüße, 世"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "界"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "add"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"x"'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ": 1}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 18, "cacheReadInputTokens": 3}, "metrics": {"latencyMs": 5}}),
]
WHOLE = b"".join(event(n, p) for n, p in EVENTS)


def test_the_stream_of_the_test_is_what_amazons_own_parser_reads() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(WHOLE)
    assert [m.to_response_dict()["headers"][":event-type"] for m in buffer] == [n for n, _ in EVENTS]
    output = SERVICE.shape_for("ConverseStreamOutput")
    assert isinstance(output, StructureShape)
    assert {n for n, _ in EVENTS} <= set(output.members)


def test_a_stream_is_read_into_events() -> None:
    events = decode(DIALECT, WHOLE)
    assert events[:-1] == [
        ReasoningDelta("Hm 🤔"),
        TextDelta("Grüße, 世"),
        TextDelta("界"),
        ToolCallDelta(0, "t1", "add"),
        ToolCallDelta(0, arguments='{"x"'),
        ToolCallDelta(0, arguments=": 1}"),
        Finish("tool_calls"),
        UsageReport(Usage(13, 5, cached_tokens=3)),
    ]
    assert isinstance(events[-1], Replay)


def test_thoughts_go_back_untouched_with_the_tools_results() -> None:
    whole = completion(decode(DIALECT, WHOLE))
    sent = body(ChatRequest((*as_messages("1+0?"), whole.message(), Message("tool", "1", tool_call_id="t1")), MODEL, (TOOL,)))
    assert sent["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm 🤔", "signature": "SIG"}}},
        {"text": "Grüße, 世界"},
        {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"x": 1}}},
    ]


@given(st.lists(st.integers(0, len(WHOLE)), max_size=60))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    assert decode(DIALECT, *cut(WHOLE, cuts)) == decode(DIALECT, WHOLE)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    broken = bytearray(WHOLE)
    broken[place] ^= change
    assert any(isinstance(e, ErrorInStream) for e in decode(DIALECT, bytes(broken)))


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_no_bytes_whatever_break_the_decoder(data: bytes, cuts: list[int]) -> None:
    assert all(isinstance(e, StreamEvent) for e in decode(DIALECT, *cut(data, cuts)))


def test_a_cut_in_the_middle_of_a_message_is_noticed() -> None:
    assert isinstance(decode(DIALECT, WHOLE[:-3])[-1], ErrorInStream | Replay)
    assert any(isinstance(e, ErrorInStream) for e in decode(DIALECT, WHOLE[:-3]))


def test_headers_of_every_type_are_read_past() -> None:
    head = b"".join(
        [
            *(b"\x01a\x00", b"\x01b\x01", b"\x01c\x02\x05", b"\x01d\x03\x00\x05", b"\x01e\x04" + bytes(4), b"\x01f\x05" + bytes(8)),
            *(b"\x01g\x06\x00\x02xy", b"\x01h\x08" + bytes(8), b"\x01i\x09" + bytes(16), b"\x01j\x07\x00\x02ok"),
        ]
    )
    start = struct.pack(">II", 16 + len(head), len(head))
    whole = start + struct.pack(">I", zlib.crc32(start)) + head
    (found,) = Frames().feed(whole + struct.pack(">I", zlib.crc32(whole)))
    assert found.headers == {"j": "ok"}


def test_a_plain_answer_is_read_as_well() -> None:
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}, {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}]}},
        "stopReason": "max_tokens",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
        "metrics": {"latencyMs": 1},
    }
    shape = SERVICE.operation_model("Converse").output_shape
    assert isinstance(shape, StructureShape)
    assert not ParamValidator().validate(answer, shape).has_errors()
    data = json.dumps(answer).encode()
    whole = completion(decode(DIALECT, data[:7], data[7:]))
    assert (whole.text, whole.finish_reason, whole.usage) == ("Hi", "length", Usage(3, 4))
    assert whole.tool_calls == (ToolCall("t", "f", '{"a": 1}'),)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("throttlingException", errors.RateLimited),
        ("serviceUnavailableException", errors.EndpointDown),
        ("validationException", errors.BadRequest),
        ("internalServerException", errors.EndpointError),
    ],
)
def test_an_exception_in_the_stream_has_its_kind(name: str, expected: type[Exception]) -> None:
    data = frame({"message": "no luck"}, message_type="exception", exception_type=name)
    (found,) = decode(DIALECT, data)
    assert isinstance(found, ErrorInStream)
    assert (found.message, found.code) == ("no luck", name)
    assert type(DIALECT.error(HERE, found.status, {}, found.body)) is expected


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", errors.AuthenticationFailed),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", errors.AuthenticationFailed),
        (403, "InvalidSignatureException", "The request signature we calculated does not match", errors.AuthenticationFailed),
        (404, "ResourceNotFoundException", "Could not resolve the foundation model: the model does not exist", errors.ModelUnknown),
        (400, "ValidationException", "The provided model identifier is invalid.", errors.ModelUnknown),
        (400, "ValidationException", "Input is too long for requested model.", errors.ContextTooLong),
        (400, "ValidationException", "messages.0.content is empty", errors.BadRequest),
        (429, "ThrottlingException", "Too many requests, please wait before trying again.", errors.RateLimited),
        (400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account.", errors.QuotaExhausted),
        (429, "ModelNotReadyException", "Model is not ready for inference.", errors.EndpointDown),
        (408, "ModelTimeoutException", "The request took too long to process.", errors.EndpointTimeout),
        (503, "ServiceUnavailableException", "Bedrock is unable to process your request.", errors.EndpointDown),
        (500, "InternalServerException", "An internal server error occurred.", errors.EndpointError),
    ],
)
def test_refusals_become_the_errors_of_their_kinds(status: int, kind: str, message: str, expected: type[Exception]) -> None:
    headers = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/", "x-amzn-requestid": "q1"}
    error = DIALECT.error(HERE, status, headers, json.dumps({"message": message}))
    assert type(error) is expected
    assert isinstance(error, errors.EndpointError)
    assert (error.request_id, error.cause) == ("q1", message)
