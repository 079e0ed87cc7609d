"""The exact prompt and its tokens, asked of the server that runs the model: vLLM's form, which our own servers speak too, SGLang's, and
llama.cpp's.

Forms: ``vllm/entrypoints/serve/tokenize/protocol.py`` and https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md. The paths
lie beside ``/v1``, so the endpoint that these are used with has an address without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.prompting import Prompted, PromptRequest, readable
from ..core.protocols import FollowUp, HttpRequest
from .codec import JsonCodec, read


class VllmTokens(JsonCodec):
    """``POST /tokenize`` with messages or a prompt, ``POST /detokenize``. One object serves one call.

    vLLM tells no text of a prompt, so that of its tokens is asked for; our servers send it along.
    """

    name = "prompt_vllm"
    text = "prompt"  # what /detokenize calls it
    beside: Mapping[str, Any] = {}  # what it is told

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._request = PromptRequest("render")

    def encode(self, request: PromptRequest) -> HttpRequest:
        self._request = request
        if request.want == "detokenize":
            return self._text_of(request.ids)
        body: dict[str, Any] = {"model": request.model or None, "add_special_tokens": False, "return_token_strs": request.want == "tokenize"}
        if request.messages is None:
            body["prompt"] = request.text
        else:
            body |= {"messages": list(request.messages), "add_generation_prompt": request.opens, "continue_final_message": request.continues}
            body |= {"tools": list(request.tools) or None, "chat_template_kwargs": request.others or None}
        return HttpRequest("POST", "/tokenize", {k: v for k, v in body.items() if v is not None})

    def _text_of(self, ids: tuple[int, ...]) -> HttpRequest:
        named = {"model": self._request.model} if self._request.model else {}
        return HttpRequest("POST", "/detokenize", {**named, "tokens": list(ids), **self.beside})

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Prompted | FollowUp:
        found = read(body)
        if "tokens" not in found:
            return Prompted(str(found[self.text]), self._request.ids)
        ids = tuple(map(int, found["tokens"]))
        if self._request.want == "tokenize":
            return Prompted(str(found.get("prompt") or ""), ids, readable(found.get("token_strs") or ()))
        if "prompt" in found:
            return Prompted(str(found["prompt"]), ids)

        def text(status: int, headers: Mapping[str, str], body: bytes) -> Prompted:
            return Prompted(str(read(body)[self.text]), ids)

        return FollowUp(self._text_of(ids), decode=text)


class SGLangTokens(VllmTokens):
    """The same paths; the text of tokens has another name, and leaves the special ones out unless it is told not to.

    Form: ``srt/entrypoints/openai/protocol.py`` of SGLang.
    """

    name = "prompt_sglang"
    text = "text"
    beside: Mapping[str, Any] = {"skip_special_tokens": False}


class LlamaCppTokens(JsonCodec):
    """``POST /apply-template``, ``/tokenize`` and ``/detokenize``. One object serves one call.

    llama.cpp's template leaves out the token that begins a text where the tokenizer adds it, so the text is put together with that.
    """

    name = "prompt_llama_cpp"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._request = PromptRequest("render")

    def encode(self, request: PromptRequest) -> HttpRequest:
        self._request = request
        if request.want == "detokenize":
            return HttpRequest("POST", "/detokenize", {"tokens": list(request.ids)})
        if request.messages is None:
            return _tokenize(request.text, whole=False)
        body: dict[str, Any] = {"messages": list(request.messages), "add_generation_prompt": request.opens}
        if request.continues:
            body["continue_final_message"] = True
        if request.tools:
            body["tools"] = list(request.tools)
        if request.others:
            body["chat_template_kwargs"] = request.others
        return HttpRequest("POST", "/apply-template", body)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Prompted | FollowUp:
        found = read(body)
        if "content" in found:
            return Prompted(str(found["content"]), self._request.ids)
        if "tokens" in found:
            return self._tokens(found["tokens"], self._request.text, whole=False)
        prompt = str(found["prompt"])

        def tokens(status: int, headers: Mapping[str, str], body: bytes) -> Prompted:
            return self._tokens(read(body)["tokens"], prompt, whole=True)

        return FollowUp(_tokenize(prompt, whole=True), decode=tokens)

    def _tokens(self, rows: Any, text: str, *, whole: bool) -> Prompted:
        ids = tuple(int(row["id"]) for row in rows)
        pieces = tuple(p if isinstance(p := row["piece"], str) else bytes(p).decode("utf-8", "replace") for row in rows)
        if whole and pieces and pieces[0] and not text.startswith(pieces[0]):
            text = pieces[0] + text
        return Prompted(text, ids, pieces)


def _tokenize(text: str, *, whole: bool) -> HttpRequest:
    """``whole``: with the tokens that begin and end every text of this model."""
    return HttpRequest("POST", "/tokenize", {"content": text, "add_special": whole, "parse_special": True, "with_pieces": True})
