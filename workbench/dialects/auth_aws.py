"""Amazon's request signature, version 4, for Bedrock. Pure: credentials and a request in, headers out.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. A Bedrock API key is a bearer token and
needs no signature, except at the agent runtime (rerank), which takes signatures only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from ..core.protocols import HttpRequest

_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.")


def bedrock(credentials: Mapping[str, str], request: HttpRequest, url: str) -> tuple[str, Mapping[str, str]]:
    """The Bedrock API key (``key``) where there is one, else a signature."""
    if credentials.get("key"):
        return url, {"Authorization": f"Bearer {credentials['key']}"}
    return sign(credentials, request, url)


def sign(
    credentials: Mapping[str, str], request: HttpRequest, url: str, *, service: str = "bedrock", now: datetime | None = None
) -> tuple[str, Mapping[str, str]]:
    """The headers of a signed request.

    Parameters
    ----------
    credentials : Mapping
        ``access_key``, ``secret_key`` and, for temporary credentials, ``session_token``.
    request : HttpRequest
        Its ``content`` is what is sent.
    url : str
        Its host names the region; ``us-east-1`` where it does not.
    service : str
        Amazon's name of the service in signatures.
    now : datetime, optional
        For tests.
    """
    parts = urlsplit(url)
    date = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    found = _REGION.search(parts.netloc)
    region = found[1] if found else "us-east-1"
    headers = {"host": parts.netloc, "x-amz-date": date}
    kind = next((v for k, v in request.headers.items() if k.lower() == "content-type"), "")
    if kind:
        headers["content-type"] = kind
    if credentials.get("session_token"):
        headers["x-amz-security-token"] = credentials["session_token"]
    names = ";".join(sorted(headers))
    query = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in parse_qsl(parts.query, keep_blank_values=True)))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    body = hashlib.sha256(request.content or b"").hexdigest()
    canonical = "\n".join([request.method, quote(parts.path or "/", safe="/-_.~"), query, lines, names, body])
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials['secret_key']!s}".encode()
    for part in (date[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    proof = {
        "X-Amz-Date": date,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credentials['access_key']!s}/{scope}, SignedHeaders={names}, Signature={signature}",
    }
    if credentials.get("session_token"):
        proof["X-Amz-Security-Token"] = credentials["session_token"]
    return url, proof
