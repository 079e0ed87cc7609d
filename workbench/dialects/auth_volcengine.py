"""Volcengine's request signature, version 4. Pure: credentials and a request in, headers out.

Source: https://www.volcengine.com/docs/6369/67269 and the volcenginesdk-core package. It differs from AWS's in the names of the algorithm, the
date header and the scope's end.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from ..core.protocols import HttpRequest

_SIGNED = "content-type;host;x-content-sha256;x-date"


def sign(
    credentials: Mapping[str, str], request: HttpRequest, url: str, *, service: str = "ark", now: datetime | None = None
) -> tuple[str, Mapping[str, str]]:
    """The address and the headers of a signed request.

    Parameters
    ----------
    credentials : Mapping
        ``access_key``, ``secret_key`` and, where it is not ``cn-beijing``, ``region``.
    request : HttpRequest
        Its ``content`` is what is sent.
    url : str
        With the query.
    service : str
        Volcengine's name of the service.
    now : datetime, optional
        For tests.
    """
    parts = urlsplit(url)
    date = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    region = credentials.get("region") or "cn-beijing"
    body = hashlib.sha256(request.content or b"").hexdigest()
    kind = next((v for k, v in request.headers.items() if k.lower() == "content-type"), "application/json")
    query = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in parse_qsl(parts.query, keep_blank_values=True)))
    lines = f"content-type:{kind}\nhost:{parts.netloc}\nx-content-sha256:{body}\nx-date:{date}\n"
    canonical = "\n".join([request.method, parts.path or "/", query, lines, _SIGNED, body])
    scope = f"{date[:8]}/{region}/{service}/request"
    to_sign = "\n".join(["HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = credentials["secret_key"].encode()
    for part in (date[:8], region, service, "request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials['access_key']}/{scope}"
    return url, {
        "Content-Type": kind,
        "X-Date": date,
        "X-Content-Sha256": body,
        "Authorization": f"HMAC-SHA256 Credential={credential}, SignedHeaders={_SIGNED}, Signature={signature}",
    }
