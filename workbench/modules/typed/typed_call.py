"""One call of a model that does not chat, while it is under way: where it goes, with which codec, its checked parameters.

Knows no type by its meaning; `workbench.modules.typed.typed_calls` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.media import Media
from ...errors import unknown_argument

_OWN = {
    "embed": ("modality",),
    "cross_modal_embed": ("modality",),
    "rerank": ("documents", "top_n"),
    "stt": ("files",),
    "tts": ("voice", "format"),
    "sd": ("files",),
    "image_editing": ("files", "mask"),
}  # arguments that become a part of the request by themselves


class Asking(Protocol):
    """What a call has to know of the `TypedCalls` that makes it."""

    type: str
    codec: str
    batch_size: int | None
    num_worker: int
    timeouts: Timeouts
    defaults: dict[str, Any]


class OneCall:
    """One call under way: where, with which codec, and its checked parameters."""

    def __init__(self, calls: Asking, endpoint: Endpoint, told: Callable[[str], object] | None) -> None:
        self.calls, self.endpoint, self.told = calls, endpoint, told
        self.reader = registry.get("codec", calls.codec)(endpoint.options)

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters to send: the defaults, those given, and ``extra`` unread. ``model`` is taken out."""
        sent = {**self.calls.defaults, **given}
        model, url, extra = (
            sent.pop("model", None),
            sent.pop("url", None),
            {**(sent.pop("extra", None) or {}), **(sent.pop("extra_body", None) or {})},
        )
        if model:
            self.endpoint = replace(self.endpoint, model=str(model))
        if url:
            self.endpoint = whole_address(self.endpoint, self.calls.codec, str(url))
        for name in sent:
            if name not in self.reader.known and name != "voice":
                raise unknown_argument(
                    f"A call of type {self.calls.type!r} at {self.endpoint.source}", name, {*self.reader.known, "model", "url", "extra"}
                )
        return {**{k: v for k, v in sent.items() if v is not None}, **extra}

    @property
    def batch_size(self) -> int:
        """The most inputs of one request."""
        return int(self.calls.batch_size or self.reader.batch_size)

    async def had(self, file: Media, *, given: bool = False) -> Media:
        """The file with its content, fetched where it has none."""
        return file if file.data else await self.fetch(file, given=given)

    async def send(self, request: Any) -> Any:
        from ...runtime.network.calls import acall

        return await acall(self.endpoint, self.calls.codec, request, self.calls.timeouts, self.told)

    async def fetch(self, file: Media, *, given: bool = False) -> Media:
        """A file's content; one that the user named may lie on this machine, too."""
        from ...runtime.network.fetch import fetch

        return await fetch(file, replace(self.endpoint, url=file.url) if given else self.endpoint, self.calls.timeouts)


def whole_address(endpoint: Endpoint, codec: str, url: str) -> Endpoint:
    """The endpoint for an address of the user's that may be the base or name the whole path, which is then asked as it is.

    A base ends in nothing, a slash, or a version such as ``v1``.
    """
    base, path = url.strip().rstrip("/"), registry.get("codec", codec)(endpoint.options).path
    if path and base.endswith(path):
        return replace(endpoint, url=base.removesuffix(path))
    last = urlsplit(base).path.rpartition("/")[2]
    is_base = not last or url.strip().endswith("/") or (last[0] == "v" and last[1:2].isdigit()) or last in ("openai", "api", "compatible-mode")
    return replace(endpoint, url=base) if is_base else replace(endpoint, url=base, options={**endpoint.options, "path": ""})
