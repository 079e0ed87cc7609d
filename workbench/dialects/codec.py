"""What the one-shot codecs share: how a body is read, where the count of tokens stands, and how an input's parts are named.

Knows no connection, no key and no vendor by name: what a vendor does differently comes in as the endpoint's ``options``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ..core.endpoints import LOOPBACK, Endpoint
from ..core.media import Media, kind_of
from ..core.messages import Usage
from ..core.protocols import HttpRequest, Refused
from ..core.typed import Item
from ..errors import ArgumentError, unknown_argument
from .openai_errors import error_from

_IDS = ("x-request-id", "request-id", "x-ms-request-id", "apim-request-id", "x-tt-logid", "trace-id", "x-siliconcloud-trace-id", "x-api-request-id")


class JsonCodec:
    """Base of the codecs: a JSON body to one path, a JSON answer.

    Parameters
    ----------
    options : Mapping, optional
        ``path``: another path (``{model}`` in it is filled). ``body``: fields added to every request that does not have them.
        ``parameters``: names of further parameters that this server knows.

    Attributes
    ----------
    path : str
        Joined to the endpoint's address.
    known : frozenset of str
        Parameters of a call that this form knows; a call's ``extra`` goes through unread.
    batch_size : int
        How many inputs go into one request.
    """

    name = ""
    path = ""
    known: frozenset[str] = frozenset()
    batch_size = 1

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = dict(options or {})
        self.path = str(self.options.get("path", self.path))
        self.batch_size = int(self.options.get("batch_size", self.batch_size))
        self.known = self.known | frozenset(self.options.get("parameters", ()))

    def authorize(self, key: str) -> Mapping[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {key}"}

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        return error_from(endpoint, status, headers, body)

    def post(self, body: Mapping[str, Any], model: str = "", headers: Mapping[str, str] | None = None) -> HttpRequest:
        """The request with this body; fields that are None are left out."""
        whole = {**self.options.get("body", {}), **{k: v for k, v in body.items() if v is not None}}
        return HttpRequest("POST", self.address(model), whole, headers or {})

    def address(self, model: str = "", path: str = "") -> str:
        """The path with the model's name in it, where it has a place for one."""
        path = path or self.path
        return path.replace("{model}", quote(model.removeprefix("models/"), safe="")) if "{model}" in path else path


def choose(what: str, forms: Mapping[str, type[Any]], options: Mapping[str, Any] | None) -> Any:
    """The codec of the ``form`` named in the options, ``openai`` when none is.

    Raises
    ------
    ArgumentError
        For a form that nobody knows.
    """
    form = str((options or {}).get("form", next(iter(forms))))
    if form not in forms:
        raise unknown_argument(f"The codec {what!r}", form, forms)
    return forms[form](options)


def read(body: bytes) -> Any:
    """The JSON of an answer.

    Raises
    ------
    Refused
        When it is no JSON, or says, with a good status, that the request failed.
    """
    try:
        found = json.loads(body)
    except ValueError:
        said = " ".join(body[:300].decode("utf-8", "replace").split()) or "nothing"
        raise Refused(json.dumps({"message": f"The answer is no JSON but: {said}"}, ensure_ascii=False)) from None
    if isinstance(found, Mapping):
        base = found.get("base_resp")
        refused = isinstance(base, Mapping) and base.get("status_code")
        refused = refused or (found.get("error") and not (found.get("data") or found.get("output") or found.get("results")))
        refused = refused or (found.get("code") and found.get("message") and not (found.get("data") or found.get("output")))
        if refused:
            raise Refused(body.decode("utf-8", "replace"))
    return found


def usage_of(found: Any) -> Usage:
    """Tokens of an answer under any of the names that vendors use."""
    d = found if isinstance(found, Mapping) else {}
    meta = d.get("meta")
    billed = meta.get("billed_units") or meta.get("tokens") if isinstance(meta, Mapping) else None
    usage = d.get("usage") or d.get("usageMetadata") or billed or d.get("tokens") or {}
    if not isinstance(usage, Mapping):
        return Usage()
    prompt = first_of(usage, "prompt_tokens", "input_tokens", "promptTokenCount", "total_tokens", "totalTokens")
    answer = first_of(usage, "completion_tokens", "output_tokens", "candidatesTokenCount")
    return Usage(_int(prompt), _int(answer))


def request_id_of(headers: Mapping[str, str], found: Any = None) -> str:
    """The request's id, from the headers or the body."""
    named = next((headers[h] for h in _IDS if headers.get(h)), "")
    return named or str((first_of(found, "request_id", "id") if isinstance(found, Mapping) else "") or "")


def model_of(found: Any) -> str:
    """Which model answered, where the answer says."""
    return str(found.get("model") or "") if isinstance(found, Mapping) else ""


def first_of(d: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that is there and not None."""
    return next((d[n] for n in names if d.get(n) is not None), None)


def parts_of(item: Item) -> Iterator[tuple[str, str | Media]]:
    """(``text``, ``image``, ``audio`` or ``video``; the text or the file) for each part of one input.

    Raises
    ------
    ArgumentError
        For a part of another kind.
    """
    if isinstance(item, str):
        yield "text", item
    elif isinstance(item, Media):
        yield item.kind, item
    else:
        for kind, value in item.items():
            if kind not in ("text", "image", "audio", "video"):
                raise ArgumentError(f"An input cannot have a part called {kind!r}.", "", "Its parts are text, image, audio and video.")
            yield kind, value


def text_of(item: Item, where: str) -> str:
    """The text of an input that is nothing else.

    Raises
    ------
    ArgumentError
        When it holds a file.
    """
    parts = list(parts_of(item))
    if len(parts) != 1 or not isinstance(parts[0][1], str):
        raise ArgumentError(
            f"{where} takes texts only.",
            f"The input holds {', '.join(k for k, _ in parts)}.",
            "Choose a model for texts and pictures: type='cross_modal_embed'.",
        )
    return parts[0][1]


def address_of(value: str | Media) -> str:
    """A file's address, or the text itself where it stands for one."""
    return value.address if isinstance(value, Media) else value


def fetchable(url: str) -> str:
    """The address of a result, if it may be fetched: https, or this machine.

    Raises
    ------
    ValueError
        When it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname or "") in LOOPBACK):
        return url
    raise ValueError(f"The result's address is neither https nor on this machine: {parts.scheme}://{parts.hostname}")


def remote(url: str, kind: str) -> Media:
    """A result that lies at an address."""
    from ..core.media import mime_of_name

    mime = mime_of_name(urlsplit(url).path) or {"image": "image/png", "audio": "audio/wav"}.get(kind, "application/octet-stream")
    return Media(kind_of(mime), mime, b"", fetchable(url))


def _int(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
