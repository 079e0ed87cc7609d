"""``run.py pictures|voices < QUESTIONS > ANSWERS``: makes tiny models, puts our servers around them and asks, all in one process.

Questions are a list of ``{kind, arguments, asks: [{path, body, gone}]}``; the last line that is printed is the list of what came:
``{options, answers: [{status, mime, json or base64}], counts}``. ``gone`` is the seconds after which the caller hangs up.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tiny"), str(HERE.parents[2] / "workbench" / "runners")]
SERVERS = {"pictures": ("serve_diffusers", "sd"), "voices": ("serve_speech", "tts")}


async def asked(app: Any, ask: dict[str, Any]) -> dict[str, Any]:
    """One request, as an HTTP server hands it over."""
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": json.dumps(ask["body"]).encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await asyncio.sleep(ask.get("gone") or 3600)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    path = ask["path"]
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer key")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "root_path": ""}
    await app(scope, receive, send)
    body, mime = b"".join(m.get("body", b"") for m in sent[1:]), dict(sent[0]["headers"]).get(b"content-type", b"").decode()
    content = {"json": json.loads(body)} if mime == "application/json" else {"base64": base64.b64encode(body).decode()}
    return {"status": sent[0]["status"], "mime": mime, "pieces": sum(bool(m.get("body")) for m in sent[1:]), **content}


async def answers(made: Any, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    app, found = made.asgi("key"), []
    for ask in asks:
        found.append(await asked(app, ask))
        while made.worker.metrics()["requests_running"]:
            await asyncio.sleep(0.01)
    return found


def main() -> None:
    import torch

    kinds, (server, type_) = importlib.import_module(sys.argv[1]), SERVERS[sys.argv[1]]
    serve: Any = importlib.import_module(server)
    serve.serving.report = lambda *args, **kwargs: None
    torch.set_num_threads(1)
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for question in json.load(sys.stdin):
            torch.manual_seed(0)
            place = Path(folder) / question["kind"]
            getattr(kinds, question["kind"])(place)
            made = serve.load({"model": str(place), "served_name": "m", "type": type_, "arguments": question.get("arguments") or {}})
            out.append({"options": made.options, "answers": asyncio.run(answers(made, question["asks"])), "counts": made.worker.counts})
    print("\n" + json.dumps(out))


if __name__ == "__main__":
    main()
