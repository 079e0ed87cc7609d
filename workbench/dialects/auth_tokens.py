"""Keys that become a short-lived token or signature before they are sent. Pure: credentials in, headers or an address out.

SenseNova: a JSON Web Token (RFC 7519) signed with HMAC-SHA256, as the vendor's ``sensenova`` package makes it. Spark: the signature of its
WebSocket addresses, as the vendor's ``spark-ai-python`` package makes it (https://www.xfyun.cn/doc/spark/general_url_authentication.html).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import urlencode, urlsplit

from ..core.protocols import HttpRequest

_LIFE = 1800  # seconds


def sensenova(credentials: Mapping[str, str], request: HttpRequest, url: str, *, now: float | None = None) -> tuple[str, Mapping[str, str]]:
    """An ``sk-…`` key as it is; an access key (``key``) and its ``secret_key`` as a token that lives for half an hour."""
    secret = credentials.get("secret_key")
    if not secret or credentials["key"].startswith("sk-"):
        return url, {"Authorization": f"Bearer {credentials['key']}"}
    moment = int(time.time() if now is None else now)
    claims = {"iss": str(credentials["key"]), "exp": moment + _LIFE, "nbf": moment - 5}
    return url, {"Authorization": f"Bearer {_jwt(claims, secret)}"}


def spark(credentials: Mapping[str, str], request: HttpRequest, url: str) -> tuple[str, Mapping[str, str]]:
    """Spark over HTTP: the console's APIPassword, else the pair of the WebSocket product joined by a colon."""
    key, pair, secret = credentials.get("key"), credentials.get("api_key"), credentials.get("api_secret")
    if secret and not (key and pair):
        return url, {"Authorization": f"Bearer {pair or key}:{secret}"}
    return url, {"Authorization": f"Bearer {key}"}


def spark_signed(credentials: Mapping[str, str], request: HttpRequest, url: str, *, now: float | None = None) -> tuple[str, Mapping[str, str]]:
    """Spark's WebSockets and its embeddings: host, date and request line signed into the address."""
    name = credentials.get("api_key") or credentials["key"]
    parts = urlsplit(url)
    date = formatdate(now, usegmt=True)
    method = "GET" if parts.scheme in ("ws", "wss") else request.method
    origin = f"host: {parts.netloc}\ndate: {date}\n{method} {parts.path or '/'} HTTP/1.1"
    signature = base64.b64encode(hmac.new(credentials["api_secret"].encode(), origin.encode(), hashlib.sha256).digest()).decode()
    proof = f'api_key="{name!s}", algorithm="hmac-sha256", headers="host date request-line", signature="{signature}"'
    query = urlencode({"authorization": base64.b64encode(proof.encode()).decode(), "date": date, "host": parts.netloc})
    return f"{url}{'&' if parts.query else '?'}{query}", {}


def _jwt(claims: Mapping[str, object], secret: str) -> str:
    head = _packed(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    body = _packed(json.dumps(claims, separators=(",", ":")).encode())
    signed = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_packed(signed)}"


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
