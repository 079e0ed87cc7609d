"""Gives ``transformers serve`` the rest of OpenAI's form: the served name, the list with this one model, errors with a message.

By itself it takes only the model's path for a name, lists whatever lies in the cache of the hub, and writes errors in FastAPI's form.
There is one model here, so that a request may name any, as at our other servers. Standard library at the top; the rest is there where
transformers serves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

MODELS = "/v1/models"
CLOSED = ("/load_model", "/reset")  # would load other models, or put this one away
_LENGTH = b"content-length"


def put_on(path: str) -> None:
    """Change which model transformers' server takes from now on: always the one at that path, however a request names it."""
    from transformers.cli.serving.model_manager import ModelManager
    from transformers.cli.serving.utils import BaseHandler

    manager: Any = ModelManager
    handler: Any = BaseHandler
    resolve, processed = handler._resolve_model, manager.process_model_name

    def resolved(of: Any, body: dict[str, Any]) -> Any:
        body.pop("model", None)
        return resolve(of, body)

    handler._resolve_model, manager.process_model_name = resolved, staticmethod(lambda _: processed(path))


class OpenAIForm:
    """An ASGI application that answers as OpenAI does, around transformers' own.

    Parameters
    ----------
    name : str
        What the model is called in lists and answers.
    path : str
        What transformers calls it.
    """

    def __init__(self, app: Any, name: str, path: str) -> None:
        self.app, self.name = app, name
        self._called = re.compile(re.escape(json.dumps(path, ensure_ascii=False)[:-1].encode()) + rb'(?:@\w+)?"')
        self._name = json.dumps(name, ensure_ascii=False).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif path == MODELS and scope["method"] in ("GET", "HEAD"):
            await _say(send, 200, {"object": "list", "data": [self._model()]})
        elif path.startswith(MODELS + "/") and scope["method"] in ("GET", "HEAD"):
            known = path.removeprefix(MODELS + "/") == self.name
            await _say(send, *((200, self._model()) if known else (404, error(404, f"There is no such model; there is {self.name!r}."))))
        elif path in CLOSED:
            await _say(send, 404, error(404, f"There is nothing at {path}."))
        else:
            await self.app(scope, receive, _Answer(self, send).send)

    def _model(self) -> dict[str, Any]:
        return {"id": self.name, "object": "model", "created": 0, "owned_by": "workbench"}

    def renamed(self, body: bytes) -> bytes:
        """A part of an answer with the served name in it. A path that stands in a text has other quotes around it."""
        return self._called.sub(lambda _: self._name, body)


class _Answer:
    """One answer on its way out. An error is held until it is whole."""

    def __init__(self, form: OpenAIForm, send: Any) -> None:
        self._form, self._send = form, send
        self._start: Any = None
        self._parts: list[bytes] = []

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._start is not None and self._start["status"] >= 400:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._refuse()
        else:
            await self._pass(message)

    async def _pass(self, message: Any) -> None:
        body = self._form.renamed(message.get("body", b""))
        if self._start is not None:
            headers = [(k, v) for k, v in self._start["headers"] if k.lower() != _LENGTH]
            whole = [] if message.get("more_body") else [(_LENGTH, b"%d" % len(body))]
            await self._send({**self._start, "headers": [*headers, *whole]})
            self._start = None
        await self._send({**message, "body": body})

    async def _refuse(self) -> None:
        status, body = self._start["status"], b"".join(self._parts)
        try:
            said = json.loads(body)
        except ValueError:
            said = body.decode(errors="replace")
        if not (isinstance(said, dict) and isinstance(said.get("error"), dict)):
            said = error(status, message_of(said))
        await _say(self._send, status, said)


def message_of(said: Any) -> str:
    """The words of an error in FastAPI's form: a text, or a list of what is wrong where."""
    found = said.get("detail", said.get("error", said)) if isinstance(said, dict) else said
    if isinstance(found, Sequence) and not isinstance(found, str):
        return "; ".join(f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}" if isinstance(one, dict) else str(one) for one in found)
    return str(found)


def error(status: int, message: str) -> dict[str, Any]:
    """An error as OpenAI writes one."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


async def _say(send: Any, status: int, said: dict[str, Any]) -> None:
    body = json.dumps(said).encode()
    headers = [(b"content-type", b"application/json"), (_LENGTH, b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
