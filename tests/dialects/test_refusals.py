"""How vendors say no: the forms that they document, and what a user is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import errors
from workbench.core.endpoints import Endpoint
from workbench.dialects.openai_errors import error_from, message_of, names_of
from workbench.dialects.refusals import mask, seconds_to_wait

HERE = Endpoint("https://api.example.org/v1", "gpt-x", source="vendor", key_env="VENDOR_API_KEY")
GLM = Endpoint(
    "https://x/v4",
    "glm-x",
    source="glm",
    options={"error_codes": {"1113": "quota", "1211": "model", "1301": "filter", "1302": "rate", "1261": "context"}},
)
K, Q, R, M, C, F, B, D, T, E = (
    errors.AuthenticationFailed,
    errors.QuotaExhausted,
    errors.RateLimited,
    errors.ModelUnknown,
    errors.ContextTooLong,
    errors.ContentFiltered,
    errors.BadRequest,
    errors.EndpointDown,
    errors.EndpointTimeout,
    errors.EndpointError,
)


def openai(message: str, kind: str = "", code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, openai("Incorrect API key provided: sk-abc***. You can find your API key at …", "invalid_request_error", "invalid_api_key"), K),
        (404, openai("The model `gpt-x` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), M),
        (429, openai("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"), Q),
        (
            429,
            openai(
                "Rate limit reached for gpt-x in organization org-1 on tokens per min (TPM). Please try again in 20s.",
                "tokens",
                "rate_limit_exceeded",
            ),
            R,
        ),
        (400, openai("This model's maximum context length is 128000 tokens. However, your messages resulted in …", "", "context_length_exceeded"), C),
        (400, openai("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", None, "content_filter"), F),  # type: ignore[arg-type]
        (400, openai("Unrecognized request argument supplied: foo", "invalid_request_error"), B),
        (503, openai("The engine is currently overloaded, please try again later", "server_error"), D),
        # Azure
        (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}, M),
        (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}, K),
        (
            429,
            {
                "error": {
                    "code": "429",
                    "message": "Requests have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 7 seconds.",
                }
            },
            R,
        ),
        # Kimi
        (429, {"error": {"type": "engine_overloaded_error", "message": "The engine is currently overloaded"}}, D),
        (429, {"error": {"type": "exceeded_current_quota_error", "message": "Your account is suspended"}}, Q),
        (403, {"error": {"type": "permission_denied_error", "message": "You are not allowed"}}, K),
        (401, {"error": {"type": "invalid_authentication_error", "message": "Invalid Authentication"}}, K),
        (400, {"error": {"type": "content_filter", "message": "The request was rejected because it was considered high risk"}}, F),
        # Qwen, native and compatible
        (401, {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r1"}, K),
        (400, {"code": "Arrearage", "message": "Access denied, please make sure your account is in good standing.", "request_id": "r1"}, Q),
        (400, {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content.", "request_id": "r1"}, F),
        (429, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded", "request_id": "r1"}, R),
        (
            404,
            {"error": {"message": "The model `q` does not exist.", "type": "invalid_request_error", "code": "model_not_found"}, "request_id": "r1"},
            M,
        ),
        (400, openai("Range of input length should be [1, 129024]", "invalid_request_error", "invalid_parameter_error"), C),
        # Doubao
        (404, openai("The model or endpoint x does not exist", "Not Found", "InvalidEndpointOrModel.NotFound"), M),
        (429, openai("The service is overloaded", "TooManyRequests", "ServerOverloaded"), D),
        (403, openai("The request failed because your account has an overdue balance.", "Forbidden", "AccountOverdueError"), Q),
        (
            400,
            openai(
                "The request failed because the input text may contain sensitive information.",
                "BadRequest",
                "SensitiveContentDetected.SevereViolation",
            ),
            F,
        ),
        # DeepSeek
        (402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), Q),
        (401, openai("Authentication Fails, Your api key: ****abcd is invalid", "authentication_error", "invalid_request_error"), K),
        # SiliconFlow, Mistral, Cohere, Ollama, OpenRouter, FastAPI
        (400, {"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": None}, M),
        (401, "Invalid token", K),
        (401, {"object": "error", "message": "Unauthorized", "type": "invalid_request_error", "param": None, "code": "1000"}, K),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, B),
        (404, {"message": "model 'command-x' not found, make sure the correct model ID was used", "id": "r1"}, M),
        (404, {"error": "model 'qwen9' not found"}, M),
        (402, {"error": {"code": 402, "message": "Insufficient credits"}}, Q),
        (
            429,
            {
                "error": {
                    "code": 429,
                    "message": "Provider returned error",
                    "metadata": {"raw": "x is temporarily rate-limited upstream", "provider_name": "X"},
                }
            },
            R,
        ),
        (403, {"error": {"code": 403, "message": "Your input was flagged by a content filter"}}, F),
        # SenseNova, Spark, Qianfan
        (200, {"header": {"code": 10013, "message": "sensitive words: content policy", "sid": "r1"}}, F),
        (401, {"id": "r1", "error": {"code": "invalid_iam_token", "message": "IAM Certification failed", "type": "invalid_request_error"}}, K),
        # engines and gateways
        (504, "<html><head><title>504 Gateway Time-out</title></head></html>", T),
        (524, "", E),
        (307, "", E),
        (404, "404 page not found", B),
        (500, {"error": {"message": "boom", "type": "server_error"}}, E),
    ],
)
def test_each_form_becomes_the_error_of_its_kind(status: int, body: Any, kind: type[errors.EndpointError]) -> None:
    error = error_from(HERE, status, {}, body if isinstance(body, str) else json.dumps(body))
    assert type(error) is kind, error
    assert error.status == status
    assert (error.what, error.fix) != ("", "")
    assert error.source == "vendor"
    if '"r1"' in json.dumps(body):
        assert error.request_id == "r1"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(429, "1113", Q), (400, "1211", M), (400, "1301", F), (429, "1302", R), (400, "1261", C), (400, "1214", B), (434, "9", B)],
)
def test_a_vendors_numbers_are_data(status: int, code: str, kind: type[Exception]) -> None:
    assert type(error_from(GLM, status, {}, json.dumps({"error": {"code": code, "message": "说明"}}))) is kind


def test_a_refusal_reads_as_people_need_it() -> None:
    error = error_from(
        HERE, 401, {"x-request-id": "req_7"}, json.dumps(openai("Incorrect API key provided: sk-proj-1234567890abcdef", code="invalid_api_key"))
    )
    assert str(error) == (
        "vendor at https://api.example.org/v1 did not accept the key (HTTP 401).\n"
        "Cause: Incorrect API key provided: ***\n"
        "Fix: Set VENDOR_API_KEY to a valid key.\n"
        "Request: model gpt-x, HTTP 401, id req_7"
    )


def test_every_kind_reads_differently() -> None:
    told = [
        error_from(HERE, status, {}, json.dumps(body)).what
        for status, body in [
            (401, openai("no", code="invalid_api_key")),
            (403, openai("no", code="AccessDenied")),
            (404, openai("no", code="model_not_found")),
            (429, openai("no", code="insufficient_quota")),
            (429, openai("no")),
            (400, openai("no", code="content_filter")),
            (400, openai("no", code="context_length_exceeded")),
            (503, openai("no")),
            (504, openai("no")),
            (404, openai("no")),
            (400, openai("no")),
            (500, openai("no")),
        ]
    ]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_to_wait(headers) == seconds


def test_how_long_to_wait_as_a_date() -> None:
    now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    assert seconds_to_wait({"retry-after": "Sat, 21 Nov 2026 08:00:30 GMT"}, now=now) == 30
    assert seconds_to_wait({"retry-after": format_datetime(now - timedelta(hours=1), usegmt=True)}, now=now) == 0


@given(st.text(max_size=40))
def test_no_header_whatever_breaks_the_reading(value: str) -> None:
    wait = seconds_to_wait({"retry-after": value, "retry-after-ms": value})
    assert wait is None or wait >= 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(["error", "message", "code", "type", "detail", "base_resp", "header", "status_msg", "metadata", "raw"]), c, max_size=4
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from([200, 400, 401, 403, 404, 413, 429, 500, 503, 529]),
)
def test_no_body_whatever_breaks_the_reading(body: Any, status: int) -> None:
    assert isinstance(error_from(HERE, status, {}, json.dumps(body)), errors.EndpointError)


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-1234567890",
        "sk-ant-api03-abcdefgh",
        "gsk_abcdefghijkl",
        "xai-abcdefghijkl",
        "AIzaSyAbcdefghijklmnop",
        "hf_abcdefghijklmn",
        "bce-v3/ALTAK-abc/def",
        "Bearer abcdef",
    ],
)
def test_what_looks_like_a_key_is_masked(key: str) -> None:
    assert key.split()[-1] not in mask(f"you sent {key}, which is wrong")
    assert key.split()[-1] not in message_of({"error": {"message": f"bad key '{key}'"}})


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"name": "models/a"}, {"name": "models/b"}]},
        {"models": [{"model": "a"}, {"model": "b"}]},
        ["a", "b"],
    ],
)
def test_lists_of_models_are_read_in_their_forms(answer: Any) -> None:
    assert names_of(answer) == ["a", "b"]
