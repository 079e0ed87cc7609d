"""The next thing to do after a refusal, where more is known here than its words tell: whose key it was, which models there are.

Knows vendors' data and asks the server for its models; never shows a key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ...core.endpoints import Endpoint
from ...core.protocols import HttpRequest, Wire
from ...dialects.openai_errors import names_of
from ...errors import AuthenticationFailed, EndpointError, ModelUnknown, nearest
from ...providers import catalog
from ..secrets import keys

PATIENCE = 5.0  # seconds that the question which models there are may take
_SHOWN = 6


async def advise(error: EndpointError, endpoint: Endpoint, ask_models: Callable[[], Awaitable[list[str]]]) -> None:
    """Put what is known into the error's ``fix``.

    Parameters
    ----------
    ask_models : callable
        Asks the server; it is only called when that helps, and may raise.
    """
    if isinstance(error, AuthenticationFailed):
        error.fix = _key_advice(endpoint) or error.fix
    elif isinstance(error, ModelUnknown):
        try:
            async with asyncio.timeout(PATIENCE):
                names = await ask_models()
        except Exception:  # the advice is an ornament
            names = []
        error.fix = model_advice(endpoint, names) or error.fix


def model_advice(endpoint: Endpoint, served: list[str]) -> str:
    """What to name instead, from the models that a server lists, else from those that the vendor's data lists."""
    names = served or _listed(endpoint.source)
    if not names:
        return ""
    near = nearest(endpoint.model, names)
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    whose = "It serves" if served else "Known models are"
    return f"Name one that it serves: {near!r} is the nearest. {whose}: {shown}." if near else f"Name one that it serves. {whose}: {shown}."


def models_request(wire: Wire) -> HttpRequest:
    """How a format asks which models there are."""
    own: Any = getattr(wire, "models_request", None)
    found: HttpRequest = own() if own is not None else HttpRequest("GET", "/models")
    return found


def names_in(body: bytes) -> list[str]:
    """The models in an answer to that."""
    return names_of(json.loads(body))


def _listed(source: str) -> list[str]:
    provider = catalog.find(source) if source else None
    return sorted({m for c in provider.capabilities.values() for m in c.models}) if provider else []


def _key_advice(endpoint: Endpoint) -> str:
    kind, _, rest = endpoint.key_ref.partition(":")
    if kind == "held":
        return "Give a valid key: this one was given as an argument."
    name, _, type_ = rest.partition(":")
    provider = catalog.find(name) if kind == "provider" else None
    if provider is None:
        return ""
    came = ", ".join(str(place) for place in keys.key_places(provider, type_ or "llm"))
    where = f" {provider.note}" if provider.places and provider.note else ""  # a key of another region is refused like a wrong one
    return f"Check the key: it came from {came}. Set {keys.variable_to_set(provider)}, or run `workbench keys set {provider.name}`.{where}"
