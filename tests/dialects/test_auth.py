"""Ways to carry a key, against what others make of the same input: botocore's signer, an independent reading of a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.protocols import HttpRequest
from workbench.dialects import auth_aws, auth_headers, auth_tokens

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
PAIR = {"access_key": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def by_botocore(url: str, body: bytes, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    keys = Credentials(credentials["access_key"], credentials["secret_key"], credentials.get("session_token"))
    SigV4Auth(keys, "bedrock", urlsplit(url).netloc.split(".")[1]).add_auth(request)
    return dict(request.headers)


@pytest.mark.parametrize("token", ["", "a-session-token=="])
@pytest.mark.parametrize(
    "url",
    [
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream",
        "https://bedrock-agent-runtime.eu-west-1.amazonaws.com/rerank",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy/invoke?b=2&a=1%20x",
    ],
)
def test_amazons_signature_is_botocores(url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = {**PAIR, **({"session_token": token} if token else {})}
    body = '{"text": "é"}'.encode()
    request = HttpRequest("POST", "", content=body, headers={"Content-Type": "application/json"})
    wanted = by_botocore(url, body, credentials, monkeypatch)
    same, headers = auth_aws.sign(credentials, request, url, now=NOW)
    assert same == url
    assert headers["Authorization"] == wanted["Authorization"]
    assert headers["X-Amz-Date"] == wanted["X-Amz-Date"]
    assert headers.get("X-Amz-Security-Token", "") == token


def test_a_bedrock_key_is_a_bearer_and_goes_before_a_pair() -> None:
    _, headers = auth_aws.bedrock({**PAIR, "key": "ABSK"}, HttpRequest("POST", ""), "https://x")
    assert headers == {"Authorization": "Bearer ABSK"}


def unpacked(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=60))
def test_a_pair_of_sensenova_becomes_a_token_that_its_secret_verifies(key: str, secret: str) -> None:
    if key.startswith("sk-"):
        return
    _, headers = auth_tokens.sensenova({"key": key, "secret_key": secret}, HttpRequest("POST", ""), "https://x", now=1_000_000.0)
    head, claims, signature = headers["Authorization"].removeprefix("Bearer ").split(".")
    assert unpacked(head) == {"alg": "HS256", "typ": "JWT"}
    assert unpacked(claims) == {"iss": key, "exp": 1_001_800, "nbf": 999_995}
    made = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature


def test_a_key_of_sensenovas_token_plan_goes_as_it_is() -> None:
    assert auth_tokens.sensenova({"key": "sk-1", "secret_key": "x"}, HttpRequest("POST", ""), "u")[1] == {"Authorization": "Bearer sk-1"}


def test_sparks_address_is_signed_over_host_date_and_request_line() -> None:
    parts = {"app_id": "a", "api_key": "k", "api_secret": "s"}
    url, headers = auth_tokens.spark_signed(parts, HttpRequest("GET", ""), "wss://spark-api.xf-yun.com/v3.5/chat", now=0.0)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert headers == {}
    assert query["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert query["host"] == "spark-api.xf-yun.com"
    signed = b"host: spark-api.xf-yun.com\ndate: Thu, 01 Jan 1970 00:00:00 GMT\nGET /v3.5/chat HTTP/1.1"
    signature = base64.b64encode(hmac.new(b"s", signed, hashlib.sha256).digest()).decode()
    proof = base64.b64decode(query["authorization"]).decode()
    assert proof == f'api_key="k", algorithm="hmac-sha256", headers="host date request-line", signature="{signature}"'


@pytest.mark.parametrize(
    ("parts", "bearer"),
    [
        ({"key": "p"}, "p"),
        ({"api_key": "k", "api_secret": "s"}, "k:s"),
        ({"key": "k", "api_secret": "s"}, "k:s"),
        ({"key": "p", "api_key": "k", "api_secret": "s"}, "p"),
    ],
)
def test_sparks_password_or_pair_over_http(parts: dict[str, str], bearer: str) -> None:
    assert auth_tokens.spark(parts, HttpRequest("POST", ""), "u")[1] == {"Authorization": f"Bearer {bearer}"}


@pytest.mark.parametrize(
    ("name", "parts", "wanted"),
    [
        ("bearer", {"key": "k"}, {"Authorization": "Bearer k"}),
        ("bearer", {}, {}),
        ("google", {"key": "k"}, {"x-goog-api-key": "k"}),
        ("azure", {"key": "k"}, {"api-key": "k"}),
        ("azure", {"key": "k", "ad_token": "t"}, {"Authorization": "Bearer t"}),
        ("azure_speech", {"speech_key": "k"}, {"Ocp-Apim-Subscription-Key": "k"}),
        ("volcengine_tts", {"app_id": "a", "access_token": "t"}, {"X-Api-App-Id": "a", "X-Api-Access-Key": "t"}),
        ("volcengine_stt", {"app_id": "a", "access_token": "t"}, {"X-Api-App-Key": "a", "X-Api-Access-Key": "t"}),
    ],
)
def test_keys_that_are_a_header(name: str, parts: dict[str, str], wanted: dict[str, str]) -> None:
    assert getattr(auth_headers, name)(parts, HttpRequest("POST", ""), "u") == ("u", wanted)
