"""SGLang's own form, and LMDeploy's, which answers alike: ``POST …/generate`` with a text, answered with what the model wrote behind it.

Forms: ``srt/managers/io_struct.py`` of SGLang and ``serve/openai/protocol.py`` of LMDeploy (``GenerateReqInput``). A stream is an event for each
step: SGLang's has all of the text so far, LMDeploy's the new piece. The servers apply no chat template and know neither roles nor tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.events import ErrorInStream, Finish, StreamEvent, TextDelta, UsageReport
from ..core.messages import ChatRequest, FinishReason, Usage
from ..core.protocols import HttpRequest
from . import parameters
from .openai_errors import message_of
from .raw_events import RawDecoder
from .vllm_generate import PATH, VllmGenerate

_ENDS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "abort": "cancelled"}


class SGLangGenerate(VllmGenerate):
    """``POST …/generate`` of SGLang: parameters stand apart, in ``sampling_params``."""

    name = "sglang_generate"
    title = "SGLang"

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest:
        """The request's body. Raises `ArgumentError` for tools and files."""
        values = parameters.arrange(dict(request.parameters), self.options)
        for name in ("max_completion_tokens", "max_tokens"):
            limit = values.pop(name, None)
            if limit is not None:
                values.setdefault("max_new_tokens", limit)
        parameters.merge(values, parameters.extras(request.parameters))
        return HttpRequest("POST", PATH, {"text": self.prompt(request), "sampling_params": values, "stream": stream})

    def decoder(self) -> GenerateDecoder:  # type: ignore[override]  # of a form of its own
        """A decoder for one answer."""
        return GenerateDecoder(self.title, grows=True)


class LMDeployGenerate(VllmGenerate):
    """``POST …/generate`` of LMDeploy."""

    name = "lmdeploy_generate"
    title = "LMDeploy"

    def decoder(self) -> GenerateDecoder:  # type: ignore[override]  # of a form of its own
        """A decoder for one answer."""
        return GenerateDecoder(self.title, grows=False)


class GenerateDecoder(RawDecoder):
    """Lines of one answer → events.

    Parameters
    ----------
    title : str
        Whose form it is, for errors.
    grows : bool
        Whether each event has all of the text so far.
    """

    def __init__(self, title: str, *, grows: bool) -> None:
        super().__init__(f"{title}'s form")
        self._grows, self._said = grows, ""

    def _told(self, found: Mapping[str, Any]) -> Iterator[StreamEvent] | None:
        return self._step(found["text"], found.get("meta_info") or {}) if isinstance(found.get("text"), str) else None

    def _step(self, text: str, told: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if self._grows and text.startswith(self._said):
            new, self._said = text[len(self._said) :], text
        else:
            new = text
        if new:
            yield TextDelta(new)
        reason = told.get("finish_reason")
        if not reason:
            return
        kind = reason.get("type") if isinstance(reason, Mapping) else reason
        if kind == "abort" and isinstance(reason, Mapping) and reason.get("message"):
            yield ErrorInStream(message_of(reason), "", int(reason.get("status_code") or 0), json.dumps(reason))
            return
        prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
        if isinstance(prompt, int) and isinstance(completion, int):
            yield UsageReport(Usage(prompt, completion))
        yield Finish(_ENDS.get(str(kind), "unknown"))
        self.done = True
