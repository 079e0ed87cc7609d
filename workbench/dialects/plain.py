"""The codec for requests that are written as HTTP already: a vendor's files, jobs, lists of models. Reads no format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.endpoints import Endpoint
from ..core.protocols import HttpRequest
from .openai_errors import error_from


@dataclass(frozen=True, slots=True)
class HttpResult:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    def json(self) -> Any:
        """The content as JSON values; None when it is empty. Raises ValueError."""
        return json.loads(self.content) if self.content.strip() else None


class Plain:
    """``HttpRequest`` → `HttpResult`."""

    name = "plain"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = options or {}

    def encode(self, request: HttpRequest) -> HttpRequest:
        """The request as it is."""
        return request

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> HttpResult:
        """The answer as it is."""
        return HttpResult(status, headers, body)

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)
