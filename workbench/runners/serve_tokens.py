"""What ``transformers serve`` does not have, put around it: another chat template, default parameters, and the prompt with its tokens.

``POST /tokenize`` and ``/detokenize`` have vLLM's form (``vllm/entrypoints/serve/tokenize/protocol.py``), and the answer has ``prompt``, the
text of the prompt, besides. What is rendered is made by the very processor that makes the prompts of chats. Standard library at the top;
the rest is there where transformers serves.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .body_limit import once
else:
    from body_limit import once

PATHS = ("/tokenize", "/detokenize")
CHATS = ("/v1/chat/completions", "/v1/completions", "/v1/responses")


class Dress:
    """The changes for one served model.

    Parameters
    ----------
    chat_template : str
        Jinja that stands for the model's own; empty for none.
    generation : dict
        Fields of the model's ``GenerationConfig``.
    fields : dict
        Fields of every request that does not give its own.
    """

    def __init__(self, chat_template: str = "", generation: dict[str, Any] | None = None, fields: dict[str, Any] | None = None) -> None:
        self.chat_template, self.generation, self.fields = chat_template, dict(generation or {}), dict(fields or {})
        self.processor: Any = None
        self.model: Any = None
        self.handler: Any = None

    def put_on(self) -> None:
        """Change what transformers' server makes from now on."""
        from transformers.cli.serving.chat_completion import ChatCompletionHandler
        from transformers.cli.serving.model_manager import ModelManager

        manager: Any = ModelManager
        handler: Any = ChatCompletionHandler
        load_processor, load_model, begin = manager._load_processor, manager._load_model, handler.__init__

        def processor(of: Any, *args: Any, **kwargs: Any) -> Any:
            self.processor = load_processor(of, *args, **kwargs)
            if self.chat_template:
                self._exchange()
            return self.processor

        def model(of: Any, *args: Any, **kwargs: Any) -> Any:
            self.model = load_model(of, *args, **kwargs)
            config = getattr(self.model, "generation_config", None)
            if config is not None and self.generation:
                config.update(**self.generation)
            return self.model

        def init(of: Any, *args: Any, **kwargs: Any) -> None:
            begin(of, *args, **kwargs)
            self.handler = of

        manager._load_processor, manager._load_model, handler.__init__ = processor, model, init

    def _exchange(self) -> None:
        """The model's own template for the given one.

        transformers cuts answers by marks that it knows of the model's family; where the given template opens the answer in another
        way these would not be found, and the whole prompt be taken for the answer.
        """
        from transformers.cli.serving import utils

        before = opening(self.processor)
        for part in (self.processor, getattr(self.processor, "tokenizer", None)):
            if part is not None:
                part.chat_template = self.chat_template
        if opening(self.processor) != before:
            anyhow: Any = utils
            anyhow.get_response_template = lambda *args, **kwargs: None

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What is answered to a question about tokens, and its status."""
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        if tokenizer is None or not hasattr(tokenizer, "decode"):
            return 503, _error("The model is not loaded yet.")
        try:
            if path == "/detokenize":
                return 200, {"prompt": text_of(tokenizer, [int(i) for i in body["tokens"]])}
            prompt, ids = self._prompt(tokenizer, body)
        except (KeyError, TypeError, ValueError, IndexError) as e:
            return 400, _error(f"{e.args[0] if e.args else e}" if not isinstance(e, KeyError) else f"The field {e} is missing.")
        except Exception as e:  # a chat template raises what it likes
            return 400, _error(str(e) or type(e).__name__)
        names = tokenizer.convert_ids_to_tokens(ids) if body.get("return_token_strs") else None
        length = getattr(getattr(self.model, "config", None), "max_position_embeddings", None) or 0
        return 200, {"count": len(ids), "max_model_len": length, "tokens": ids, "token_strs": names, "prompt": prompt}

    def _prompt(self, tokenizer: Any, body: dict[str, Any]) -> tuple[str, list[int]]:
        if "messages" not in body:
            text = str(body["prompt"])
            return text, list(tokenizer.encode(text, add_special_tokens=bool(body.get("add_special_tokens", True))))
        if not getattr(tokenizer, "chat_template", None) and not getattr(self.processor, "chat_template", None):
            raise ValueError("chat_template is not set: the model has no chat template.")
        turns = body["messages"]
        given = {**(body.get("chat_template_kwargs") or {}), "tools": body.get("tools") or None}
        if self.handler is not None:
            turns = self.handler.get_processor_inputs_from_messages(
                turns, self.handler.model_manager.get_model_modality(self.model, processor=self.processor)
            )
            given = {**self.handler.chat_template_kwargs, **given}
        given["add_generation_prompt"] = bool(body.get("add_generation_prompt", True))
        if body.get("continue_final_message"):
            given |= {"continue_final_message": True, "add_generation_prompt": False}
        text = self.processor.apply_chat_template(turns, tokenize=False, **given)
        ids = self.processor.apply_chat_template(turns, tokenize=True, return_dict=True, **given)["input_ids"]
        return text, [int(i) for i in (ids[0] if len(ids) and hasattr(ids[0], "__len__") else ids)]


def opening(processor: Any) -> str:
    """How the answer is opened in the prompt; empty where there is no template."""
    turns = [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
    try:
        with_it, without = (str(processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=yes)) for yes in (True, False))
    except Exception:  # a template raises what it likes
        return ""
    return with_it.removeprefix(without)


def text_of(tokenizer: Any, ids: list[int]) -> str:
    """The text of tokens, special ones included."""
    size = len(tokenizer)
    if beyond := [i for i in ids if not 0 <= i < size]:
        raise ValueError(f"The vocabulary has {size} tokens, and none with the number {beyond[0]}.")
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": 400}}


class Dressed:
    """An ASGI application that answers about tokens and fills in default fields, around transformers' own."""

    def __init__(self, app: Any, dress: Dress) -> None:
        self.app, self.dress = app, dress

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "") if scope["type"] == "http" and scope["method"] == "POST" else ""
        if path in PATHS:
            await self._tell(path, receive, send)
        elif path in CHATS and self.dress.fields:
            await self.app(*filled(scope, await _body(receive), receive, self.dress.fields), send)
        else:
            await self.app(scope, receive, send)

    async def _tell(self, path: str, receive: Any, send: Any) -> None:
        try:
            body = json.loads(await _body(receive))
            status, found = (
                await asyncio.to_thread(self.dress.answer, path, body) if isinstance(body, dict) else (400, _error("The body is no object."))
            )
        except ValueError:
            status, found = 400, _error("The body is no JSON.")
        said = json.dumps(found).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})


def filled(scope: Any, body: bytes, receive: Any, fields: dict[str, Any]) -> tuple[Any, Any]:
    """The request with the fields that it does not have; one that is no JSON object goes through as it is."""
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if isinstance(given, dict):
        limit = {"max_tokens", "max_completion_tokens", "max_output_tokens"}
        missing = {k: v for k, v in fields.items() if given.get(k) is None and not (k in limit and any(given.get(n) is not None for n in limit))}
        if "max_tokens" in missing and scope["path"] == "/v1/responses":
            missing["max_output_tokens"] = missing.pop("max_tokens")
        body = json.dumps({**given, **missing}).encode()
    headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", b"%d" % len(body))]}, once(body, receive)


async def _body(receive: Any) -> bytes:
    """The whole body; `body_limit` has refused what is too large."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
