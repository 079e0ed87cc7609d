"""LightLLM's own form: ``POST …/generate_stream`` with ``inputs`` and ``parameters``, answered with an event for each token.

Form: ``lightllm/server/api_lightllm.py`` (https://github.com/ModelTC/lightllm). The server applies no chat template and knows neither roles,
tools nor files, as vLLM's ``/generate`` does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.events import Finish, StreamEvent, TextDelta, UsageReport
from ..core.messages import ChatRequest, FinishReason, Usage
from ..core.protocols import HttpRequest
from . import parameters
from .raw_events import RawDecoder
from .vllm_generate import VllmGenerate

_NAMES = {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens", "stop": "stop_sequences"}
_ENDS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "abort": "cancelled"}


class LightLLMGenerate(VllmGenerate):
    """``POST …/generate_stream``, or ``/generate`` for the whole answer at once."""

    name = "lightllm_generate"
    title = "LightLLM"

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body. Raises `ArgumentError` for tools and files."""
        values = parameters.arrange(dict(request.parameters), self.options)
        for ours, theirs in _NAMES.items():
            if ours in values:
                values.setdefault(theirs, values.pop(ours))
        if values.get("temperature") == 0:
            values = {**values, "do_sample": False}
            del values["temperature"]
        elif "temperature" in values:
            values.setdefault("do_sample", True)
        parameters.merge(values, parameters.extras(request.parameters))
        return HttpRequest("POST", "/generate_stream" if stream else "/generate", {"inputs": self.prompt(request), "parameters": values})

    def decoder(self) -> LightLLMDecoder:  # type: ignore[override]  # of a form of its own
        """A decoder for one answer."""
        return LightLLMDecoder()


class LightLLMDecoder(RawDecoder):
    """Lines of one answer → events."""

    def __init__(self) -> None:
        super().__init__("LightLLM's form")

    def _told(self, found: Mapping[str, Any]) -> Iterator[StreamEvent] | None:
        if isinstance(found.get("token"), Mapping):
            return self._token(found)
        return self._whole(found) if found.get("generated_text") is not None else None

    def _token(self, found: Mapping[str, Any]) -> Iterator[StreamEvent]:
        token = found["token"]
        if token.get("text"):
            yield TextDelta(str(token["text"]))
        if found.get("finished"):
            yield from self._end(token.get("prompt_tokens"), token.get("count_output_tokens"), found.get("finish_reason"))

    def _whole(self, found: Mapping[str, Any]) -> Iterator[StreamEvent]:
        said = found["generated_text"]
        yield TextDelta(str(said[0] if isinstance(said, list) else said))
        yield from self._end(found.get("prompt_tokens"), found.get("count_output_tokens"), found.get("finish_reason"))

    def _end(self, prompt: Any, completion: Any, reason: Any) -> Iterator[StreamEvent]:
        if isinstance(prompt, int) and isinstance(completion, int):
            yield UsageReport(Usage(prompt, completion))
        yield Finish(_ENDS.get(str(reason), "unknown"))
        self.done = True
