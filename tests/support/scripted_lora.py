"""A server that serves a model and LoRA adapters as vLLM's documents say, without either: it answers with the name it was asked by.

https://docs.vllm.ai/en/latest/features/lora/#dynamically-serving-lora-adapters. As an engine it is ``scripted_lora:LoraServer``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Models:
    """What is loaded: name → folder."""

    def __init__(self, base: str, adapters: Mapping[str, str], rank: int = 64, lora: bool = True) -> None:
        self.base, self.adapters, self.rank, self.lora = base, dict(adapters), rank, lora

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Status and body of an answer; a text where vLLM sends one."""
        if (method, path) == ("GET", "/v1/models"):
            rows = [{"id": self.base, "object": "model", "root": f"/models/{self.base}", "parent": None, "max_model_len": 2048}]
            rows += [{"id": n, "object": "model", "root": p, "parent": self.base} for n, p in self.adapters.items()]
            return 200, {"object": "list", "data": rows}
        if path == "/v1/load_lora_adapter" and self.lora:
            name, place = str(body["lora_name"]), Path(str(body["lora_path"]))
            if name in self.adapters and not body.get("load_inplace"):
                return 400, _error(f"The lora adapter '{name}' has already been loaded.")
            config = place / "adapter_config.json"
            if not config.is_file():
                return 404, _error(f"Loading lora {name} failed: No adapter found for {place}")
            rank = int(json.loads(config.read_text())["r"])
            if rank > self.rank:
                return 400, _error(f"LoRA rank {rank} is greater than max_lora_rank {self.rank}.")
            self.adapters[name] = str(place)
            return 200, f"Success: LoRA adapter '{name}' added successfully."
        if path == "/v1/unload_lora_adapter" and self.lora:
            if body["lora_name"] not in self.adapters:
                return 404, _error(f"The lora adapter '{body['lora_name']}' cannot be found.")
            del self.adapters[str(body["lora_name"])]
            return 200, "Success: LoRA adapter removed successfully."
        if path == "/v1/chat/completions":
            model = str(body["model"])
            if model not in (self.base, *self.adapters):
                return 404, _error(f"The model `{model}` does not exist.")
            return 200, _chat(model)
        return 404, {"detail": "Not Found"}


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "NotFoundError", "param": None, "code": 404}}


def _chat(model: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": f"said by {model}"}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    return {
        "id": "1",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": usage,
    }


class LoraServer:
    """The engine: ``rank`` is the room for adapters, ``lora=False`` takes none, ``dies`` counts the requests after which it is gone."""

    name, title, environment = "scripted_lora", "Scripted vLLM", "current"
    types = ("llm",)

    @staticmethod
    def arguments() -> list[str]:
        return ["lora", "rank"]

    def check(self, payload: Mapping[str, Any]) -> None:
        """Everything is fine."""

    def plan(self, payload: Mapping[str, Any], place: Any) -> Sequence[Any]:
        from workbench.core.protocols import Stage

        spec = {**payload.get("arguments", {}), "served_name": payload["served_name"], "adapters": payload.get("adapters") or {}}
        files = {"serve.json": json.dumps(spec)}
        return [Stage("serve", "Starting", "current", (os.path.abspath(__file__), "../serve.json"), files=files, serves=True, stop_grace=2.0)]

    def result(self, payload: Mapping[str, Any], place: Any) -> Mapping[str, Any]:
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Any:
        from workbench.core.jobs import Failure

        return Failure(f"{stage} ended with {exit_code}.", "", log_tail)


def main() -> None:
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    lora = bool(spec.get("lora", True))
    models = Models(spec["served_name"], spec["adapters"], int(spec.get("rank", 64)), lora)
    with open(os.environ["WORKBENCH_KEY_FILE"]) as f:
        key = f.read().strip()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._any("GET")

        def do_POST(self) -> None:
            self._any("POST")

        def _any(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == "/health":
                status, value = 200, {}
            elif self.headers.get("Authorization") != f"Bearer {key}":
                status, value = 401, _error("Invalid API Key")
            else:
                given = json.loads(body or b"{}")
                if given.get("seed") == 666:
                    os._exit(9)
                status, value = models.answer(method, self.path, given)
                streamed = given.get("stream") and status == 200
                if streamed:
                    text = value["choices"][0]["message"]["content"]
                    piece = {**value, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]}
                    self._send(200, f"data: {json.dumps(piece)}\n\ndata: [DONE]\n\n".encode(), "text/event-stream")
                    return
            self._send(status, value.encode() if isinstance(value, str) else json.dumps(value).encode(), "application/json")

        def _send(self, status: int, data: bytes, mime: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    options = {"engine": "vllm", **({"adapters": True, "max_lora_rank": models.rank} if lora else {})}
    event = {"event": "ready", "url": f"http://127.0.0.1:{server.server_port}/v1", "model": models.base, "options": options}
    with open(os.environ["WORKBENCH_EVENTS"], "a") as f:
        f.write(json.dumps(event) + "\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
