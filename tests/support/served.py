"""What tests of served functions ask, as somebody who knows nothing of the workbench."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import workbench as wb


def ask(url: str, body: Any = None, key: str = "", **headers: str) -> tuple[int, str]:
    """A request by somebody who knows nothing of the workbench: status and text."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={**({"Authorization": f"Bearer {key}"} if key else {}), **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def key_of(server: wb.UrlModule) -> str:
    return Path(server.endpoint.key_file).read_text()
