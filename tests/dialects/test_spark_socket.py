"""Spark's WebSocket dialect, and the ways keys are carried that are more than a header."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from workbench import errors, registry
from workbench.core.endpoints import Endpoint
from workbench.core.events import ErrorInStream
from workbench.core.messages import ChatRequest, Message, Usage, as_messages
from workbench.core.protocols import HttpRequest
from workbench.dialects import auth_aws, auth_tokens
from workbench.dialects.spark_socket import SparkSocket

from ..support.dialect_streams import completion, decode

DIALECT = SparkSocket()


def said(text: list[dict[str, Any]], status: int, **payload: Any) -> bytes:
    choices = {"status": status, "seq": 0, "text": text}
    return (
        json.dumps({"header": {"code": 0, "message": "Success", "sid": "s1", "status": status}, "payload": {"choices": choices, **payload}}).encode()
        + b"\n"
    )


def test_the_one_message_is_what_the_vendor_documents() -> None:
    sent = DIALECT.encode(
        ChatRequest((Message("system", "Be kind."), Message("user", "Hi")), "4.0Ultra", parameters={"temperature": 0.5, "max_completion_tokens": 9})
    )
    assert (sent.method, sent.path, sent.key_parts) == ("GET", "/v4.0/chat", ("app_id",))
    assert sent.json == {
        "header": {"app_id": "{app_id}"},
        "parameter": {"chat": {"domain": "4.0Ultra", "temperature": 0.5, "max_tokens": 9}},
        "payload": {"message": {"text": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]}},
    }
    assert DIALECT.encode(ChatRequest(as_messages("x"), "pro-128k")).path == "/chat/pro-128k"
    with pytest.raises(errors.ArgumentError, match="HTTP"):
        DIALECT.encode(ChatRequest(as_messages("x"), "lite", ({"name": "f"},)))


def test_an_answer_in_pieces_is_put_together() -> None:
    usage = {"text": {"question_tokens": 4, "prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}}
    data = [said([{"content": "", "reasoning_content": "Hm"}], 0), said([{"content": "Grü"}], 1), said([{"content": "ße"}], 2, usage=usage)]
    whole = completion(decode(DIALECT, *data))
    assert (whole.text, whole.reasoning, whole.finish_reason, whole.usage, whole.request_id) == ("Grüße", "Hm", "stop", Usage(5, 9), "s1")


def test_an_error_message_has_its_kind() -> None:
    data = json.dumps({"header": {"code": 11200, "message": "AppIdNoAuthError", "sid": "s1", "status": 2}}).encode() + b"\n"
    (found,) = decode(DIALECT, data)
    assert isinstance(found, ErrorInStream)
    here = Endpoint("wss://x", "lite", "spark_socket", options={"error_codes": {"11200": "permission"}})
    error = DIALECT.error(here, 200, {}, found.body)
    assert isinstance(error, errors.AuthenticationFailed)
    assert error.request_id == "s1"


def test_the_address_of_a_socket_is_signed_as_the_vendor_says() -> None:
    keys = {"api_key": "KEY", "api_secret": "SECRET", "app_id": "A"}
    url, headers = auth_tokens.spark_signed(keys, HttpRequest("GET", "/v1.1/chat"), "wss://spark-api.xf-yun.com/v1.1/chat", now=1683271400)
    assert headers == {}
    query = parse_qs(urlsplit(url).query)
    assert query["date"] == ["Fri, 05 May 2023 07:23:20 GMT"]
    origin = "host: spark-api.xf-yun.com\ndate: Fri, 05 May 2023 07:23:20 GMT\nGET /v1.1/chat HTTP/1.1"
    signature = base64.b64encode(hmac.new(b"SECRET", origin.encode(), hashlib.sha256).digest()).decode()
    assert base64.b64decode(query["authorization"][0]).decode() == (
        f'api_key="KEY", algorithm="hmac-sha256", headers="host date request-line", signature="{signature}"'
    )


@pytest.mark.parametrize("token", ["", "SESSION"])
@pytest.mark.parametrize(
    "url",
    [
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-x%3A0/converse-stream",
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fus.x/converse",
        "https://bedrock.eu-west-1.amazonaws.com/foundation-models?byProvider=a b&x=1".replace(" ", "%20"),
    ],
)
def test_amazons_signature_is_the_one_that_its_own_package_makes(url: str, token: str) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = '{"a": "ü"}'.encode()
    theirs = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials("AKID", "SECRET", token or None), "bedrock", "eu-west-1").add_auth(theirs)
    moment = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    keys = {"access_key": "AKID", "secret_key": "SECRET", **({"session_token": token} if token else {})}
    request = HttpRequest("POST", "", content=body, headers={"Content-Type": "application/json"})
    _, ours = auth_aws.sign(keys, request, url, now=moment)
    assert ours["Authorization"] == theirs.headers["Authorization"]
    assert ours.get("X-Amz-Security-Token", "") == token


def test_a_bedrock_key_needs_no_signature() -> None:
    assert registry.get("auth", "bedrock")({"key": "k"}, HttpRequest("POST", ""), "https://x")[1] == {"Authorization": "Bearer k"}


def test_a_pair_of_keys_becomes_a_token_that_lives_half_an_hour() -> None:
    _, headers = auth_tokens.sensenova({"key": "AK", "secret_key": "SK"}, HttpRequest("POST", ""), "https://x", now=1000)
    head, claims, signature = headers["Authorization"].removeprefix("Bearer ").split(".")

    def unpacked(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    assert json.loads(unpacked(head)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(unpacked(claims)) == {"iss": "AK", "exp": 2800, "nbf": 995}
    assert unpacked(signature) == hmac.new(b"SK", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert auth_tokens.sensenova({"key": "sk-1"}, HttpRequest("POST", ""), "https://x")[1] == {"Authorization": "Bearer sk-1"}
